//! Regular expressions that members subscribe to, matched against whole topic names.
//!
//! The language is RE2's, as far as the `regex` crate speaks it: both match in time linear in the
//! text. `\Q…\E`, which that crate lacks, is written out. What that crate takes and RE2 does
//! not is refused, but for sets within sets. Source: KIP-848, RE2's syntax page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use millrace_replication::Image;
use regex::{Regex, RegexBuilder};

/// Most bytes that one compiled expression may take: it lives only while it is matched, but a
/// member must not be able to make the broker build a huge one.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// Most bytes of an expression: parsing one takes about as long as it is, on the shard's thread. A
/// record's key could hold 32,767; Kafka takes as many.
const EXPRESSION_BYTES_MAX: usize = 8 << 10;

/// Expressions that are to be matched against all topics. With thousands of both that takes too long
/// for a turn of a shard: whoever runs the coordinator has it computed elsewhere.
#[derive(Clone, Debug)]
pub struct Resolving {
    pub(crate) expressions: BTreeSet<String>,
    pub(crate) image: Arc<Image>,
}

/// What expressions stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    pub(crate) topics: BTreeMap<String, BTreeSet<String>>,
    /// The image's whose topics they were matched against.
    pub(crate) image_offset: i64,
}

impl PartialEq for Resolving {
    fn eq(&self, other: &Self) -> bool {
        self.expressions == other.expressions && self.image.offset() == other.image.offset()
    }
}

/// Does it.
pub fn resolve(asked: Resolving) -> Resolved {
    let Resolving { expressions, image } = asked;
    let each = expressions.into_iter().map(|expression| {
        let topics = topics(&expression, &image);
        (expression, topics)
    });
    Resolved { topics: each.collect(), image_offset: image.offset() }
}

/// Whether an expression can be compiled.
pub(crate) fn is_valid(expression: &str) -> bool {
    expression.len() <= EXPRESSION_BYTES_MAX && compile(expression).is_some()
}

/// The topics that an expression stands for; none for one that cannot be compiled.
fn topics(expression: &str, image: &Image) -> BTreeSet<String> {
    let Some(regex) = compile(expression) else { return BTreeSet::new() };
    let names = image.topics().map(|topic| topic.name.as_ref());
    names.filter(|name| regex.is_match(name)).map(str::to_owned).collect()
}

/// RE2's bound on the counts of a repetition.
const REPEATS_MAX: u32 = 1_000;

/// Whether repetitions are such as RE2 takes: none of another one, and none of too many.
fn repeats_as_re2(expression: &str) -> bool {
    let mut rest = expression.chars().peekable();
    let (mut is_class, mut repeats) = (false, false);
    while let Some(next) = rest.next() {
        let is_repetition = match next {
            '\\' => {
                rest.next();
                false
            }
            '[' if !is_class => {
                is_class = true;
                rest.next_if_eq(&'^');
                rest.next_if_eq(&']');
                false
            }
            ']' => {
                is_class = false;
                false
            }
            '*' | '+' | '?' => !is_class,
            '{' if !is_class => {
                let ahead: String = rest.clone().take_while(|it| *it != '}').collect();
                let mut counts = ahead.split(',').filter(|it| !it.is_empty());
                let is_count = |it: &str| it.bytes().all(|byte| byte.is_ascii_digit());
                let is_counted = !ahead.is_empty() && counts.clone().all(is_count);
                if is_counted {
                    if counts.any(|it| it.parse().is_ok_and(|it: u32| it > REPEATS_MAX)) {
                        return false;
                    }
                    rest.find(|it| *it == '}');
                }
                is_counted
            }
            _ => false,
        };
        if is_repetition && repeats {
            return false;
        }
        if is_repetition || (next == '(' && !is_class) {
            // A question mark behind a repetition makes it lazy; one behind a parenthesis says
            // what kind of group it is.
            rest.next_if_eq(&'?');
        }
        repeats = is_repetition;
    }
    true
}

/// The expression, to match whole names only.
fn compile(expression: &str) -> Option<Regex> {
    let expression = without_quotes(expression);
    if !repeats_as_re2(&expression) {
        return None;
    }
    let build = |text: &str| RegexBuilder::new(text).size_limit(COMPILED_BYTES_MAX).build().ok();
    // What is wrong alone must not become right within parentheses: `a)|(b`.
    build(&expression)?;
    build(&format!("\\A(?:{expression})\\z"))
}

/// Writes `\Q…\E` out.
fn without_quotes(expression: &str) -> String {
    let mut out = String::with_capacity(expression.len());
    let mut rest = expression;
    while let Some(at) = quote_start(rest) {
        let quoted = &rest[at + 2..];
        let (quoted, next) = quoted.split_once("\\E").unwrap_or((quoted, ""));
        out.push_str(&rest[..at]);
        out.push_str(&regex::escape(quoted));
        rest = next;
    }
    out.push_str(rest);
    out
}

/// Where `\Q` stands whose backslash is not escaped itself.
fn quote_start(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        if byte == b'\\' && matches!(bytes.next(), Some((_, b'Q'))) {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(expression: &str, name: &str) -> bool {
        compile(expression).is_some_and(|regex| regex.is_match(name))
    }

    #[test]
    fn whole_names_match_and_parts_do_not() {
        for (expression, name, does) in [
            ("t", "t", true),
            ("t", "tt", false),
            ("t.*", "t-1", true),
            ("a|b", "b", true),
            ("a|b", "ab", false),
            ("(?i)ORDERS", "orders", true),
            ("[[:alpha:]]+-\\d{2}", "ab-12", true),
            ("\\Qa.b\\E.*", "a.bc", true),
            ("\\Qa.b\\E.*", "axbc", false),
            ("\\\\Q", "Q", false),
            ("^t$", "t", true),
            ("a??b{2}?[*+{3}]*?", "abb*+", true),
            ("(?P<n>a)(?:b)*(?i)C?", "abbc", true),
            ("", "t", false),
        ] {
            assert_eq!(matches(expression, name), does, "{expression} and {name}");
        }
    }

    #[test]
    fn an_expression_of_many_kilobytes_is_refused() {
        assert!(is_valid(&"a".repeat(EXPRESSION_BYTES_MAX)));
        assert!(!is_valid(&"a".repeat(EXPRESSION_BYTES_MAX + 1)));
    }

    #[test]
    fn what_re2_refuses_is_refused() {
        for wrong in [
            "(",
            "a)(b",
            "*a",
            "a**",
            "a+*",
            "a{2}*",
            "a???",
            "a{1001}",
            "a{1,1001}",
            "[z-a]",
            "\\",
            "(?=a)",
            "(a)\\1",
            "a{1001}{1001}{9}",
        ] {
            assert!(!is_valid(wrong), "{wrong}");
        }
    }
}
