//! Three small text files of Kafka's: `partition.metadata`, `meta.properties` and
//! `.kafka_cleanshutdown`.
//!
//! ```text
//!  partition.metadata          meta.properties                        .kafka_cleanshutdown
//!  version: 0                  #                                      {"version":"0","broker_epoch":"7"}
//!  topic_id: <22 characters>   version=1
//!                              cluster.id=…  node.id=…  directory.id=…  (one a line)
//! ```
//!
//! A folder whose files contradict the cluster's metadata is refused by the broker, not here: this
//! file only turns text into values and back. Keys that are not known are let be, as Kafka does.

use std::fmt::Write as _;

use millrace_wire::Uuid;

use crate::checkpoint_file::{TextError, number, utf8};

/// In a partition's folder: which topic it belongs to.
pub const PARTITION_METADATA_FILE: &str = "partition.metadata";
/// In a log folder: which cluster, node and folder it is.
pub const META_PROPERTIES_FILE: &str = "meta.properties";
/// In a log folder while no broker runs on it: the last one ended in order.
pub const CLEAN_SHUTDOWN_FILE: &str = ".kafka_cleanshutdown";

/// The text of `partition.metadata`, byte for byte as Kafka writes it: no newline at the end.
pub fn write_partition_metadata(topic_id: Uuid) -> String {
    format!("version: 0\ntopic_id: {topic_id}")
}

/// Reads `partition.metadata`. The id of no topic is refused.
pub fn read_partition_metadata(bytes: &[u8]) -> Result<Uuid, TextError> {
    let mut lines = utf8(bytes)?.lines();
    let version = lines.next().and_then(|text| text.strip_prefix("version:"));
    if version.map(str::trim) != Some("0") {
        return Err(TextError { line: 1, reason: "the version is not 0" });
    }
    let Some(text) = lines.next().and_then(|text| text.strip_prefix("topic_id:")) else {
        return Err(TextError { line: 2, reason: "the topic id is missing" });
    };
    let topic_id: Uuid = text
        .trim()
        .parse()
        .map_err(|_| TextError { line: 2, reason: "the topic id is not one" })?;
    if topic_id.is_zero() {
        return Err(TextError { line: 2, reason: "the topic id is the one of no topic" });
    }
    if lines.any(|text| !text.trim().is_empty()) {
        return Err(TextError { line: 3, reason: "there is more than version and topic id" });
    }
    Ok(topic_id)
}

/// What `meta.properties` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaProperties {
    /// The cluster that the folder belongs to.
    pub cluster_id: String,
    /// The node whose folder it is.
    pub node_id: i32,
    /// The folder itself; folders of Kafka before 3.7 have none.
    pub directory_id: Option<Uuid>,
}

/// The text of `meta.properties`, version 1.
pub fn write_meta_properties(properties: &MetaProperties) -> String {
    let mut text = String::from("#\nversion=1\n");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "cluster.id={}", escaped(&properties.cluster_id));
    let _ = writeln!(text, "node.id={}", properties.node_id);
    if let Some(directory_id) = properties.directory_id {
        let _ = writeln!(text, "directory.id={directory_id}");
    }
    text
}

/// Reads `meta.properties`, version 1. A later line with the same key counts.
pub fn read_meta_properties(bytes: &[u8]) -> Result<MetaProperties, TextError> {
    let text = utf8(bytes)?;
    let end = text.lines().count() + 1;
    let mut version = None;
    let mut cluster_id = None;
    let mut node_id = None;
    let mut directory_id = None;
    for (line, text) in (1..).zip(text.lines()) {
        let Some((key, value)) = property(line, text)? else { continue };
        match key.as_str() {
            "version" => version = Some((line, value)),
            "cluster.id" => cluster_id = Some(value),
            "node.id" => {
                node_id = Some(number(line, &value, "node.id is not a number")?);
            }
            "directory.id" => {
                let reason = "directory.id is not an id";
                let id: Uuid = value.parse().map_err(|_| TextError { line, reason })?;
                directory_id = Some(id);
            }
            _ => {}
        }
    }
    match version {
        Some((_, version)) if version == "1" => {}
        Some((line, _)) => return Err(TextError { line, reason: "the version is not 1" }),
        None => return Err(TextError { line: end, reason: "the version is missing" }),
    }
    Ok(MetaProperties {
        cluster_id: cluster_id.ok_or(TextError { line: end, reason: "cluster.id is missing" })?,
        node_id: node_id.ok_or(TextError { line: end, reason: "node.id is missing" })?,
        directory_id,
    })
}

