//! Java's `.properties` syntax, as a KRaft node's `server.properties` is written in.
//!
//! Source: `java.util.Properties.load` (documented behaviour): comments `#` and `!`, separators
//! `=`, `:` or white space, backslash escapes, lines continued by a backslash at their end.

/// One key and its value, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The key, escapes resolved.
    pub key: String,
    /// The value, escapes resolved; white space at its end is kept.
    pub value: String,
    /// Line of the file that the key stands on, from 1.
    pub line: usize,
}

/// A `\u` escape without four hex digits behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadEscape {
    /// Line of the file, from 1.
    pub line: usize,
}

/// Reads all properties in order; of a key that stands twice the caller takes the later.
pub fn parse(text: &str) -> Result<Vec<Property>, BadEscape> {
    let mut properties = Vec::new();
    let normal = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = normal.split('\n').zip(1..);
    while let Some((first, line)) = lines.next() {
        let first = first.trim_start_matches(is_blank);
        if first.is_empty() || first.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = first.to_owned();
        while ends_in_open_backslash(&logical) {
            logical.pop();
            match lines.next() {
                Some((more, _)) => logical.push_str(more.trim_start_matches(is_blank)),
                None => break,
            }
        }
        let (key, value) = split_key(&logical);
        properties.push(Property {
            key: unescape(key).ok_or(BadEscape { line })?,
            value: unescape(value).ok_or(BadEscape { line })?,
            line,
        });
    }
    Ok(properties)
}

const fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\x0c')
}

fn ends_in_open_backslash(line: &str) -> bool {
    let backslashes = line.chars().rev().take_while(|character| *character == '\\').count();
    backslashes % 2 == 1
}

/// Splits at the first separator that no backslash stands before; neither side holds it.
fn split_key(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, character) in line.char_indices() {
        if escaped {
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if is_blank(character) || matches!(character, '=' | ':') {
            let rest = line[at..].trim_start_matches(is_blank);
            let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
            return (&line[..at], rest.trim_start_matches(is_blank));
        }
    }
    (line, "")
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    let mut units: Vec<u16> = Vec::new();
    while let Some(character) = characters.next() {
        let next = if character == '\\' { characters.next() } else { None };
        if next == Some('u') {
            let digits: String = characters.by_ref().take(4).collect();
            if digits.len() != 4 {
                return None;
            }
            units.push(u16::from_str_radix(&digits, 16).ok()?);
            continue;
        }
        flush_units(&mut units, &mut out);
        match (character, next) {
            ('\\', None) => {}
            ('\\', Some('t')) => out.push('\t'),
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('r')) => out.push('\r'),
            ('\\', Some('f')) => out.push('\x0c'),
            ('\\', Some(other)) => out.push(other),
            (plain, _) => out.push(plain),
        }
    }
    flush_units(&mut units, &mut out);
    Some(out)
}

/// Java escapes are UTF-16: two of them may make one character.
fn flush_units(units: &mut Vec<u16>, out: &mut String) {
    if !units.is_empty() {
        out.push_str(&String::from_utf16_lossy(units));
        units.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let properties = parse(text).unwrap();
        properties.into_iter().map(|one| (one.key, one.value)).collect()
    }

    fn one(text: &str) -> (String, String) {
        pairs(text).remove(0)
    }

    #[test]
    fn each_separator_and_the_white_space_around_it_parts_key_from_value() {
        for line in ["a=b", "a:b", "a b", "  a = b", "a\t:\tb", "a  b", "a =b"] {
            assert_eq!(one(line), ("a".into(), "b".into()), "{line:?}");
        }
        assert_eq!(one("a = = b"), ("a".into(), "= b".into()));
        assert_eq!(one("a"), ("a".into(), String::new()));
        assert_eq!(one("a= b "), ("a".into(), "b ".into()));
    }

    #[test]
    fn comments_and_empty_lines_say_nothing() {
        assert_eq!(pairs("# a=b\n\n  ! c=d\r\n\t\ne=f"), [("e".into(), "f".into())]);
        assert_eq!(one("a=b # c"), ("a".into(), "b # c".into()));
    }

    #[test]
    fn a_backslash_at_the_end_continues_the_line_and_two_do_not() {
        assert_eq!(one("a=b,\\\n   c,\\\r\n\td"), ("a".into(), "b,c,d".into()));
        assert_eq!(pairs("a=b\\\\\nc=d").len(), 2);
        assert_eq!(one("a=b\\"), ("a".into(), "b".into()));
    }

    #[test]
    fn escapes_resolve_on_both_sides() {
        assert_eq!(one(r"a\=b\:c\ d=e"), ("a=b:c d".into(), "e".into()));
        assert_eq!(one(r"a=\t\u00e4\ud83d\ude00\q"), ("a".into(), "\tä😀q".into()));
        assert_eq!(parse("a=1\nb=\\u00g0"), Err(BadEscape { line: 2 }));
    }

    #[test]
    fn a_property_knows_its_line() {
        let lines: Vec<_> = parse("a=1\\\n2\n\nb=3").unwrap().iter().map(|one| one.line).collect();
        assert_eq!(lines, [1, 4]);
    }
}
