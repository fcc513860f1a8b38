//! From a frame to the handler of its API.

use bytes::Bytes;
use millrace_io::Mono;
use millrace_net::api_versions::advertised;
use millrace_net::header::RequestHeader;
use millrace_net::{ApiKey, Request as Api};
use millrace_wire::{Reader, WireError};

use super::{ReplyTo, Shard, Turn};
use crate::counters::Stage;
use crate::slab::Key;

/// A request on its way into a handler.
#[derive(Debug)]
pub(crate) struct Request {
    /// Where the reply goes.
    pub to: ReplyTo,
    /// The whole frame, without its length.
    pub frame: Bytes,
    /// Where the body starts in it.
    pub body_at: usize,
    /// The name the client gives itself.
    pub client_id: Option<Box<str>>,
}

impl Request {
    /// Decodes the body. Bytes behind it are ignored, as Kafka does.
    pub(crate) fn decode<R: Api>(&self) -> Result<R, WireError> {
        let mut reader = Reader::new(&self.frame);
        reader.raw(self.body_at)?;
        R::decode(&mut reader, self.to.version)
    }
}

/// The APIs that have a handler; these, and no others, are advertised.
pub(crate) const HANDLED: &[ApiKey] = &[
    ApiKey::Produce,
    ApiKey::Fetch,
    ApiKey::ListOffsets,
    ApiKey::Metadata,
    ApiKey::OffsetCommit,
    ApiKey::OffsetFetch,
    ApiKey::FindCoordinator,
    ApiKey::JoinGroup,
    ApiKey::Heartbeat,
    ApiKey::LeaveGroup,
    ApiKey::SyncGroup,
    ApiKey::DescribeGroups,
    ApiKey::ListGroups,
    ApiKey::SaslHandshake,
    ApiKey::ApiVersions,
    ApiKey::CreateTopics,
    ApiKey::DeleteTopics,
    ApiKey::DeleteRecords,
    ApiKey::InitProducerId,
    ApiKey::OffsetForLeaderEpoch,
    ApiKey::DescribeAcls,
    ApiKey::CreateAcls,
    ApiKey::DeleteAcls,
    ApiKey::DescribeConfigs,
    ApiKey::AlterConfigs,
    ApiKey::AlterReplicaLogDirs,
    ApiKey::DescribeLogDirs,
    ApiKey::SaslAuthenticate,
    ApiKey::CreatePartitions,
    ApiKey::CreateDelegationToken,
    ApiKey::RenewDelegationToken,
    ApiKey::ExpireDelegationToken,
    ApiKey::DescribeDelegationToken,
    ApiKey::DeleteGroups,
    ApiKey::ElectLeaders,
    ApiKey::IncrementalAlterConfigs,
    ApiKey::AlterPartitionReassignments,
    ApiKey::ListPartitionReassignments,
    ApiKey::OffsetDelete,
    ApiKey::DescribeClientQuotas,
    ApiKey::AlterClientQuotas,
    ApiKey::DescribeUserScramCredentials,
    ApiKey::DescribeQuorum,
    ApiKey::UpdateFeatures,
    ApiKey::DescribeCluster,
    ApiKey::DescribeProducers,
    ApiKey::UnregisterBroker,
    ApiKey::DescribeTransactions,
    ApiKey::ListTransactions,
    ApiKey::ConsumerGroupHeartbeat,
    ApiKey::ConsumerGroupDescribe,
    ApiKey::ListConfigResources,
    ApiKey::DescribeTopicPartitions,
];

impl Shard {
    /// Starts a request. What cannot be understood ends the connection, as in Kafka: a reply in a
    /// format that the client does not expect would be worse.
    pub(super) fn dispatch(&mut self, turn: &mut Turn, client: Key, frame: Bytes, received: Mono) {
        let mut reader = Reader::new(&frame);
        let Ok(header) = RequestHeader::decode(&mut reader) else {
            self.refuse_frame(turn, client, &frame);
            return;
        };
        let served = HANDLED.contains(&header.key)
            && advertised(header.key).is_some_and(|row| row.serves(header.version));
        // ApiVersions answers every version: that is how a client finds out.
        let is_understood = served || header.key == ApiKey::ApiVersions;
        // A message in memory can be tens of times as large as it is on the wire, so what is not
        // read in place is kept far smaller than a batch of records may be.
        let is_small =
            header.key == ApiKey::Produce || frame.len() <= self.setup.small_request_bytes_max;
        if !is_understood || !is_small || self.requests.is_full() {
            self.refuse_frame(turn, client, &frame);
            return;
        }
        let body_at = reader.position();
        let owes_reply = header.key != ApiKey::Produce
            || crate::handlers::produce::owes_reply(&mut reader, header.version);
        let slot = self.clients.get_mut(client).and_then(|client| {
            client.set_client_id(header.client_id);
            owes_reply.then(|| client.connection.expect_reply())
        });
        // A request that owes no reply could not be told to wait: Kafka exempts it.
        let throttle_ms = if owes_reply {
            self.begin_quotas(turn, client, header.client_id, frame.len())
        } else {
            0
        };
        let to = ReplyTo {
            client,
            slot,
            correlation_id: header.correlation_id,
            api: header.key,
            version: header.version,
            frame_bytes: frame.len(),
            began: turn.now.mono,
            throttle_ms,
            queue_ns: turn.now.mono.since(received),
            park_ns: 0,
        };
        self.counters.stage(Stage::Queue).observe(to.queue_ns);
        let client_id = header.client_id.map(Box::from);
        self.counters.requests.add(1);
        let request = Request { to, frame, body_at, client_id };
        if self.handle(turn, &request).is_err() {
            self.counters.frames_refused.add(1);
            self.close_client(turn, client);
            self.finish_request(turn, client, request.to.frame_bytes);
        }
    }

