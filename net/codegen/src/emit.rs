//! Rust for one schema file.
//!
//! The code is plain on purpose: structs, one reading and one writing function each, all shared
//! work in `millrace_wire::field`. It is laid out as rustfmt would where that is easy.

use crate::schema::{FIXED, Field, Kind, Schema, Struct, Type, Versions};
use std::fmt::Write as _;

/// The Rust of `schema`; `source` is the schema's path from the repository's top, for the header.
pub(crate) fn rust(schema: &Schema, source: &str) -> String {
    let mut body = String::new();
    for message in &schema.messages {
        structure(&mut body, schema, message);
        message_impl(&mut body, schema, message);
    }
    for inner in &schema.structs {
        structure(&mut body, schema, inner);
        struct_impl(&mut body, schema, inner);
    }
    if let Kind::Api(_) = schema.kind {
        for message in &schema.messages {
            trait_impls(&mut body, schema, message);
        }
    }
    header(schema, source, &body) + &body
}

fn header(schema: &Schema, source: &str, body: &str) -> String {
    let Versions { min, max } = schema.versions;
    let mut out = format!("//! {}, versions {min} to {max}.\n//!\n", schema.name);
    let _ = writeln!(out, "//! {}", schema.about);
    let _ =
        writeln!(out, "//! Generated from `{source}` by millrace-codegen; not edited by hand.\n");
    out.push_str(
        "#![allow(\n    clippy::derivable_impls,\n    clippy::field_reassign_with_default,\n",
    );
    out.push_str(
        "    clippy::single_match,\n    clippy::single_match_else,\n    clippy::too_many_lines,\n",
    );
    out.push_str("    reason = \"generated: one shape for every message\"\n)]\n\n");
    if matches!(schema.kind, Kind::Api(_)) {
        out.push_str("use crate::api_key::ApiKey;\nuse crate::message::{Message, Request};\n");
    }
    if body.contains("Bytes>") || body.contains(": Bytes") {
        out.push_str("use bytes::Bytes;\n");
    }
    let mut names = Vec::new();
    for (needle, name) in [("Reader", "Reader"), ("Uuid", "Uuid"), ("WireError", "WireError")] {
        if body.contains(needle) {
            names.push(name);
        }
    }
    names.push("Writer");
    if body.contains("Form::") {
        out.push_str("use millrace_wire::field::Form;\n");
    }
    if body.contains("field::") {
        names.push("field");
    }
    let _ = writeln!(out, "use millrace_wire::{{{}}};", names.join(", "));
    out
}

/// The struct itself and its default.
fn structure(out: &mut String, schema: &Schema, item: &Struct) {
    let message = schema.messages.iter().any(|message| message.name == item.name);
    let what = match (&schema.kind, message) {
        (Kind::Api(_), true) => schema.about.clone(),
        (Kind::Record(_), true) => schema.about.clone(),
        (_, false) => format!("Part of {}{}.", schema.name, range(item.versions, schema.versions)),
    };
    let _ = write!(out, "\n/// {what}\n#[derive(Clone, Debug, PartialEq)]\n");
    if item.fields.is_empty() {
        let _ = writeln!(out, "pub struct {} {{}}", item.name);
    } else {
        let _ = writeln!(out, "pub struct {} {{", item.name);
        for field in &item.fields {
            let _ = writeln!(out, "    /// {}", describe(field, item));
            let _ = writeln!(out, "    pub {}: {},", ident(field), rust_type(field));
        }
        out.push_str("}\n");
    }
    let _ = writeln!(out, "\nimpl Default for {} {{\n    fn default() -> Self {{", item.name);
    if item.fields.is_empty() {
        out.push_str("        Self {}\n    }\n}\n");
        return;
    }
    out.push_str("        Self {\n");
    for field in &item.fields {
        let _ = writeln!(out, "            {}: {},", ident(field), default(field));
    }
    out.push_str("        }\n    }\n}\n");
}

