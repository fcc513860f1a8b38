//! What a command prints: tables for people, JSON for programs.

use std::io::{self, Write};

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::Value;

use super::error::CliError;

/// Standard output, and in which form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    is_json: bool,
}

impl Output {
    /// Prints JSON, or tables.
    pub(crate) const fn new(is_json: bool) -> Self {
        Self { is_json }
    }

    /// True where programs read.
    pub(crate) const fn is_json(self) -> bool {
        self.is_json
    }

    /// `value` for programs, `text` for people.
    pub(crate) fn either(self, value: &Value, text: &str) -> Result<(), CliError> {
        if self.is_json { json(value) } else { line(text) }
    }

    /// Rows under their names: an array of objects, or a table. `note` stands for an empty table.
    pub(crate) fn rows(
        self,
        names: &[&str],
        rows: Vec<Vec<Value>>,
        note: &str,
    ) -> Result<(), CliError> {
        if self.is_json {
            return json(&objects(names, rows));
        }
        if rows.is_empty() {
            return line(note);
        }
        line(&table(names, &rows))
    }
}

/// Prints one line of text.
pub(crate) fn line(text: &str) -> Result<(), CliError> {
    raw(format!("{text}\n").as_bytes())
}

/// Tells a person something beside the output.
pub(crate) fn warn(text: &str) {
    // Nobody is left to be told when this fails.
    let _ = writeln!(io::stderr(), "warning: {text}");
}

/// Prints bytes as they are.
pub(crate) fn raw(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| CliError::output(&error))
}

/// Prints a value, over several lines.
pub(crate) fn json(value: &Value) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    line(&text)
}

/// Rows as an array of objects.
pub(crate) fn objects(names: &[&str], rows: Vec<Vec<Value>>) -> Value {
    let object = |row: Vec<Value>| {
        Value::Object(names.iter().map(|name| (*name).to_owned()).zip(row).collect())
    };
    rows.into_iter().map(object).collect()
}

/// Rows as text, the names on top in capitals.
pub(crate) fn table(names: &[&str], rows: &[Vec<Value>]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(names.iter().map(|name| name.replace('_', " ").to_uppercase()));
    for row in rows {
        table.add_row(row.iter().map(cell));
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect::<String>()
        .trim_end()
        .into()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(","),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// A count with thin groups: 1,234,567.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn counts_are_grouped_from_the_right() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn a_table_says_what_the_json_says() {
        let rows = vec![vec![json!("a"), json!(null), json!([1, 2])]];
        let text = table(&["name", "log_end", "isr"], &rows);
        let words: Vec<Vec<&str>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(words, [vec!["NAME", "LOG", "END", "ISR"], vec!["a", "-", "1,2"]]);
        let value = objects(&["name", "log_end", "isr"], rows);
        assert_eq!(value, json!([{"name": "a", "log_end": null, "isr": [1, 2]}]));
    }
}
