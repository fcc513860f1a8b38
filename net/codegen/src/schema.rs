//! The notation of a message schema, parsed and checked.
//!
//! One text file holds one API (a request and a response) or one record:
//!
//! ```text
//! api 2 ListOffsets            or: record 3 PartitionRecord, record OffsetCommitKey
//! about One sentence.
//! versions 1-11                versions the code can read and write
//! flexible 6+                  first version with compact lengths and tagged fields, or none
//!
//! request                      for a record: fields
//!   name TYPE [VERSIONS] [@TAG] [= DEFAULT] [# note]
//!     field of the struct that TYPE introduces, two spaces deeper
//! ```
//!
//! TYPE is `bool i8 i16 u16 i32 u32 i64 f64 uuid string bytes records`, a struct's name, or one of
//! these in brackets for an array. A struct is described below the first field that names it, and
//! may then be named again anywhere in the file. `TYPE?` may be null wherever the field exists,
//! `TYPE?7+` in those versions alone. VERSIONS is `5+`, `0-8` or `3`; without it the field exists
//! wherever its struct does. A tagged field is written only when it differs from its default. The
//! default is zero, false or empty unless stated; `= null` for what may be null.

use std::collections::BTreeMap;

/// A closed range of versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The first one.
    pub min: i16,
    /// The last one, included.
    pub max: i16,
}

impl Versions {
    /// True for a version inside.
    pub fn holds(self, version: i16) -> bool {
        (self.min..=self.max).contains(&version)
    }

    fn hull(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    fn cut(self, other: Self) -> Self {
        Self { min: self.min.max(other.min), max: self.max.min(other.max) }
    }
}

/// The empty range, narrower than any: what is not known yet.
const NOWHERE: Versions = Versions { min: i16::MAX, max: i16::MIN };

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// A fixed-width number, a boolean or an identifier, by its name in the notation.
    Fixed(&'static str),
    /// Text.
    Text,
    /// Bytes, or record batches.
    Bytes,
    /// A struct of this file, by name.
    Struct(String),
    /// An array of anything but arrays.
    Array(Box<Type>),
}

impl Type {
    /// The struct this type is, or is an array of.
    pub fn structure(&self) -> Option<&str> {
        match self {
            Self::Struct(name) => Some(name),
            Self::Array(inner) => inner.structure(),
            Self::Fixed(_) | Self::Text | Self::Bytes => None,
        }
    }
}

/// One field of a struct.
#[derive(Clone, Debug)]
pub struct Field {
    /// Kafka's name in snake case.
    pub name: String,
    /// What it holds.
    pub kind: Type,
    /// Where it exists, within its struct's versions.
    pub versions: Versions,
    /// Where it may be null.
    pub null: Option<Versions>,
    /// Its tag, when it is a tagged field.
    pub tag: Option<u32>,
    /// Its default as written in the schema.
    pub default: Option<String>,
    /// A sentence for its documentation.
    pub note: Option<String>,
}

/// A struct, or the body of a message.
#[derive(Clone, Debug)]
pub struct Struct {
    /// Its name in Rust.
    pub name: String,
    /// Where it is used.
    pub versions: Versions,
    /// Its fields in the order of the wire.
    pub fields: Vec<Field>,
}

/// What a file describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request and a response with this API key.
    Api(i16),
    /// A record, with its type number where it has one.
    Record(Option<i16>),
}

/// One file of the schema.
#[derive(Clone, Debug)]
pub struct Schema {
    /// Kafka's name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// One sentence.
    pub about: String,
    /// Versions the code handles.
    pub versions: Versions,
    /// First flexible version.
    pub flexible: Option<i16>,
    /// The messages: request and response, or the one record.
    pub messages: Vec<Struct>,
    /// All other structs, in the order of the file.
    pub structs: Vec<Struct>,
}

impl Schema {
    /// The struct or message with this name.
    pub fn find(&self, name: &str) -> Option<&Struct> {
        self.structs.iter().chain(&self.messages).find(|item| item.name == name)
    }

