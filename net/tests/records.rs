//! The records of the offsets topic, generated for the broker, read and written here.

#[path = "../../src/coordinator"]
mod coordinator {
    pub(super) mod records;
}

use coordinator::records;
use millrace_codegen::sample::Sampler;
use millrace_codegen::schema::Schema;
use millrace_wire::{Reader, WireError, Writer};
use std::collections::BTreeMap;
use std::path::Path;

macro_rules! rewrites {
    ($($module:ident $name:ident;)*) => {
        fn rewrite(module: &str, body: &[u8], version: i16) -> Result<Vec<u8>, WireError> {
            let (mut reader, mut writer) = (Reader::new(body), Writer::new());
            match module {
                $(stringify!($module) => {
                    let record = records::$module::$name::decode(&mut reader, version)?;
                    record.encode(&mut writer, version);
                })*
                other => panic!("{other} is not listed"),
            }
            assert_eq!(reader.remaining(), 0, "{module} version {version}");
            Ok(writer.into_vec())
        }
    };
}

rewrites! {
    consumer_group_current_member_assignment_key ConsumerGroupCurrentMemberAssignmentKey;
    consumer_group_current_member_assignment_value ConsumerGroupCurrentMemberAssignmentValue;
    consumer_group_member_metadata_key ConsumerGroupMemberMetadataKey;
    consumer_group_member_metadata_value ConsumerGroupMemberMetadataValue;
    consumer_group_metadata_key ConsumerGroupMetadataKey;
    consumer_group_metadata_value ConsumerGroupMetadataValue;
    consumer_group_partition_metadata_key ConsumerGroupPartitionMetadataKey;
    consumer_group_partition_metadata_value ConsumerGroupPartitionMetadataValue;
    consumer_group_regular_expression_key ConsumerGroupRegularExpressionKey;
    consumer_group_regular_expression_value ConsumerGroupRegularExpressionValue;
    consumer_group_target_assignment_member_key ConsumerGroupTargetAssignmentMemberKey;
    consumer_group_target_assignment_member_value ConsumerGroupTargetAssignmentMemberValue;
    consumer_group_target_assignment_metadata_key ConsumerGroupTargetAssignmentMetadataKey;
    consumer_group_target_assignment_metadata_value ConsumerGroupTargetAssignmentMetadataValue;
    group_metadata_key GroupMetadataKey;
    group_metadata_value GroupMetadataValue;
    offset_commit_key OffsetCommitKey;
    offset_commit_value OffsetCommitValue;
}

fn schemas() -> BTreeMap<String, Schema> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/coordinator/schema");
    millrace_codegen::load(&folder).expect("the schemas are well formed")
}

#[test]
fn every_record_is_read_whole_and_written_alike() {
    for (module, schema) in schemas() {
        for version in schema.versions.min..=schema.versions.max {
            for seed in 0..40 {
                let body = Sampler::new(&schema, version, seed).body(&schema.messages[0]);
                let written = rewrite(&module, &body, version);
                let written = written.unwrap_or_else(|error| panic!("{module} {version}: {error}"));
                // A tagged field that holds its default is not written again.
                assert!(written.len() <= body.len(), "{module} {version} seed {seed}");
                assert_eq!(rewrite(&module, &written, version).as_ref(), Ok(&written));
            }
        }
    }
}

#[test]
fn a_committed_offset_has_kafkas_layout() {
    // Offset 5, epoch 1, metadata "m", committed at 9, in version 3: by hand from the format.
    let value = records::offset_commit_value::OffsetCommitValue {
        offset: 5,
        leader_epoch: 1,
        metadata: "m".to_owned(),
        commit_timestamp: 9,
        ..records::offset_commit_value::OffsetCommitValue::default()
    };
    let mut writer = Writer::new();
    value.encode(&mut writer, 3);
    let expected: [u8; 23] =
        [0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 1, b'm', 0, 0, 0, 0, 0, 0, 0, 9];
    assert_eq!(writer.as_slice(), expected);
}
