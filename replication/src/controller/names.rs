//! What a topic may be called. Source: Kafka's `Topic` class (behaviour), KIP-3.

/// The longest topic name: with `-` and a partition's digits it still is a file name.
pub const TOPIC_NAME_CHARS_MAX: usize = 249;

/// The metadata log's own name; never a topic that someone creates.
pub const CLUSTER_METADATA_TOPIC: &str = "__cluster_metadata";

/// Checks a name by itself; the error says what is wrong with it.
pub fn topic_name_check(name: &str) -> Result<(), String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if name.is_empty() {
        Err("a topic name must not be empty".to_owned())
    } else if name == "." || name == ".." {
        Err(format!("a topic must not be called '{name}'"))
    } else if name.len() > TOPIC_NAME_CHARS_MAX {
        Err(format!(
            "a topic name has at most {TOPIC_NAME_CHARS_MAX} characters, this one has {}",
            name.len()
        ))
    } else if !name.bytes().all(legal) {
        Err(format!(
            "topic name '{name}' holds a character other than ASCII letters, digits, '.', '_', '-'"
        ))
    } else {
        Ok(())
    }
}

/// The name as metrics know it: two names that agree in this may not both exist.
pub(super) fn collision_key(name: &str) -> String {
    name.replace('.', "_")
}

/// True for the names whose topics the broker itself keeps.
pub fn is_internal_topic(name: &str) -> bool {
    matches!(name, "__consumer_offsets" | "__transaction_state" | "__share_group_state")
}
