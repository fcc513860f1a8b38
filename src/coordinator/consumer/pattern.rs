//! Regular expressions that members subscribe to, matched against whole topic names.
//!
//! The language is RE2's, as far as the `regex` crate speaks it: both match in time linear in the
//! text. `\Q…\E`, which that crate lacks, is written out. It takes a few more: `a**`, and sets
//! within sets. Source: KIP-848, RE2's syntax page.

use std::collections::BTreeSet;

use millrace_replication::Image;
use regex::{Regex, RegexBuilder};

/// Most bytes that one compiled expression may take: it lives only while it is matched, but a
/// member must not be able to make the broker build a huge one.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// Whether an expression can be compiled.
pub(crate) fn is_valid(expression: &str) -> bool {
    compile(expression).is_some()
}

/// The topics that each of the expressions stands for; none for one that cannot be compiled.
pub(crate) fn topics(expression: &str, image: &Image) -> BTreeSet<String> {
    let Some(regex) = compile(expression) else { return BTreeSet::new() };
    let names = image.topics().map(|topic| topic.name.as_ref());
    names.filter(|name| regex.is_match(name)).map(str::to_owned).collect()
}

/// The expression, to match whole names only.
fn compile(expression: &str) -> Option<Regex> {
    let expression = without_quotes(expression);
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
            ("", "t", false),
        ] {
            assert_eq!(matches(expression, name), does, "{expression} and {name}");
        }
    }

    #[test]
    fn what_re2_refuses_is_refused() {
        for wrong in ["(", "a)(b", "*a", "[z-a]", "\\", "(?=a)", "(a)\\1", "a{1001}{1001}{9}"] {
            assert!(!is_valid(wrong), "{wrong}");
        }
    }
}
