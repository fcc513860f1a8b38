//! What differs between the image a draft started from and the one it became.

use std::collections::BTreeSet;
use std::sync::Arc;

use millrace_wire::Uuid;

use super::{Image, Topic};
use crate::types::ConfigResource;

/// The net change of one draft: a topic that came and went within it is not mentioned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageDelta {
    /// Topics that are new, with all their partitions.
    pub created_topics: Vec<Arc<Topic>>,
    /// Topics that are gone, as they last stood.
    pub deleted_topics: Vec<Arc<Topic>>,
    /// Partitions that are new in topics that were there before: topic as it is now, index.
    pub created_partitions: Vec<(Arc<Topic>, i32)>,
    /// Partitions that were there before and changed: topic as it is now, index.
    pub changed_partitions: Vec<(Arc<Topic>, i32)>,
    /// Resources whose overrides changed, those of deleted topics included.
    pub configs: Vec<ConfigResource>,
    /// Some broker's registration changed.
    pub brokers_changed: bool,
    /// Some finalized feature level changed.
    pub features_changed: bool,
    /// Some client quota changed.
    pub quotas_changed: bool,
    /// Some SCRAM credential, access control entry or delegation token changed.
    pub security_changed: bool,
    /// The producer ids moved on.
    pub producer_ids_changed: bool,
}

/// What a draft's records named; the rest cannot have changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Touched {
    pub(super) topics: BTreeSet<Uuid>,
    pub(super) configs: BTreeSet<ConfigResource>,
}

impl ImageDelta {
    /// True when nothing differs.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn between(old: &Image, new: &Image, touched: &Touched) -> Self {
        let mut delta = Self {
            configs: touched
                .configs
                .iter()
                .filter(|resource| old.config(resource) != new.config(resource))
                .cloned()
                .collect(),
            brokers_changed: old.brokers != new.brokers,
            features_changed: old.features != new.features,
            quotas_changed: old.quotas != new.quotas,
            security_changed: old.scram != new.scram
                || old.acls != new.acls
                || old.tokens != new.tokens,
            producer_ids_changed: old.next_producer_id != new.next_producer_id,
            ..Self::default()
        };
        for id in &touched.topics {
            match (old.topic_by_id(*id), new.topic_by_id(*id)) {
                (None, Some(topic)) => delta.created_topics.push(Arc::clone(topic)),
                (Some(topic), None) => delta.deleted_topics.push(Arc::clone(topic)),
                (Some(before), Some(after)) => delta.partitions_between(before, after),
                (None, None) => {}
            }
        }
        delta
    }

    fn partitions_between(&mut self, before: &Topic, after: &Arc<Topic>) {
        for partition in after.partitions() {
            let entry = (Arc::clone(after), partition.index);
            match before.partition(partition.index) {
                None => self.created_partitions.push(entry),
                Some(old) if old != partition => self.changed_partitions.push(entry),
                Some(_) => {}
            }
        }
    }
}