/// A line of a Java properties file as key and value; `None` for blanks and comments.
fn property(line: usize, text: &str) -> Result<Option<(String, String)>, TextError> {
    let text = text.trim_start();
    if text.is_empty() || text.starts_with(['#', '!']) {
        return Ok(None);
    }
    let mut key = String::new();
    let mut characters = text.chars();
    let mut ended_by = None;
    while let Some(character) = characters.next() {
        match character {
            '\\' => key.push(unescaped(line, &mut characters)?),
            '=' | ':' | ' ' | '\t' | '\u{c}' => {
                ended_by = Some(character);
                break;
            }
            _ => key.push(character),
        }
    }
    let mut rest = characters.as_str().trim_start();
    if !matches!(ended_by, Some('=' | ':')) {
        // A blank ended the key; the separator may still follow, or be left out.
        rest = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start();
    }
    let mut value = String::new();
    let mut characters = rest.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => value.push(unescaped(line, &mut characters)?),
            _ => value.push(character),
        }
    }
    Ok(Some((key, value)))
}

/// The character behind a backslash.
fn unescaped(line: usize, rest: &mut std::str::Chars<'_>) -> Result<char, TextError> {
    let reason = "an escape is not finished";
    match rest.next().ok_or(TextError { line, reason })? {
        't' => Ok('\t'),
        'n' => Ok('\n'),
        'r' => Ok('\r'),
        'f' => Ok('\u{c}'),
        'u' => {
            let mut code = 0;
            for _ in 0..4 {
                let digit = rest.next().and_then(|digit| digit.to_digit(16));
                code = code * 16 + digit.ok_or(TextError { line, reason })?;
            }
            char::from_u32(code).ok_or(TextError { line, reason: "an escape is no character" })
        }
        other => Ok(other),
    }
}

/// A value as Java writes it: what would read as something else gets a backslash.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for (index, character) in value.chars().enumerate() {
        match character {
            '\\' | '=' | ':' | '#' | '!' => text.extend(['\\', character]),
            ' ' if index == 0 => text.push_str("\\ "),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='~' => text.push(character),
            _ => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    let _ = write!(text, "\\u{unit:04X}");
                }
            }
        }
    }
    text
}