    /// Parses one file. The error names the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser::default();
        for (index, line) in text.lines().enumerate() {
            parser.line(line).map_err(|error| format!("line {}: {error}", index + 1))?;
        }
        parser.finish()
    }
}

#[derive(Default)]
struct Parser {
    head: BTreeMap<String, String>,
    structs: Vec<Struct>,
    messages: Vec<Struct>,
    /// The structs whose fields are being read, outermost first.
    open: Vec<String>,
    /// The struct that the latest field is the first to name.
    introduced: Option<String>,
}

impl Parser {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let text = line.trim_end();
        if text.is_empty() || text.starts_with('#') {
            return Ok(());
        }
        let body = text.trim_start();
        let depth = (text.len() - body.len()) / 2;
        if depth == 0 {
            return self.head_line(body);
        }
        if self.messages.is_empty() {
            return Err("a field before the first section".to_owned());
        }
        if depth > self.open.len() {
            let introduced = self.introduced.take().filter(|_| depth == self.open.len() + 1);
            let name = introduced.ok_or("fields below what is not a struct's first mention")?;
            self.structs.push(Struct { name: name.clone(), versions: NOWHERE, fields: Vec::new() });
            self.open.push(name);
        }
        self.open.truncate(depth);
        self.field(body)
    }

    fn head_line(&mut self, body: &str) -> Result<(), String> {
        let (word, rest) = body.split_once(' ').unwrap_or((body, ""));
        let suffix = match word {
            "request" => "Request",
            "response" => "Response",
            "fields" => "",
            _ => {
                self.head.insert(word.to_owned(), rest.trim().to_owned());
                return Ok(());
            }
        };
        let name = format!("{}{suffix}", self.name()?);
        let versions = self.versions()?;
        self.messages.push(Struct { name: name.clone(), versions, fields: Vec::new() });
        self.open = vec![name];
        Ok(())
    }

    fn name(&self) -> Result<&str, String> {
        let head = self.head.get("api").or_else(|| self.head.get("record"));
        head.and_then(|head| head.split(' ').next_back())
            .ok_or_else(|| "no api and no record line".to_owned())
    }

    fn versions(&self) -> Result<Versions, String> {
        let text = self.head.get("versions").ok_or("no versions line")?;
        parse_versions(text, Versions { min: 0, max: 0 })
    }

    fn field(&mut self, body: &str) -> Result<(), String> {
        let owner = self.open.last().ok_or("no section")?.clone();
        let outer = self.versions()?;
        let (body, note) = match body.split_once(" # ") {
            Some((body, note)) => (body.trim_end(), Some(note.trim().to_owned())),
            None => (body, None),
        };
        let (body, default) = match body.split_once(" = ") {
            Some((body, default)) => (body, Some(default.trim().to_owned())),
            None => (body, None),
        };
        let mut words = body.split_whitespace();
        let name = words.next().ok_or("no name")?.to_owned();
        let kind = words.next().ok_or("no type")?;
        let (mut versions, mut tag) = (NOWHERE, None);
        for word in words {
            match word.strip_prefix('@') {
                Some(number) => tag = Some(number.parse().map_err(|_| "bad tag")?),
                None => versions = parse_versions(word, outer)?,
            }
        }
        let (kind, null) = match kind.split_once('?') {
            None => (kind, None),
            Some((kind, "")) => (kind, Some(outer)),
            Some((kind, range)) => (kind, Some(parse_versions(range, outer)?)),
        };
        let kind = parse_type(kind)?;
        self.introduced = self.introduces(&kind);
        let list = self.structs.iter_mut().chain(&mut self.messages);
        let item = list.rev().find(|item| item.name == owner);
        item.ok_or("lost struct")?.fields.push(Field {
            name,
            kind,
            versions,
            null,
            tag,
            default,
            note,
        });
        Ok(())
    }

    /// The struct that is to be described below this field, if this is its first mention.
    fn introduces(&self, kind: &Type) -> Option<String> {
        let name = kind.structure()?;
        let known = self.structs.iter().any(|item| item.name == name);
        (!known).then(|| name.to_owned())
    }

    fn finish(self) -> Result<Schema, String> {
        let flexible = match self.head.get("flexible").map(String::as_str) {
            Some("none") => None,
            Some(text) => {
                Some(text.trim_end_matches('+').parse().map_err(|_| "bad flexible line")?)
            }
            None => return Err("no flexible line".to_owned()),
        };
        let number = |key: &str| {
            let head = self.head.get(key)?;
            head.split_once(' ').and_then(|(number, _)| number.parse().ok())
        };
        let kind = if self.head.contains_key("api") {
            Kind::Api(number("api").ok_or("an api has a key")?)
        } else {
            Kind::Record(number("record"))
        };
        let mut schema = Schema {
            name: self.name()?.to_owned(),
            kind,
            about: self.head.get("about").ok_or("no about line")?.clone(),
            versions: self.versions()?,
            flexible,
            messages: self.messages,
            structs: self.structs,
        };
        schema.check()?;
        schema.resolve();
        Ok(schema)
    }
}

