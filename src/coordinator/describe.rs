//! DescribeGroups and ListGroups of classic groups.

use millrace_net::ErrorCode;
use millrace_net::messages::consumer_group_describe::DescribedGroup as ConsumerDescribedGroup;
use millrace_net::messages::describe_groups::{DescribedGroup, DescribedGroupMember};
use millrace_net::messages::list_groups::ListedGroup;

use super::ask::refuse_consumer_describe;
use super::group::{Group, GroupState};

/// Kafka's name of the kind of group.
const TYPE: &str = "classic";
/// From this version of DescribeGroups on an unknown group is an error.
const NOT_FOUND_FROM: i16 = 6;

impl Group {
    pub(super) fn describe(&self) -> DescribedGroup {
        // Between generations there is no protocol that all metadata would be of.
        let protocol = match self.state() {
            GroupState::Stable => self.protocol_name.as_deref(),
            GroupState::Empty
            | GroupState::PreparingRebalance
            | GroupState::CompletingRebalance => None,
        };
        let members = self.members.values().map(|member| DescribedGroupMember {
            member_id: member.id.to_string(),
            group_instance_id: member.instance.as_deref().map(str::to_owned),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            member_metadata: protocol.map(|it| member.metadata(it)).unwrap_or_default(),
            member_assignment: member.assignment.clone(),
        });
        DescribedGroup {
            group_id: self.name.to_string(),
            group_state: self.state().name().to_owned(),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            protocol_data: protocol.unwrap_or_default().to_owned(),
            members: members.collect(),
            ..DescribedGroup::default()
        }
    }

    /// The group's line of a listing, if the filters let it through.
    pub(super) fn list(&self, states: &[String], types: &[String]) -> Option<ListedGroup> {
        if let Some(consumer) = &self.consumer {
            return consumer.list(&self.name, states, types);
        }
        let passes = |filter: &[String], value: &str| {
            filter.is_empty() || filter.iter().any(|it| it.eq_ignore_ascii_case(value))
        };
        let state = self.state().name();
        (passes(states, state) && passes(types, TYPE)).then(|| ListedGroup {
            group_id: self.name.to_string(),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            group_state: state.to_owned(),
            group_type: TYPE.to_owned(),
        })
    }
}

/// What ConsumerGroupDescribe says of a group that it is not for.
pub(super) fn describe_no_consumer(group_id: &str) -> ConsumerDescribedGroup {
    let words = format!("Group {group_id} is not a consumer group, or does not exist.");
    refuse_consumer_describe(group_id, ErrorCode::GroupIdNotFound, Some(words))
}

/// What is said of a group that does not exist, or is no classic one.
pub(super) fn describe_unknown(group_id: &str, version: i16) -> DescribedGroup {
    let mut described = DescribedGroup {
        group_id: group_id.to_owned(),
        group_state: "Dead".to_owned(),
        ..DescribedGroup::default()
    };
    if version >= NOT_FOUND_FROM {
        described.error_code = ErrorCode::GroupIdNotFound.code();
        described.error_message = Some(format!("Group {group_id} not found."));
    }
    described
}
