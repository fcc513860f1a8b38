//! Comparison of two trees field by field, and the list of differences that have a reason.

use anyhow::{Result, bail, ensure};
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

/// A difference that is meant: where it is, what each side says there, and why.
#[derive(Clone, Debug)]
pub struct Allowed {
    case: String,
    path: String,
    kafka: String,
    other: String,
    /// Why; the same is said in `docs/PROTOCOL.md`.
    pub reason: String,
}

impl Allowed {
    /// Whether it speaks of this case.
    pub fn names_case(&self, case: &str) -> bool {
        matches(&self.case, case)
    }

    /// Whether its cases are all of a group, whatever differs in each of them.
    pub fn is_of_a_whole_group(&self) -> bool {
        self.case.strip_suffix("/*").is_some_and(|group| !group.contains(['*', '#']))
    }

    fn covers(&self, case: &str, difference: &Difference) -> bool {
        self.names_case(case)
            && matches(&self.path, &difference.path)
            && matches(&self.kafka, &difference.kafka)
            && matches(&self.other, &difference.other)
    }
}

impl std::fmt::Display for Allowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { case, path, kafka, other, reason } = self;
        write!(f, "{case} | {path} | {kafka} > {other} | {reason}")
    }
}

/// Reads `allow.txt`: `case | path | Kafka's value > ours | reason`, all but the reason as patterns
/// with `*` for any text and `#` for digits.
pub fn allow_list(text: &str) -> Result<Vec<Allowed>> {
    let mut list = Vec::new();
    for line in text.lines() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let parts: Vec<&str> = line.splitn(4, '|').map(str::trim).collect();
        let values = parts.get(2).and_then(|values| values.split_once(" > "));
        let (Some((kafka, other)), [case, path, _, reason]) = (values, parts.as_slice()) else {
            bail!("not `case | path | kafka > here | reason`: {line}");
        };
        let [case, path, kafka, other, reason] =
            [*case, *path, kafka.trim(), other.trim(), *reason].map(str::to_owned);
        let entry = Allowed { case, path, kafka, other, reason };
        let texts = [&entry.case, &entry.path, &entry.kafka, &entry.other, &entry.reason];
        ensure!(texts.iter().all(|text| !text.is_empty()), "something is empty: {line}");
        ensure!(entry.path != "*", "a path of anything: {line}");
        list.push(entry);
    }
    Ok(list)
}

/// The entry of the list that covers this difference. Its position is what is used up.
pub fn allowed(list: &[Allowed], case: &str, difference: &Difference) -> Option<usize> {
    list.iter().position(|entry| entry.covers(case, difference))
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
    }

    #[test]
    fn an_entry_covers_one_field_with_these_values_and_nothing_beside_it() {
        let list = allow_list("a/v# | Topics.#.ErrorCode | -1 > 3 | why").expect("it is one");
        let found = |case: &str, path: &str, kafka: &str, other: &str| {
            let [path, kafka, other] = [path, kafka, other].map(str::to_owned);
            allowed(&list, case, &Difference { path, kafka, other }).is_some()
        };
        assert!(found("a/v3", "Topics.0.ErrorCode", "-1", "3"));
        assert!(!found("a/v3", "Topics.0.ErrorCode", "-1", "4"));
        assert!(!found("a/v3", "Topics.0.ErrorCode", "0", "3"));
        assert!(!found("a/v3", "Topics.0.Partition", "-1", "3"));
        assert!(!found("a/x", "Topics.0.ErrorCode", "-1", "3"));
        for wrong in ["a | b", "a | b | c | d", "a | b | > 1 | d", "a | * | 0 > 1 | d"] {
            assert!(allow_list(wrong).is_err(), "{wrong}");
        }
    }
}
