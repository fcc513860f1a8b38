//! What a shard knows of topics beyond the image: their configuration, resolved once per image.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_engine::{LogConfig, ValidationRules};
use millrace_replication::Image;
use millrace_replication::controller::is_internal_topic;
use millrace_replication::image::Topic;
use millrace_wire::Uuid;

use crate::setup::Setup;
use crate::topic_config;

/// A topic with what its configuration comes to.
#[derive(Debug)]
pub(crate) struct TopicInfo {
    /// Its partitions, name and id.
    pub topic: Arc<Topic>,
    /// Kafka's own: clients may not write to it.
    pub is_internal: bool,
    /// What its batches must be like.
    pub rules: ValidationRules,
    /// How its logs behave.
    pub log_config: Arc<LogConfig>,
}

/// Topics that were asked for since the image changed.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    by_id: BTreeMap<Uuid, Arc<TopicInfo>>,
    by_name: BTreeMap<Arc<str>, Arc<TopicInfo>>,
}

impl Topics {
    /// Forgets everything: the image has changed.
    pub(crate) fn clear(&mut self) {
        self.by_id.clear();
        self.by_name.clear();
    }

    /// A topic by name.
    pub(crate) fn by_name(
        &mut self,
        setup: &Setup,
        image: &Image,
        name: &str,
    ) -> Option<Arc<TopicInfo>> {
        if let Some(info) = self.by_name.get(name) {
            return Some(Arc::clone(info));
        }
        Some(self.resolve(setup, image, image.topic(name)?))
    }

    /// A topic by id.
    pub(crate) fn by_id(
        &mut self,
        setup: &Setup,
        image: &Image,
        id: Uuid,
    ) -> Option<Arc<TopicInfo>> {
        if let Some(info) = self.by_id.get(&id) {
            return Some(Arc::clone(info));
        }
        Some(self.resolve(setup, image, image.topic_by_id(id)?))
    }

    fn resolve(&mut self, setup: &Setup, image: &Image, topic: &Arc<Topic>) -> Arc<TopicInfo> {
        let config = topic_config::resolve(setup, image, &topic.name);
        let info = Arc::new(TopicInfo {
            topic: Arc::clone(topic),
            is_internal: is_internal_topic(&topic.name),
            rules: config.rules,
            log_config: Arc::new(config.log),
        });
        self.by_id.insert(topic.id, Arc::clone(&info));
        self.by_name.insert(Arc::clone(&topic.name), Arc::clone(&info));
        info
    }
}
