//! Comparison of two trees field by field, and the list of differences that have a reason.

use anyhow::{Result, ensure};
use serde_json::Value;

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where, for example `Topics.0.ErrorCode`.
    pub path: String,
    /// What Kafka answered; `absent` if the field is not there.
    pub kafka: String,
    /// What the broker under test answered.
    pub other: String,
}

/// All fields in which `other` differs from `kafka`.
pub fn differences(kafka: &Value, other: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk("", Some(kafka), Some(other), &mut found);
    found
}

fn walk(path: &str, kafka: Option<&Value>, other: Option<&Value>, found: &mut Vec<Difference>) {
    let below = |name: &str| {
        if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
    };
    match (kafka, other) {
        (Some(Value::Object(left)), Some(Value::Object(right))) => {
            for name in left.keys() {
                walk(&below(name), left.get(name), right.get(name), found);
            }
            for name in right.keys().filter(|name| !left.contains_key(*name)) {
                walk(&below(name), None, right.get(name), found);
            }
        }
        // Entries that have names are matched by them, so that one missing entry is one difference.
        (Some(Value::Array(left)), Some(Value::Array(right))) => match key_of(left, right) {
            Some(key) => {
                for item in left {
                    let name = item[key].to_string();
                    let twin = right.iter().find(|twin| twin[key] == item[key]);
                    walk(&below(name.trim_matches('"')), Some(item), twin, found);
                }
                for item in right {
                    if !left.iter().any(|twin| twin[key] == item[key]) {
                        let name = item[key].to_string();
                        walk(&below(name.trim_matches('"')), None, Some(item), found);
                    }
                }
            }
            None => {
                for index in 0..left.len().max(right.len()) {
                    let name = index.to_string();
                    walk(&below(&name), left.get(index), right.get(index), found);
                }
            }
        },
        (left, right) if left == right => {}
        (left, right) => found.push(Difference {
            path: path.to_owned(),
            kafka: shown(left),
            other: shown(right),
        }),
    }
}

/// The field by which entries of both lists can be told apart, if there is one.
fn key_of(left: &[Value], right: &[Value]) -> Option<&'static str> {
    ["ApiKey", "Name", "ResourceName", "PartitionIndex", "Index"].into_iter().find(|key| {
        [left, right].iter().all(|list| {
            let mut names: Vec<String> = list.iter().map(|item| item[*key].to_string()).collect();
            let all = !list.is_empty() && list.iter().all(|item| !item[*key].is_null());
            let count = names.len();
            names.sort();
            names.dedup();
            all && names.len() == count
        })
    })
}

fn shown(value: Option<&Value>) -> String {
    let text = value.map_or_else(|| "absent".to_owned(), Value::to_string);
    if text.chars().count() > 160 {
        text.chars().take(160).chain("…".chars()).collect()
    } else {
        text
    }
}

/// A difference that is meant.
#[derive(Clone, Debug)]
pub struct Allowed {
    case: String,
    path: String,
    /// Why; the same is said in `docs/PROTOCOL.md`.
    pub reason: String,
}

impl std::fmt::Display for Allowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} | {} | {}", self.case, self.path, self.reason)
    }
}

/// Reads `allow.txt`: `case pattern | path pattern | reason`, `*` for any text, `#` for digits.
pub fn allow_list(text: &str) -> Result<Vec<Allowed>> {
    let mut list = Vec::new();
    for line in text.lines() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let parts: Vec<&str> = line.splitn(3, '|').map(str::trim).collect();
        ensure!(
            parts.len() == 3 && parts.iter().all(|part| !part.is_empty()),
            "not `case | path | reason`: {line}"
        );
        list.push(Allowed {
            case: parts[0].to_owned(),
            path: parts[1].to_owned(),
            reason: parts[2].to_owned(),
        });
    }
    Ok(list)
}

/// The entry of the list that covers this difference. Its position is what is used up.
pub fn allowed(list: &[Allowed], case: &str, path: &str) -> Option<usize> {
    list.iter().position(|entry| matches(&entry.case, case) && matches(&entry.path, path))
}

fn matches(pattern: &str, text: &str) -> bool {
    let Some(at) = pattern.find(['*', '#']) else {
        return pattern == text;
    };
    let (head, tail) = (&pattern[..at], &pattern[at + 1..]);
    let Some(rest) = text.strip_prefix(head) else {
        return false;
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let lengths = if pattern[at..].starts_with('#') { 1..=digits } else { 0..=rest.len() };
    lengths
        .filter(|length| rest.is_char_boundary(*length))
        .any(|length| matches(tail, &rest[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_changed_field_and_a_missing_entry_are_each_one_difference() {
        let kafka = json!({ "Topics": [{ "Name": "a", "ErrorCode": 0 }, { "Name": "b" }] });
        let other = json!({ "Topics": [{ "Name": "a", "ErrorCode": 3 }] });
        let paths: Vec<String> =
            differences(&kafka, &other).into_iter().map(|difference| difference.path).collect();
        assert_eq!(paths, ["Topics.a.ErrorCode", "Topics.b"]);
    }

    #[test]
    fn patterns_match_as_a_whole() {
        assert!(matches("metadata/*", "metadata/all"));
        assert!(!matches("metadata", "metadata/all"));
        assert!(matches("Topics.*.Configs.*", "Topics.3.Configs.x.y"));
        assert!(matches("ApiKeys.#", "ApiKeys.36"));
        assert!(!matches("ApiKeys.#", "ApiKeys.36.MaxVersion"));
        assert!(allow_list("a | b").is_err());
    }
}
