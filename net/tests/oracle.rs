//! Every message in every version against a foreign implementation, `kafka-protocol`.
//!
//! Random bodies are made from the schema; both sides read them and must see the same fields with
//! the same values, and write the same bytes. The foreign side never sees hostile bytes: it
//! believes every count.

use bytes::{Buf, Bytes};
use kafka_protocol::protocol::{Decodable, Encodable, Message as Foreign};
use millrace_codegen::sample::Sampler;
use millrace_codegen::schema::Schema;
use millrace_net::{Message, messages};
use millrace_wire::{Reader, Writer};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;

/// Bodies per message and version.
const ROUNDS: u64 = 24;

/// What only one side has, with the API and the first version the foreign side lacks: its source
/// is Kafka 4.1, which has an InitProducerId 6 that no broker announces. The fields of those
/// versions are left out of the comparison of the others.
const ONE_SIDED: [(&str, i16, &[&str]); 6] = [
    ("WriteTxnMarkers", 2, &["transaction_version"]),
    ("ListOffsets", 11, &[]),
    ("DescribeLogDirs", 5, &["is_cordoned"]),
    ("OffsetCommit", 10, &["topic_id"]),
    ("OffsetFetch", 10, &["topic_id"]),
    ("InitProducerId", 7, &INIT_PRODUCER_ID_6),
];

const INIT_PRODUCER_ID_6: [&str; 4] =
    ["enable_2_pc", "keep_prepared_txn", "ongoing_txn_producer_id", "ongoing_txn_producer_epoch"];

/// Compares one message in all versions that both sides have.
fn compare<Ours, Theirs>(schemas: &BTreeMap<String, Schema>, module: &str, name: &str)
where
    Ours: Message + Debug + PartialEq,
    Theirs: Foreign + Decodable + Encodable + Debug,
{
    let schema = &schemas[module];
    let message = schema.find(name).unwrap_or_else(|| panic!("{name} is not in {module}"));
    let one_sided = ONE_SIDED.iter().find(|(api, ..)| *api == schema.name);
    let (_, lacks_from, left_out) = *one_sided.unwrap_or(&("", i16::MAX, &[]));
    for version in Ours::VERSION_MIN..=Ours::VERSION_MAX {
        if version < Theirs::VERSIONS.min || version > Theirs::VERSIONS.max {
            assert!(version >= lacks_from, "the foreign side lacks {name} version {version}");
            continue;
        }
        for seed in 0..ROUNDS {
            let place = format!("{name} version {version} seed {seed}");
            let body = Sampler::new(schema, version, seed).body(message);

            let mut reader = Reader::new(&body);
            let ours = Ours::decode(&mut reader, version);
            let ours = ours.unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!(reader.remaining(), 0, "{place}: bytes are left");
            let mut foreign = Bytes::copy_from_slice(&body);
            let theirs = Theirs::decode(&mut foreign, version);
            let theirs = theirs.unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!(foreign.remaining(), 0, "{place}: the foreign side leaves bytes");
            let theirs_text = fields(&format!("{theirs:?}"), left_out);
            assert_eq!(fields(&format!("{ours:?}"), left_out), theirs_text, "{place}");

            let mut writer = Writer::new();
            ours.encode(&mut writer, version);
            let mut written = Vec::new();
            theirs.encode(&mut written, version).expect("what was read can be written");
            assert_eq!(writer.as_slice(), written, "{place}: {ours:?}");
            let again = Ours::decode(&mut Reader::new(&written), version);
            assert_eq!(again.as_ref(), Ok(&ours), "{place}");
        }
    }
}

/// The names and values in a debug text, without what the two sides write differently: type names,
/// newtypes around values, `Some`, and the form of identifiers.
fn fields(text: &str, left_out: &[&str]) -> Vec<String> {
    let text = text.replace("unknown_tagged_fields: {}", "");
    let mut found = Vec::new();
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let end = quoted(rest);
            found.push(rest[..end].to_owned());
            rest = &rest[end..];
            continue;
        }
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || "_-+.#".contains(c)))
            .unwrap_or(rest.len());
        if end == 0 {
            // Brackets of arrays tell where one ends and the next begins.
            if first == '[' || first == ']' {
                found.push(first.to_string());
            }
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (word, behind) = rest.split_at(end);
        rest = behind;
        if left_out.contains(&word) {
            rest = rest.find(['}', ',']).map_or("", |end| &rest[end..]);
        } else if rest.starts_with(':') {
            found.push(word.trim_start_matches('_').to_owned());
        } else if word.len() == 36 && word.matches('-').count() == 4 {
            let digits = word.replace('-', "");
            found.push(u128::from_str_radix(&digits, 16).map_or(digits, |id| id.to_string()));
        } else if word.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            || ["true", "false", "None"].contains(&word)
        {
            found.push(word.to_owned());
        }
    }
    found
}

/// The length of the quoted text at the front of `rest`, quotes included.
fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (index, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return index + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}

macro_rules! pairs {
    ($($module:ident: $request:ident, $response:ident;)*) => {
        #[test]
        fn both_sides_read_and_write_every_message_alike() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
            let schemas = millrace_codegen::load(&folder).unwrap();
            let mut compared = 0;
            $(
                compare::<messages::$module::$request, kafka_protocol::messages::$request>(
                    &schemas, stringify!($module), stringify!($request));
                compare::<messages::$module::$response, kafka_protocol::messages::$response>(
                    &schemas, stringify!($module), stringify!($response));
                compared += 1;
            )*
            assert_eq!(compared, messages::CATALOGUE.len(), "an API is not compared");
        }
    };
}