fn describe(field: &Field, item: &Struct) -> String {
    let mut text = field.note.clone().unwrap_or_default();
    if !text.is_empty() {
        text.push(' ');
    }
    let Versions { min, max } = field.versions;
    if field.versions == item.versions {
        text.push_str("All versions");
    } else if min == max {
        let _ = write!(text, "Version {min}");
    } else {
        let _ = write!(text, "Versions {min} to {max}");
    }
    match field.null {
        Some(null) if null == field.versions => text.push_str("; may be null"),
        Some(null) => {
            let _ = write!(text, "; may be null from version {}", null.min);
        }
        None => {}
    }
    if let Some(tag) = field.tag {
        let _ = write!(text, "; tag {tag}");
    }
    if let Some(default) = &field.default {
        let _ = write!(text, "; `{default}` unless stated");
    }
    text + "."
}

fn range(versions: Versions, outer: Versions) -> String {
    if versions == outer {
        String::new()
    } else if versions.min == versions.max {
        format!(", version {}", versions.min)
    } else {
        format!(", versions {} to {}", versions.min, versions.max)
    }
}

fn ident(field: &Field) -> String {
    match field.name.as_str() {
        name @ ("type" | "match") => format!("r#{name}"),
        name => name.to_owned(),
    }
}

fn plain_type(kind: &Type) -> String {
    match kind {
        Type::Fixed("uuid") => "Uuid".to_owned(),
        Type::Fixed(name) => (*name).to_owned(),
        Type::Text => "String".to_owned(),
        Type::Bytes => "Bytes".to_owned(),
        Type::Struct(name) => name.clone(),
        Type::Array(inner) => format!("Vec<{}>", plain_type(inner)),
    }
}

fn rust_type(field: &Field) -> String {
    let plain = plain_type(&field.kind);
    match field.null {
        Some(_) => format!("Option<{plain}>"),
        None => plain,
    }
}

fn default(field: &Field) -> String {
    let value = match (&field.kind, field.default.as_deref()) {
        (_, Some("null")) => return "None".to_owned(),
        (Type::Fixed("bool"), text) => text.unwrap_or("false").to_owned(),
        (Type::Fixed("f64"), text) => text.unwrap_or("0.0").to_owned(),
        (Type::Fixed("uuid"), _) => "Uuid::ZERO".to_owned(),
        (Type::Fixed(width), text) => number(width, text.unwrap_or("0")),
        (Type::Text, None) => "String::new()".to_owned(),
        (Type::Text, Some(text)) => format!("\"{text}\".to_owned()"),
        (Type::Bytes, _) => "Bytes::new()".to_owned(),
        (Type::Struct(name), _) => format!("{name}::default()"),
        (Type::Array(_), _) => "Vec::new()".to_owned(),
    };
    match field.null {
        Some(_) => format!("Some({value})"),
        None => value,
    }
}

/// A number with its digits grouped, or the name of its type's bound.
fn number(width: &str, text: &str) -> String {
    for (value, name) in
        [(i64::from(i32::MAX), "MAX"), (i64::from(i32::MIN), "MIN"), (i64::MAX, "MAX")]
    {
        let bound = (width == "i64") == (value == i64::MAX);
        if bound && text == value.to_string() {
            return format!("{width}::{name}");
        }
    }
    let digits = text.trim_start_matches('-');
    let mut out = text[..text.len() - digits.len()].to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

/// How a struct of these versions writes lengths.
fn form(schema: &Schema, item: &Struct) -> &'static str {
    match schema.flexible {
        Some(first) if first <= item.versions.min => "Form::Compact",
        Some(first) if first <= item.versions.max => "form",
        _ => "Form::Classic",
    }
}

/// The test for `inner` where `outer` is known to hold; `None` if it always holds.
fn condition(inner: Versions, outer: Versions) -> Option<String> {
    let (low, high) = (inner.min > outer.min, inner.max < outer.max);
    match (low, high) {
        (false, false) => None,
        _ if inner.min == inner.max => Some(format!("version == {}", inner.min)),
        (true, false) => Some(format!("version >= {}", inner.min)),
        (false, true) => Some(format!("version <= {}", inner.max)),
        (true, true) => Some(format!("({}..={}).contains(&version)", inner.min, inner.max)),
    }
}