/// The text of `.kafka_cleanshutdown`, version 0. Kafka writes both values as strings.
///
/// - `broker_epoch`: of the registration that ended; -1 if there was none.
pub fn write_clean_shutdown(broker_epoch: i64) -> String {
    format!(r#"{{"version":"0","broker_epoch":"{broker_epoch}"}}"#)
}

/// The broker epoch in `.kafka_cleanshutdown`; -1 if it holds none.
///
/// That the file exists is what counts. Kafka before 3.8 leaves it empty, and whatever cannot be
/// read is `None` and no error: the stop was clean all the same.
pub fn read_clean_shutdown(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let mut rest = text.strip_prefix('{')?.strip_suffix('}')?.trim();
    let mut broker_epoch = -1;
    while !rest.is_empty() {
        let (key, behind) = json_scalar(rest)?;
        let (value, behind) = json_scalar(behind.trim_start().strip_prefix(':')?.trim_start())?;
        if key == "broker_epoch" {
            broker_epoch = value.parse().ok()?;
        }
        let behind = behind.trim_start();
        rest = match behind.strip_prefix(',') {
            Some(behind) => behind.trim_start(),
            None if behind.is_empty() => behind,
            None => return None,
        };
    }
    Some(broker_epoch)
}

/// A JSON string without escapes, or a number, and what follows it.
fn json_scalar(text: &str) -> Option<(&str, &str)> {
    if let Some(inside) = text.strip_prefix('"') {
        let (value, behind) = inside.split_once('"')?;
        return (!value.contains('\\')).then_some((value, behind));
    }
    let end = text
        .find(|character: char| !character.is_ascii_digit() && character != '-')
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn partition_metadata_has_kafkas_text() {
        let text = write_partition_metadata(Uuid(1));
        assert_eq!(text, "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!(read_partition_metadata(text.as_bytes()), Ok(Uuid(1)));
        assert_eq!(read_partition_metadata(format!("{text}\n").as_bytes()), Ok(Uuid(1)));
        for (text, line) in [
            ("", 1),
            ("version: 1\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ", 1),
            ("topic_id: AAAAAAAAAAAAAAAAAAAAAQ", 1),
            ("version: 0\n", 2),
            ("version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAA", 2),
            ("version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA", 2),
            ("version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ\nmore", 3),
        ] {
            let seen = read_partition_metadata(text.as_bytes()).map_err(|error| error.line);
            assert_eq!(seen, Err(line), "{text:?}");
        }
    }

    #[test]
    fn meta_properties_as_kafkas_formatter_writes_them_are_read() {
        let text = b"#\n#Thu Jan 01 00:00:00 UTC 2026\ncluster.id=MkU3OEVBNTcwNTJENDM2Qg\n\
            directory.id=AAAAAAAAAAAAAAAAAAAAAQ\nnode.id=1\nversion=1\nother.key=x\n";
        let properties = MetaProperties {
            cluster_id: "MkU3OEVBNTcwNTJENDM2Qg".to_owned(),
            node_id: 1,
            directory_id: Some(Uuid(1)),
        };
        assert_eq!(read_meta_properties(text), Ok(properties));
        let spaced = b"version = 1\n cluster.id : a\\=b\nnode.id 7\n";
        let properties =
            MetaProperties { cluster_id: "a=b".to_owned(), node_id: 7, directory_id: None };
        assert_eq!(read_meta_properties(spaced), Ok(properties));
    }

    #[test]
    fn incomplete_meta_properties_are_refused_with_the_line() {
        for (text, line) in [
            ("", 1),
            ("version=0\nbroker.id=1\n", 1),
            ("version=1\nnode.id=1\n", 3),
            ("version=1\ncluster.id=a\n", 3),
            ("version=1\ncluster.id=a\nnode.id=one\n", 3),
            ("version=1\ncluster.id=a\nnode.id=1\ndirectory.id=short\n", 4),
            ("cluster.id=a\\", 1),
            ("cluster.id=\\u00g0", 1),
        ] {
            let seen = read_meta_properties(text.as_bytes()).map_err(|error| error.line);
            assert_eq!(seen, Err(line), "{text:?}");
        }
    }

    #[test]
    fn the_clean_shutdown_marker_has_kafkas_text() {
        assert_eq!(write_clean_shutdown(7), r#"{"version":"0","broker_epoch":"7"}"#);
        assert_eq!(read_clean_shutdown(write_clean_shutdown(-1).as_bytes()), Some(-1));
        assert_eq!(read_clean_shutdown(br#"{"broker_epoch":"12","version":"0"}"#), Some(12));
        assert_eq!(read_clean_shutdown(br#" { "version" : 0 , "broker_epoch" : 12 } "#), Some(12));
        assert_eq!(read_clean_shutdown(br#"{"version":"0"}"#), Some(-1));
        for text in ["", "{", r#"{"broker_epoch":"x"}"#, r#"{"a":"b" "c":"d"}"#, "[1]"] {
            assert_eq!(read_clean_shutdown(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn meta_properties_round_trip(
            cluster_id in "[ -~\\t\\n\\r\u{c}é水]{0,20}",
            node_id in any::<i32>(),
            directory_id in proptest::option::of(any::<u128>().prop_map(Uuid)),
        ) {
            let properties = MetaProperties { cluster_id, node_id, directory_id };
            let text = write_meta_properties(&properties);
            prop_assert_eq!(read_meta_properties(text.as_bytes()), Ok(properties), "{}", text);
        }

        #[test]
        fn no_bytes_make_reading_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..100),
            text in "[ =:\\\\a-c\"{},\n]{0,60}",
        ) {
            for bytes in [&bytes[..], text.as_bytes()] {
                let _ = read_partition_metadata(bytes);
                let _ = read_meta_properties(bytes);
                let _ = read_clean_shutdown(bytes);
            }
        }
    }
}
