//! Control records of the metadata log and its snapshots: keys and values as bytes.
//!
//! They stand in control batches (attribute bit 5) that whoever builds batches makes; this is what
//! goes into them. A snapshot file is: a control batch with the header (and, where the quorum is
//! dynamic, the KRaft version and the voters), batches of metadata records, a control batch with
//! the footer. Source: KIP-630 (snapshots), KIP-853 (voters), KIP-595 (leader change).

use millrace_wire::{Reader, Uuid, WireError, Writer};

use crate::types::BrokerId;

/// What a control record says. The discriminants are the types in its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub enum ControlType {
    /// A leader begins its epoch.
    LeaderChange = 2,
    /// A snapshot begins.
    SnapshotHeader = 3,
    /// A snapshot ends.
    SnapshotFooter = 4,
    /// The version of the quorum's protocol.
    KraftVersion = 5,
    /// Who votes.
    KraftVoters = 6,
}

/// One control record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlRecord {
    /// The record's key.
    pub key: Vec<u8>,
    /// The record's value.
    pub value: Vec<u8>,
}

/// The key of a control record: version 0 and the type.
fn key(control: ControlType) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.i16(0);
    writer.i16(control as i16);
    writer.into_vec()
}

/// Reads the type from a control record's key; `None` for a type that is not the metadata log's.
pub fn control_type(key: &[u8]) -> Result<Option<ControlType>, WireError> {
    let mut reader = Reader::new(key);
    let _version = reader.i16()?;
    Ok(match reader.i16()? {
        2 => Some(ControlType::LeaderChange),
        3 => Some(ControlType::SnapshotHeader),
        4 => Some(ControlType::SnapshotFooter),
        5 => Some(ControlType::KraftVersion),
        6 => Some(ControlType::KraftVoters),
        _ => None,
    })
}

/// The record that a snapshot begins with.
///
/// - `last_log_timestamp_ms`: append time of the last record that the snapshot contains, ms since
///   the epoch; 0 when there is none.
pub fn snapshot_header(last_log_timestamp_ms: i64) -> ControlRecord {
    let mut value = Writer::new();
    value.i16(0);
    value.i64(last_log_timestamp_ms);
    value.no_tagged_fields();
    ControlRecord { key: key(ControlType::SnapshotHeader), value: value.into_vec() }
}

/// Reads a snapshot header's append time, ms since the epoch.
pub fn read_snapshot_header(value: &[u8]) -> Result<i64, WireError> {
    let mut reader = Reader::new(value);
    let _version = reader.i16()?;
    let timestamp = reader.i64()?;
    reader.skip_tagged_fields()?;
    Ok(timestamp)
}

/// The record that a snapshot ends with; a file without it was not written to its end.
pub fn snapshot_footer() -> ControlRecord {
    let mut value = Writer::new();
    value.i16(0);
    value.no_tagged_fields();
    ControlRecord { key: key(ControlType::SnapshotFooter), value: value.into_vec() }
}

/// The record of a quorum's protocol version: 0 has static voters, 1 dynamic ones.
pub fn kraft_version(version: i16) -> ControlRecord {
    let mut value = Writer::new();
    value.i16(0);
    value.i16(version);
    value.no_tagged_fields();
    ControlRecord { key: key(ControlType::KraftVersion), value: value.into_vec() }
}

/// A voter of the metadata quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voter {
    /// `node.id`.
    pub id: BrokerId,
    /// Id of the directory that holds its metadata log; zero when not known.
    pub directory_id: Uuid,
    /// Listener name, host, port.
    pub endpoints: Vec<(String, String, u16)>,
    /// Lowest and highest KRaft version it can run.
    pub kraft_versions: (i16, i16),
}

/// The record of who votes.
pub fn kraft_voters(voters: &[Voter]) -> ControlRecord {
    let mut value = Writer::new();
    value.i16(0);
    value.compact_array_count(Some(voters.len()));
    for voter in voters {
        value.i32(voter.id.0);
        value.uuid(voter.directory_id);
        value.compact_array_count(Some(voter.endpoints.len()));
        for (name, host, port) in &voter.endpoints {
            value.compact_nullable_string(Some(name));
            value.compact_nullable_string(Some(host));
            value.u16(*port);
            value.no_tagged_fields();
        }
        value.i16(voter.kraft_versions.0);
        value.i16(voter.kraft_versions.1);
        value.no_tagged_fields();
        value.no_tagged_fields();
    }
    value.no_tagged_fields();
    ControlRecord { key: key(ControlType::KraftVoters), value: value.into_vec() }
}

/// The record that a leader's epoch begins with, at the version without directory ids.
pub fn leader_change(leader: BrokerId, voters: &[BrokerId]) -> ControlRecord {
    let mut value = Writer::new();
    value.i16(0);
    value.i32(leader.0);
    // The voters, then those of them that granted their vote: on a quorum of one, all.
    for _ in 0..2 {
        value.compact_array_count(Some(voters.len()));
        for voter in voters {
            value.i32(voter.0);
            value.no_tagged_fields();
        }
    }
    value.no_tagged_fields();
    ControlRecord { key: key(ControlType::LeaderChange), value: value.into_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap();
        bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }

    #[test]
    fn control_records_are_the_bytes_kafka_writes() {
        // From a log and a snapshot of Apache Kafka 4.3.1.
        let header = snapshot_header(0x01a2_00ac_f322);
        assert_eq!(hex(&header.key), "00000003");
        assert_eq!(hex(&header.value), "0000000001a200acf32200");
        assert_eq!(read_snapshot_header(&header.value), Ok(0x01a2_00ac_f322));
        let footer = snapshot_footer();
        assert_eq!(hex(&footer.key), "00000004");
        assert_eq!(hex(&footer.value), "000000");
        let version = kraft_version(1);
        assert_eq!(
            (hex(&version.key), hex(&version.value)),
            ("00000005".into(), "0000000100".into())
        );
        let voters = kraft_voters(&[Voter {
            id: BrokerId(1),
            directory_id: Uuid(0xcee9_4e23_ab8a_4419_8172_b5bc_4090_8a69),
            endpoints: vec![("CONTROLLER".into(), "127.0.0.1".into(), 29093)],
            kraft_versions: (0, 1),
        }]);
        assert_eq!(
            hex(&voters.value),
            "00000200000001cee94e23ab8a44198172b5bc40908a69020b434f4e54524f4c4c45520a3132372e302e30\
             2e3171a50000000001000000"
        );
        let leader = leader_change(BrokerId(1), &[BrokerId(1)]);
        assert_eq!(hex(&leader.key), "00000002");
        assert_eq!(hex(&leader.value), "00000000000102000000010002000000010000");
    }

    #[test]
    fn a_controls_type_reads_back_from_its_key() {
        assert_eq!(control_type(&snapshot_footer().key), Ok(Some(ControlType::SnapshotFooter)));
        assert_eq!(control_type(&[0, 0, 0, 99]), Ok(None));
        assert!(control_type(&[0, 0]).is_err());
    }
}
