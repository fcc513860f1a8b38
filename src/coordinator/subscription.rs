//! The one thing a coordinator reads in a member's opaque metadata: which topics it subscribes to.
//!
//! Only for the protocol type `consumer`, to know which offsets are still in use. Anything that
//! does not parse means "unknown", never an error. Source: Kafka's `ConsumerProtocolSubscription`.

use millrace_wire::Reader;

/// The protocol type of consumers; that of others is opaque through and through.
pub(super) const CONSUMER: &str = "consumer";

/// The topics of a subscription; `None` if it is none.
pub(super) fn topics(metadata: &[u8]) -> Option<Vec<String>> {
    let mut reader = Reader::new(metadata);
    let version = reader.i16().ok()?;
    if version < 0 {
        return None;
    }
    let count = reader.array_count(2).ok()??;
    let mut topics = Vec::new();
    for _ in 0..count {
        topics.push(reader.nullable_string().ok()??.to_owned());
    }
    Some(topics)
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
}