    /// Runs a request's handler. An error means that its bytes are no such request.
    fn handle(&mut self, turn: &mut Turn, request: &Request) -> Result<(), WireError> {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the keys are Kafka's, and HANDLED was asked before"
        )]
        match request.to.api {
            ApiKey::Produce => self.handle_produce(turn, request),
            ApiKey::Fetch => self.handle_fetch(turn, request),
            ApiKey::ListOffsets => self.handle_list_offsets(turn, request),
            ApiKey::Metadata => self.handle_metadata(turn, request),
            ApiKey::OffsetCommit => self.handle_offset_commit(turn, request),
            ApiKey::OffsetFetch => self.handle_offset_fetch(turn, request),
            ApiKey::FindCoordinator => self.handle_find_coordinator(turn, request),
            ApiKey::JoinGroup => self.handle_join_group(turn, request),
            ApiKey::Heartbeat => self.handle_heartbeat(turn, request),
            ApiKey::LeaveGroup => self.handle_leave_group(turn, request),
            ApiKey::SyncGroup => self.handle_sync_group(turn, request),
            ApiKey::DescribeGroups => self.handle_describe_groups(turn, request),
            ApiKey::ListGroups => self.handle_list_groups(turn, request),
            ApiKey::SaslHandshake => self.handle_sasl_handshake(turn, request),
            ApiKey::ApiVersions => self.handle_api_versions(turn, request),
            ApiKey::CreateTopics => self.handle_create_topics(turn, request),
            ApiKey::DeleteTopics => self.handle_delete_topics(turn, request),
            ApiKey::DeleteRecords => self.handle_delete_records(turn, request),
            ApiKey::InitProducerId => self.handle_init_producer_id(turn, request),
            ApiKey::OffsetForLeaderEpoch => self.handle_offset_for_leader_epoch(turn, request),
            ApiKey::DescribeAcls => self.handle_describe_acls(turn, request),
            ApiKey::CreateAcls => self.handle_create_acls(turn, request),
            ApiKey::DeleteAcls => self.handle_delete_acls(turn, request),
            ApiKey::DescribeConfigs => self.handle_describe_configs(turn, request),
            ApiKey::AlterConfigs => self.handle_alter_configs(turn, request),
            ApiKey::AlterReplicaLogDirs => self.handle_alter_replica_log_dirs(turn, request),
            ApiKey::DescribeLogDirs => self.handle_describe_log_dirs(turn, request),
            ApiKey::SaslAuthenticate => self.handle_sasl_authenticate(turn, request),
            ApiKey::CreatePartitions => self.handle_create_partitions(turn, request),
            ApiKey::CreateDelegationToken => self.handle_create_delegation_token(turn, request),
            ApiKey::RenewDelegationToken => self.handle_renew_delegation_token(turn, request),
            ApiKey::ExpireDelegationToken => self.handle_expire_delegation_token(turn, request),
            ApiKey::DescribeDelegationToken => self.handle_describe_delegation_token(turn, request),
            ApiKey::DeleteGroups => self.handle_delete_groups(turn, request),
            ApiKey::ElectLeaders => self.handle_elect_leaders(turn, request),
            ApiKey::IncrementalAlterConfigs => self.handle_incremental_alter_configs(turn, request),
            ApiKey::AlterPartitionReassignments => {
                self.handle_alter_partition_reassignments(turn, request)
            }
            ApiKey::ListPartitionReassignments => {
                self.handle_list_partition_reassignments(turn, request)
            }
            ApiKey::OffsetDelete => self.handle_offset_delete(turn, request),
            ApiKey::DescribeClientQuotas => self.handle_describe_client_quotas(turn, request),
            ApiKey::AlterClientQuotas => self.handle_alter_client_quotas(turn, request),
            ApiKey::DescribeUserScramCredentials => {
                self.handle_describe_user_scram_credentials(turn, request)
            }
            ApiKey::DescribeQuorum => self.handle_describe_quorum(turn, request),
            ApiKey::UpdateFeatures => self.handle_update_features(turn, request),
            ApiKey::DescribeCluster => self.handle_describe_cluster(turn, request),
            ApiKey::DescribeProducers => self.handle_describe_producers(turn, request),
            ApiKey::UnregisterBroker => self.handle_unregister_broker(turn, request),
            ApiKey::DescribeTransactions => self.handle_describe_transactions(turn, request),
            ApiKey::ListTransactions => self.handle_list_transactions(turn, request),
            ApiKey::ConsumerGroupHeartbeat => self.handle_consumer_group_heartbeat(turn, request),
            ApiKey::ConsumerGroupDescribe => self.handle_consumer_group_describe(turn, request),
            ApiKey::ListConfigResources => self.handle_list_config_resources(turn, request),
            ApiKey::DescribeTopicPartitions => self.handle_describe_topic_partitions(turn, request),
            _ => Err(WireError::Invalid("no handler")),
        }
    }

    fn refuse_frame(&mut self, turn: &mut Turn, client: Key, frame: &Bytes) {
        self.counters.frames_refused.add(1);
        self.close_client(turn, client);
        self.finish_request(turn, client, frame.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_md_lists_what_is_served() {
        let document = include_str!("../../docs/PROTOCOL.md");
        let told: Vec<String> = document
            .lines()
            .skip_while(|line| !line.starts_with("| API | Key |"))
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .map(|line| line.split('|').take(4).collect::<Vec<_>>().join("|"))
            .collect();
        let served: Vec<String> = HANDLED
            .iter()
            .map(|key| {
                let row = advertised(*key).expect("what is handled is in the table");
                format!("| {key:?} | {} | {}–{} ", key.code(), row.min, row.max)
            })
            .collect();
        assert_eq!(told, served);
    }
}