impl Schema {
    /// Spreads versions from the messages to the structs, each as wide as all its mentions
    /// together, and then gives fields that state none their struct's.
    fn resolve(&mut self) {
        let mut open: Vec<(String, Versions)> = Vec::new();
        for message in &self.messages {
            open.push((message.name.clone(), message.versions));
        }
        while let Some((name, versions)) = open.pop() {
            let mut list = self.structs.iter_mut().chain(&mut self.messages);
            let Some(item) = list.find(|item| item.name == name) else {
                continue;
            };
            item.versions = item.versions.hull(versions);
            for field in &item.fields {
                if let Some(inner) = field.kind.structure() {
                    let narrowed = match field.versions {
                        NOWHERE => versions,
                        own => own.cut(versions),
                    };
                    open.push((inner.to_owned(), narrowed));
                }
            }
        }
        for item in self.structs.iter_mut().chain(&mut self.messages) {
            for field in &mut item.fields {
                if field.versions == NOWHERE {
                    field.versions = item.versions;
                }
                field.versions = field.versions.cut(item.versions);
                field.null = field.null.map(|null| null.cut(field.versions));
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        for item in self.structs.iter().chain(&self.messages) {
            if item.fields.is_empty() && !self.messages.iter().any(|m| m.name == item.name) {
                return Err(format!("{} has no fields", item.name));
            }
            for field in &item.fields {
                if let Some(name) = field.kind.structure()
                    && self.find(name).is_none()
                {
                    return Err(format!("{name} is not described"));
                }
            }
        }
        Ok(())
    }
}

/// Parses `5+`, `0-8` or `3` within `outer`, whose maximum an open range takes.
fn parse_versions(text: &str, outer: Versions) -> Result<Versions, String> {
    let number = |text: &str| text.parse::<i16>().map_err(|_| format!("bad versions {text}"));
    if let Some(min) = text.strip_suffix('+') {
        let (min, max) = (number(min)?, outer.max);
        return Ok(Versions { min, max });
    }
    match text.split_once('-') {
        Some((min, max)) => Ok(Versions { min: number(min)?, max: number(max)? }),
        None => Ok(Versions { min: number(text)?, max: number(text)? }),
    }
}

/// The fixed-width types: name in the notation and width, bytes.
pub const FIXED: [(&str, usize); 9] = [
    ("bool", 1),
    ("i8", 1),
    ("i16", 2),
    ("u16", 2),
    ("i32", 4),
    ("u32", 4),
    ("i64", 8),
    ("f64", 8),
    ("uuid", 16),
];

fn parse_type(text: &str) -> Result<Type, String> {
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or("an open bracket")?;
        return Ok(Type::Array(Box::new(parse_type(inner)?)));
    }
    if let Some((name, _)) = FIXED.iter().find(|(name, _)| *name == text) {
        return Ok(Type::Fixed(name));
    }
    match text {
        "string" => Ok(Type::Text),
        "bytes" | "records" => Ok(Type::Bytes),
        name if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
            Ok(Type::Struct(name.to_owned()))
        }
        other => Err(format!("unknown type {other}")),
    }
}