/// Reading and writing of a message: version constants, checks, and the body.
fn message_impl(out: &mut String, schema: &Schema, item: &Struct) {
    let Versions { min, max } = schema.versions;
    let flexible = schema.flexible.unwrap_or(i16::MAX);
    let flexible = number("i16", &flexible.to_string());
    let _ = write!(out, "\nimpl {} {{\n", item.name);
    if let Kind::Record(Some(id)) = schema.kind {
        let _ = writeln!(out, "    /// The record's type number.\n    pub const TYPE: i16 = {id};");
    }
    let _ = write!(
        out,
        "    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = {min};
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = {max};
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = {flexible};

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {{
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {{
            return Err(WireError::Invalid(\"{} has no such version\"));
        }}
",
        item.name
    );
    decode_body(out, schema, item);
    let _ = write!(
        out,
        "    }}

    /// Appends the message in `version`; fields that `version` lacks are not written.
    ///
    /// A null where `version` knows none is written as the empty value. An unknown version is our
    /// own fault.
    pub fn encode(&self, writer: &mut Writer, version: i16) {{
        assert!(
            (Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version),
            \"{} has no version {{version}}\"
        );
",
        item.name
    );
    encode_body(out, schema, item);
    out.push_str("    }\n}\n");
}

fn struct_impl(out: &mut String, schema: &Schema, item: &Struct) {
    let mut decode = String::new();
    decode_body(&mut decode, schema, item);
    let mut encode = String::new();
    encode_body(&mut encode, schema, item);
    let name = |body: &str| {
        let mut words = body.split(|c: char| !c.is_alphanumeric() && c != '_');
        let used = words.any(|word| word == "version");
        if used { "version" } else { "_version" }
    };
    let _ = write!(
        out,
        "\nimpl {} {{
    fn decode(reader: &mut Reader<'_>, {}: i16) -> Result<Self, WireError> {{
{decode}    }}

    fn encode(&self, writer: &mut Writer, {}: i16) {{
{encode}    }}
}}
",
        item.name,
        name(&decode),
        name(&encode)
    );
}

/// `let form = …` where the form depends on the version and `body` asks for it.
fn form_line(schema: &Schema, item: &Struct, body: &str) -> String {
    match schema.flexible {
        Some(first) if form(schema, item) == "form" && body.contains("form") => {
            format!("        let form = field::form(version, {first});\n")
        }
        _ => String::new(),
    }
}

fn decode_body(out: &mut String, schema: &Schema, item: &Struct) {
    let mut body = String::new();
    for field in item.fields.iter().filter(|field| field.tag.is_none()) {
        let value = format!("it.{} = {};", ident(field), read(schema, item, field));
        conditional(&mut body, 2, condition(field.versions, item.versions), &value);
    }
    let tagged: Vec<&Field> = item.fields.iter().filter(|field| field.tag.is_some()).collect();
    let form_name = form(schema, item);
    let section = if tagged.is_empty() {
        "reader.skip_tagged_fields()?;".to_owned()
    } else {
        tagged_read(schema, item, &tagged)
    };
    match form_name {
        "Form::Compact" => conditional(&mut body, 2, None, &section),
        "form" => conditional(&mut body, 2, Some("form == Form::Compact".to_owned()), &section),
        _ => {}
    }
    out.push_str(&form_line(schema, item, &body));
    if body.is_empty() {
        out.push_str("        let _ = (reader, version);\n        Ok(Self::default())\n");
        return;
    }
    let mutable = if body.contains("it.") { "mut " } else { "" };
    let _ = writeln!(out, "        let {mutable}it = Self::default();");
    out.push_str(&body);
    out.push_str("        Ok(it)\n");
}

fn tagged_read(schema: &Schema, item: &Struct, tagged: &[&Field]) -> String {
    let mut out = "reader.tagged_fields(|tag, reader| {\n    match tag {\n".to_owned();
    for field in tagged {
        let guard = condition(field.versions, flexible_part(schema, item))
            .map_or(String::new(), |test| format!(" if {test}"));
        let tag = field.tag.unwrap_or_default();
        let value = read(schema, item, field).replace('\n', "\n        ");
        let _ = writeln!(out, "        {tag}{guard} => it.{} = {value},", ident(field));
    }
    out.push_str("        _ => {}\n    }\n    Ok(())\n})?;");
    out
}

/// The struct's flexible versions.
fn flexible_part(schema: &Schema, item: &Struct) -> Versions {
    let first = schema.flexible.unwrap_or(i16::MAX);
    Versions { min: item.versions.min.max(first), max: item.versions.max }
}

/// Appends `text`, inside an `if` where there is a test, indented by `depth` levels.
fn conditional(out: &mut String, depth: usize, test: Option<String>, text: &str) {
    let (depth, close) = match test {
        Some(test) => {
            let _ = writeln!(out, "{}if {test} {{", "    ".repeat(depth));
            (depth + 1, true)
        }
        None => (depth, false),
    };
    for line in text.lines() {
        let _ = writeln!(out, "{}{line}", "    ".repeat(depth));
    }
    if close {
        let _ = writeln!(out, "{}}}", "    ".repeat(depth - 1));
    }
}

/// The expression that reads `field`, question mark included.
fn read(schema: &Schema, item: &Struct, field: &Field) -> String {
    let form = form(schema, item);
    let nullable = if field.null.is_some() { "nullable_" } else { "" };
    let value = match &field.kind {
        Type::Fixed(name) => format!("reader.{name}()?"),
        Type::Text => format!("field::read_{nullable}string(reader, {form})?"),
        Type::Bytes => format!("field::read_{nullable}bytes(reader, {form})?"),
        Type::Struct(name) if field.null.is_some() => {
            format!(
                "field::read_nullable_struct(reader, |reader| {{\n    {name}::decode(reader, version)\n}})?"
            )
        }
        Type::Struct(name) => format!("{name}::decode(reader, version)?"),
        Type::Array(inner) => {
            let least = least(schema, inner, field.versions).max(1);
            let element = match &**inner {
                Type::Fixed(name) => format!("Reader::{name}"),
                Type::Text => format!("|reader| {{\n    field::read_string(reader, {form})\n}}"),
                Type::Struct(name) => {
                    format!("|reader| {{\n    {name}::decode(reader, version)\n}}")
                }
                Type::Bytes | Type::Array(_) => {
                    format!("|reader| {{\n    field::read_bytes(reader, {form})\n}}")
                }
            };
            format!("field::read_{nullable}array(reader, {form}, {least}, {element})?")
        }
    };
    match field.null.and_then(|null| condition(null, field.versions)) {
        Some(test) => format!("field::null_only_if({value}, {test})?"),
        None => value,
    }
}

/// The least bytes a value takes on the wire over `versions`.
fn least(schema: &Schema, kind: &Type, versions: Versions) -> usize {
    let all = versions.min..=versions.max;
    all.map(|version| least_in(schema, kind, version, None)).min().unwrap_or(1)
}

fn least_in(schema: &Schema, kind: &Type, version: i16, null: Option<Versions>) -> usize {
    let compact = schema.flexible.is_some_and(|first| version >= first);
    match kind {
        Type::Fixed(name) => {
            FIXED.iter().find(|(fixed, _)| fixed == name).map_or(1, |(_, width)| *width)
        }
        Type::Text if compact => 1,
        Type::Text => 2,
        Type::Bytes | Type::Array(_) if compact => 1,
        Type::Bytes | Type::Array(_) => 4,
        Type::Struct(_) if null.is_some() => 1,
        Type::Struct(name) => {
            let fields = schema.find(name).map_or(&[][..], |item| &item.fields);
            let present =
                fields.iter().filter(|field| field.tag.is_none() && field.versions.holds(version));
            let sum: usize =
                present.map(|field| least_in(schema, &field.kind, version, field.null)).sum();
            sum + usize::from(compact)
        }
    }
}

fn encode_body(out: &mut String, schema: &Schema, item: &Struct) {
    let mut body = String::new();
    for field in item.fields.iter().filter(|field| field.tag.is_none()) {
        let value = format!("{};", write(schema, item, field));
        conditional(&mut body, 2, condition(field.versions, item.versions), &value);
    }
    let tagged: Vec<&Field> = item.fields.iter().filter(|field| field.tag.is_some()).collect();
    let section = if tagged.is_empty() {
        "writer.no_tagged_fields();".to_owned()
    } else {
        tagged_write(schema, item, &tagged)
    };
    match form(schema, item) {
        "Form::Compact" => conditional(&mut body, 2, None, &section),
        "form" => conditional(&mut body, 2, Some("form == Form::Compact".to_owned()), &section),
        _ => {}
    }
    out.push_str(&form_line(schema, item, &body));
    if body.is_empty() {
        body.push_str("        let _ = (writer, version);\n");
    }
    out.push_str(&body);
}

fn tagged_write(schema: &Schema, item: &Struct, tagged: &[&Field]) -> String {
    let mut out = "let mut tagged = field::TaggedFields::new();\n".to_owned();
    let mut tagged = tagged.to_vec();
    tagged.sort_by_key(|field| field.tag);
    for field in tagged {
        let version = condition(field.versions, flexible_part(schema, item))
            .map_or(String::new(), |test| format!("{test} && "));
        let name = ident(field);
        let differs = match (&field.kind, field.default.as_deref()) {
            (_, Some("null")) => format!("self.{name}.is_some()"),
            (Type::Array(_) | Type::Text | Type::Bytes, None) if field.null.is_none() => {
                format!("!self.{name}.is_empty()")
            }
            (Type::Fixed("bool"), None | Some("false")) => format!("self.{name}"),
            _ => format!("self.{name} != {}", default(field)),
        };
        let tag = field.tag.unwrap_or_default();
        let value = write(schema, item, field).replace('\n', "\n        ");
        let _ = write!(out, "if {version}{differs} {{\n    tagged.add({tag}, |writer| {{\n");
        let _ = write!(out, "        {value};\n    }});\n}}\n");
    }
    out.push_str("tagged.finish(writer);");
    out
}

/// The expression that writes `field`, without its semicolon.
fn write(schema: &Schema, item: &Struct, field: &Field) -> String {
    let form = form(schema, item);
    let name = format!("self.{}", ident(field));
    let (nullable, borrowed) = match field.null {
        None => ("", format!("&{name}")),
        Some(null) => {
            let plain = match field.kind {
                Type::Struct(_) => format!("{name}.as_ref()"),
                Type::Fixed(_) | Type::Text | Type::Bytes | Type::Array(_) => {
                    format!("{name}.as_deref()")
                }
            };
            let value = match condition(null, field.versions) {
                Some(test) => format!("field::null_or_empty({plain}, {test})"),
                None => plain,
            };
            ("nullable_", value)
        }
    };
    match &field.kind {
        Type::Fixed(kind) => format!("writer.{kind}({name})"),
        Type::Text => format!("field::write_{nullable}string(writer, {form}, {borrowed})"),
        Type::Bytes => format!("field::write_{nullable}bytes(writer, {form}, {borrowed})"),
        Type::Struct(_) if field.null.is_some() => format!(
            "field::write_nullable_struct(writer, {borrowed}, |writer, item| {{\n    item.encode(writer, version);\n}})"
        ),
        Type::Struct(_) => format!("{name}.encode(writer, version)"),
        Type::Array(inner) => {
            let element = match &**inner {
                Type::Fixed(kind) => format!("writer.{kind}(*item)"),
                Type::Text => format!("field::write_string(writer, {form}, item)"),
                Type::Struct(_) => "item.encode(writer, version)".to_owned(),
                Type::Bytes | Type::Array(_) => format!("field::write_bytes(writer, {form}, item)"),
            };
            format!(
                "field::write_{nullable}array(writer, {form}, {borrowed}, |writer, item| {{\n    {element};\n}})"
            )
        }
    }
}

/// `Message` and, for a request, `Request`.
fn trait_impls(out: &mut String, schema: &Schema, item: &Struct) {
    let _ = write!(
        out,
        "
impl Message for {name} {{
    const KEY: ApiKey = ApiKey::{api};
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {{
        Self::decode(reader, version)
    }}

    fn encode(&self, writer: &mut Writer, version: i16) {{
        self.encode(writer, version);
    }}
}}
",
        name = item.name,
        api = schema.name
    );
    if item.name.ends_with("Request") {
        let _ = write!(
            out,
            "\nimpl Request for {} {{\n    type Response = {}Response;\n}}\n",
            item.name, schema.name
        );
    }
}