pairs! {
    add_offsets_to_txn: AddOffsetsToTxnRequest, AddOffsetsToTxnResponse;
    add_partitions_to_txn: AddPartitionsToTxnRequest, AddPartitionsToTxnResponse;
    alter_client_quotas: AlterClientQuotasRequest, AlterClientQuotasResponse;
    alter_configs: AlterConfigsRequest, AlterConfigsResponse;
    alter_partition_reassignments: AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse;
    alter_replica_log_dirs: AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse;
    alter_user_scram_credentials: AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse;
    api_versions: ApiVersionsRequest, ApiVersionsResponse;
    consumer_group_describe: ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse;
    consumer_group_heartbeat: ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse;
    create_acls: CreateAclsRequest, CreateAclsResponse;
    create_delegation_token: CreateDelegationTokenRequest, CreateDelegationTokenResponse;
    create_partitions: CreatePartitionsRequest, CreatePartitionsResponse;
    create_topics: CreateTopicsRequest, CreateTopicsResponse;
    delete_acls: DeleteAclsRequest, DeleteAclsResponse;
    delete_groups: DeleteGroupsRequest, DeleteGroupsResponse;
    delete_records: DeleteRecordsRequest, DeleteRecordsResponse;
    delete_topics: DeleteTopicsRequest, DeleteTopicsResponse;
    describe_acls: DescribeAclsRequest, DescribeAclsResponse;
    describe_client_quotas: DescribeClientQuotasRequest, DescribeClientQuotasResponse;
    describe_cluster: DescribeClusterRequest, DescribeClusterResponse;
    describe_configs: DescribeConfigsRequest, DescribeConfigsResponse;
    describe_delegation_token: DescribeDelegationTokenRequest, DescribeDelegationTokenResponse;
    describe_groups: DescribeGroupsRequest, DescribeGroupsResponse;
    describe_log_dirs: DescribeLogDirsRequest, DescribeLogDirsResponse;
    describe_producers: DescribeProducersRequest, DescribeProducersResponse;
    describe_quorum: DescribeQuorumRequest, DescribeQuorumResponse;
    describe_topic_partitions: DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse;
    describe_transactions: DescribeTransactionsRequest, DescribeTransactionsResponse;
    describe_user_scram_credentials: DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse;
    elect_leaders: ElectLeadersRequest, ElectLeadersResponse;
    end_txn: EndTxnRequest, EndTxnResponse;
    expire_delegation_token: ExpireDelegationTokenRequest, ExpireDelegationTokenResponse;
    fetch: FetchRequest, FetchResponse;
    find_coordinator: FindCoordinatorRequest, FindCoordinatorResponse;
    heartbeat: HeartbeatRequest, HeartbeatResponse;
    incremental_alter_configs: IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse;
    init_producer_id: InitProducerIdRequest, InitProducerIdResponse;
    join_group: JoinGroupRequest, JoinGroupResponse;
    leave_group: LeaveGroupRequest, LeaveGroupResponse;
    list_config_resources: ListConfigResourcesRequest, ListConfigResourcesResponse;
    list_groups: ListGroupsRequest, ListGroupsResponse;
    list_offsets: ListOffsetsRequest, ListOffsetsResponse;
    list_partition_reassignments: ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse;
    list_transactions: ListTransactionsRequest, ListTransactionsResponse;
    metadata: MetadataRequest, MetadataResponse;
    offset_commit: OffsetCommitRequest, OffsetCommitResponse;
    offset_delete: OffsetDeleteRequest, OffsetDeleteResponse;
    offset_fetch: OffsetFetchRequest, OffsetFetchResponse;
    offset_for_leader_epoch: OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse;
    produce: ProduceRequest, ProduceResponse;
    renew_delegation_token: RenewDelegationTokenRequest, RenewDelegationTokenResponse;
    sasl_authenticate: SaslAuthenticateRequest, SaslAuthenticateResponse;
    sasl_handshake: SaslHandshakeRequest, SaslHandshakeResponse;
    sync_group: SyncGroupRequest, SyncGroupResponse;
    txn_offset_commit: TxnOffsetCommitRequest, TxnOffsetCommitResponse;
    unregister_broker: UnregisterBrokerRequest, UnregisterBrokerResponse;
    update_features: UpdateFeaturesRequest, UpdateFeaturesResponse;
    write_txn_markers: WriteTxnMarkersRequest, WriteTxnMarkersResponse;
}

#[test]
fn a_swapped_field_would_be_seen() {
    assert_ne!(fields("A { x: 1, y: 2 }", &[]), fields("A { y: 1, x: 2 }", &[]));
    assert_ne!(fields("A { x: [1], y: [2] }", &[]), fields("A { x: [1, 2], y: [] }", &[]));
    assert_eq!(fields("A { x: Some(\"a\") }", &[]), fields("B { _x: Some(Name(\"a\")) }", &[]));
    let ours = fields("A { id: Uuid(17) }", &[]);
    assert_eq!(ours, fields("A { id: 00000000-0000-0000-0000-000000000011 }", &[]));
}
