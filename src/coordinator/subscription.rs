//! What a coordinator reads and writes in the metadata that consumers of the classic protocol
//! give each other: subscriptions and assignments of the protocol type `consumer`.
//!
//! Classic groups need it to know which offsets are still in use; what does not parse means
//! "unknown" there. Members that speak the classic protocol within a consumer group, and groups
//! that change their protocol, rest on it. Source: Kafka's `ConsumerProtocolSubscription` and
//! `ConsumerProtocolAssignment`, KIP-429, KIP-792, KIP-881.

use bytes::Bytes;
use millrace_wire::{Reader, WireError, Writer};

/// The protocol type of consumers; that of others is opaque through and through.
pub(crate) const CONSUMER: &str = "consumer";

/// From these versions on a subscription has owned partitions, a generation, a rack.
const OWNED_FROM: i16 = 1;
const GENERATION_FROM: i16 = 2;
const RACK_FROM: i16 = 3;
/// Fewest bytes of a topic with its partitions.
const TOPIC_BYTES_MIN: usize = 6;

/// Partitions by topic name, as they were written.
pub(crate) type Named = Vec<(String, Vec<i32>)>;

/// What a consumer tells of itself when it joins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub version: i16,
    pub topics: Vec<String>,
    /// What it holds; nothing for one that gives everything up before it joins.
    pub owned: Named,
    pub rack: Option<String>,
}

/// The topics of a subscription; `None` if it is none.
pub(crate) fn topics(metadata: &[u8]) -> Option<Vec<String>> {
    let mut reader = Reader::new(metadata);
    read_topics(&mut reader).ok().map(|(_, topics)| topics)
}

/// A subscription; `None` if it is none.
pub(crate) fn parse(metadata: &[u8]) -> Option<Subscription> {
    read(metadata).ok()
}

fn read(metadata: &[u8]) -> Result<Subscription, WireError> {
    let mut reader = Reader::new(metadata);
    let (version, topics) = read_topics(&mut reader)?;
    let mut subscription = Subscription { version, topics, ..Subscription::default() };
    reader.nullable_bytes()?;
    if version >= OWNED_FROM {
        subscription.owned = read_named(&mut reader)?;
    }
    if version >= GENERATION_FROM {
        reader.i32()?;
    }
    if version >= RACK_FROM {
        subscription.rack = reader.nullable_string()?.map(str::to_owned);
    }
    Ok(subscription)
}

fn read_topics(reader: &mut Reader<'_>) -> Result<(i16, Vec<String>), WireError> {
    let version = reader.i16()?;
    if version < 0 {
        return Err(WireError::Invalid("a negative version"));
    }
    let count = reader.array_count(2)?.ok_or(WireError::Invalid("no topics"))?;
    let mut topics = Vec::new();
    for _ in 0..count {
        topics.push(read_string(reader)?);
    }
    Ok((version, topics))
}

fn read_string(reader: &mut Reader<'_>) -> Result<String, WireError> {
    let text = reader.nullable_string()?.ok_or(WireError::Invalid("a null string"))?;
    Ok(text.to_owned())
}

fn read_named(reader: &mut Reader<'_>) -> Result<Named, WireError> {
    let count = reader.array_count(TOPIC_BYTES_MIN)?.unwrap_or(0);
    let mut named = Named::new();
    for _ in 0..count {
        let topic = read_string(reader)?;
        let mut partitions = Vec::new();
        for _ in 0..reader.array_count(4)?.unwrap_or(0) {
            partitions.push(reader.i32()?);
        }
        named.push((topic, partitions));
    }
    Ok(named)
}

/// The partitions of an assignment; `None` if it is none, or if an assignor put more into it than
/// partitions, which a group without that assignor would lose. Nothing at all is no partitions.
pub(crate) fn assigned(assignment: &[u8]) -> Option<Named> {
    if assignment.is_empty() {
        return Some(Named::new());
    }
    let mut reader = Reader::new(assignment);
    let version = reader.i16().ok()?;
    if version < 0 {
        return None;
    }
    let named = read_named(&mut reader).ok()?;
    let user_data = reader.nullable_bytes().ok()?;
    user_data.is_none_or(<[u8]>::is_empty).then_some(named)
}

/// An assignment as consumers read it, in a version that they wrote themselves.
pub(crate) fn write_assignment(version: i16, named: &[(&str, Vec<i32>)]) -> Bytes {
    let mut writer = Writer::new();
    writer.i16(version);
    writer.array_count(Some(named.len()));
    for (topic, partitions) in named {
        writer.nullable_string(Some(topic));
        writer.array_count(Some(partitions.len()));
        for partition in partitions {
            writer.i32(*partition);
        }
    }
    // No user data.
    writer.nullable_bytes(None);
    Bytes::from(writer.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_from_a_subscription_and_from_nothing_else() {
        // Version 1, topics ["a", "bc"], no user data, no owned partitions.
        let bytes =
            [0, 1, 0, 0, 0, 2, 0, 1, b'a', 0, 2, b'b', b'c', 255, 255, 255, 255, 0, 0, 0, 0];
        assert_eq!(topics(&bytes), Some(vec!["a".to_owned(), "bc".to_owned()]));
        assert_eq!(topics(b""), None);
        assert_eq!(topics(&bytes[..9]), None);
        assert_eq!(topics(&[255, 255, 0, 0, 0, 0]), None);
        assert_eq!(topics(&[0, 0, 127, 0, 0, 0]), None);
    }

    #[test]
    fn a_subscription_tells_what_is_owned_and_where_its_member_stands() {
        // Version 3, topics ["a"], user data [9], owned a: [0, 2], generation 7, rack "r".
        let bytes = [
            0, 3, 0, 0, 0, 1, 0, 1, b'a', 0, 0, 0, 1, 9, 0, 0, 0, 1, 0, 1, b'a', 0, 0, 0, 2, 0, 0,
            0, 0, 0, 0, 0, 2, 0, 0, 0, 7, 0, 1, b'r',
        ];
        let wanted = Subscription {
            version: 3,
            topics: vec!["a".to_owned()],
            owned: vec![("a".to_owned(), vec![0, 2])],
            rack: Some("r".to_owned()),
        };
        assert_eq!(parse(&bytes), Some(wanted));
        assert_eq!(parse(&bytes[..20]), None);
    }

    #[test]
    fn an_assignment_is_read_as_it_was_written() {
        let bytes = write_assignment(1, &[("t", vec![3, 4]), ("u", vec![0])]);
        let wanted = vec![("t".to_owned(), vec![3, 4]), ("u".to_owned(), vec![0])];
        assert_eq!(assigned(&bytes), Some(wanted));
        assert_eq!(assigned(b""), Some(Vec::new()));
        assert_eq!(assigned(&bytes[..7]), None);
    }
}
