//! ConsumerGroupDescribe and ListGroups of consumer groups.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use millrace_net::messages::consumer_group_describe::{
    Assignment, DescribedGroup, Member, TopicPartitions,
};
use millrace_net::messages::list_groups::ListedGroup;
use millrace_replication::Image;
use millrace_wire::Uuid;

use super::heartbeat::preferred_assignor;
use super::{ConsumerGroup, ConsumerMember};
use crate::coordinator::config::GroupConfig;
use crate::coordinator::subscription::CONSUMER;

/// Kafka's name of the kind of group.
pub(crate) const TYPE: &str = "consumer";
/// Member types as ConsumerGroupDescribe numbers them.
const MEMBER_CLASSIC: i8 = 0;
const MEMBER_CONSUMER: i8 = 1;

impl ConsumerGroup {
    pub(crate) fn describe(
        &self,
        name: &Arc<str>,
        config: &GroupConfig,
        image: &Image,
    ) -> DescribedGroup {
        let assignor = preferred_assignor(self.members.values(), config);
        DescribedGroup {
            group_id: name.to_string(),
            group_state: self.state().name().to_owned(),
            group_epoch: self.epoch,
            assignment_epoch: self.target_epoch,
            assignor_name: assignor.name().to_owned(),
            members: self.members.values().map(|it| self.describe_member(it, image)).collect(),
            ..DescribedGroup::default()
        }
    }

    fn describe_member(&self, member: &ConsumerMember, image: &Image) -> Member {
        // What it has yet to give up it still has.
        let mut held: BTreeMap<Uuid, BTreeSet<i32>> = BTreeMap::new();
        for (topic, partitions) in member.assigned.iter().chain(&member.pending) {
            held.entry(*topic).or_default().extend(partitions.keys());
        }
        let held = held.into_iter().map(|(id, it)| (id, it.into_iter().collect()));
        let target = self.targets.get(&member.id).into_iter().flatten();
        let target = target.map(|(id, it)| (*id, it.iter().copied().collect()));
        Member {
            member_id: member.id.to_string(),
            instance_id: member.instance.clone(),
            rack_id: member.rack.clone(),
            member_epoch: member.epoch,
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            subscribed_topic_names: member.topics.iter().cloned().collect(),
            subscribed_topic_regex: Some(member.regex.clone()),
            assignment: named(held, image),
            target_assignment: named(target, image),
            member_type: if member.classic.is_some() { MEMBER_CLASSIC } else { MEMBER_CONSUMER },
        }
    }

    /// The group's line of a listing, if the filters let it through.
    pub(crate) fn list(
        &self,
        name: &Arc<str>,
        states: &[String],
        types: &[String],
    ) -> Option<ListedGroup> {
        let passes = |filter: &[String], value: &str| {
            filter.is_empty() || filter.iter().any(|it| it.eq_ignore_ascii_case(value))
        };
        let state = self.state().name();
        (passes(states, state) && passes(types, TYPE)).then(|| ListedGroup {
            group_id: name.to_string(),
            protocol_type: CONSUMER.to_owned(),
            group_state: state.to_owned(),
            group_type: TYPE.to_owned(),
        })
    }
}

/// Partitions with the names of their topics; topics that are gone are left out.
fn named(topics: impl Iterator<Item = (Uuid, Vec<i32>)>, image: &Image) -> Assignment {
    let topics = topics.filter_map(|(topic_id, partitions)| {
        let topic_name = image.topic_by_id(topic_id)?.name.to_string();
        Some(TopicPartitions { topic_id, topic_name, partitions })
    });
    Assignment { topic_partitions: topics.collect() }
}
