//! Field tables of Kafka's messages, per API and direction, and the text form they are kept in.
//!
//! One message is a head line and one line per field, nested by two blanks per level:
//!
//! ```text
//! Produce request key=0 valid=3-13 flexible=9+
//!   TopicData []struct 0+
//!     Name string 0-12
//!     Index int32 0+ default=-1
//!     CurrentLeader struct 10+ tag=0:10+ null=11+
//! ```

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

/// A range of versions, both ends inclusive; empty when `min > max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// First version.
    pub min: i16,
    /// Last version; `i16::MAX` stands for "and all later ones".
    pub max: i16,
}

impl Versions {
    /// The range that holds no version.
    pub const NONE: Self = Self { min: 1, max: 0 };

    /// Reads `3+`, `0-12`, `7` or `none`.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text == "none" {
            return Ok(Self::NONE);
        }
        if let Some(min) = text.strip_suffix('+') {
            return Ok(Self { min: min.parse()?, max: i16::MAX });
        }
        let (min, max) = text.split_once('-').unwrap_or((text, text));
        Ok(Self {
            min: min.parse().with_context(|| format!("versions {text}"))?,
            max: max.parse().with_context(|| format!("versions {text}"))?,
        })
    }

    /// True if `version` is inside.
    pub const fn holds(self, version: i16) -> bool {
        self.min <= version && version <= self.max
    }
}

impl std::fmt::Display for Versions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.min > self.max {
            f.write_str("none")
        } else if self.max == i16::MAX {
            write!(f, "{}+", self.min)
        } else {
            write!(f, "{}-{}", self.min, self.max)
        }
    }
}

/// The type of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One byte, 0 or 1.
    Bool,
    /// A big-endian integer of so many bytes; the flag tells whether it is signed.
    Int(u8, bool),
    /// 64-bit IEEE float.
    Float64,
    /// UTF-8 text.
    String,
    /// A byte blob.
    Bytes,
    /// A byte blob that holds record batches.
    Records,
    /// 16 bytes.
    Uuid,
    /// Nested fields.
    Struct,
    /// A counted sequence.
    Array(Box<Kind>),
}

impl Kind {
    /// Reads a type name as Kafka writes it; unknown names are struct names.
    pub fn parse(text: &str) -> Self {
        if let Some(element) = text.strip_prefix("[]") {
            return Self::Array(Box::new(Self::parse(element)));
        }
        match text {
            "bool" => Self::Bool,
            "int8" => Self::Int(1, true),
            "int16" => Self::Int(2, true),
            "uint16" => Self::Int(2, false),
            "int32" => Self::Int(4, true),
            "uint32" => Self::Int(4, false),
            "int64" => Self::Int(8, true),
            "float64" => Self::Float64,
            "string" => Self::String,
            "bytes" => Self::Bytes,
            "records" => Self::Records,
            "uuid" => Self::Uuid,
            _ => Self::Struct,
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int(bytes, true) => write!(f, "int{}", bytes * 8),
            Self::Int(bytes, false) => write!(f, "uint{}", bytes * 8),
            Self::Float64 => f.write_str("float64"),
            Self::String => f.write_str("string"),
            Self::Bytes => f.write_str("bytes"),
            Self::Records => f.write_str("records"),
            Self::Uuid => f.write_str("uuid"),
            Self::Struct => f.write_str("struct"),
            Self::Array(element) => write!(f, "[]{element}"),
        }
    }
}

/// One field of a message.
#[derive(Clone, Debug)]
pub struct Field {
    /// Kafka's name, as in its message descriptions.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// The versions that have it.
    pub versions: Versions,
    /// The versions in which it may be null.
    pub nullable: Versions,
    /// Its tag and the versions in which it is tagged.
    pub tag: Option<(u32, Versions)>,
    /// The value when it is left out, in text form; `null` is null.
    pub default: Option<String>,
    /// The nested fields of a struct or of an array of structs.
    pub fields: Vec<Field>,
}

/// One direction of one API.
#[derive(Clone, Debug)]
pub struct Message {
    /// The API's number.
    pub key: i16,
    /// Versions that exist.
    pub valid: Versions,
    /// Versions with compact types and tagged fields.
    pub flexible: Versions,
    /// The top-level fields.
    pub fields: Vec<Field>,
}

/// All messages, by API name.
#[derive(Clone, Debug, Default)]
pub struct Layouts {
    /// Requests by API name, for example `ListOffsets`.
    pub requests: BTreeMap<String, Message>,
    /// Responses by API name.
    pub responses: BTreeMap<String, Message>,
}

impl Layouts {
    /// The tables of this repository (`layouts.txt`).
    pub fn built_in() -> Result<Self> {
        Self::parse(include_str!("../layouts.txt"))
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Result<Self> {
        let mut layouts = Self::default();
        let mut lines = text
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
            .peekable();
        while let Some(head) = lines.next() {
            let words: Vec<&str> = head.split_whitespace().collect();
            let [api, direction, key, valid, flexible] = words[..] else {
                bail!("not a message head: {head}");
            };
            let message = Message {
                key: after(key, "key=")?.parse()?,
                valid: Versions::parse(after(valid, "valid=")?)?,
                flexible: Versions::parse(after(flexible, "flexible=")?)?,
                fields: parse_fields(&mut lines, 2)?,
            };
            match direction {
                "request" => layouts.requests.insert(api.to_owned(), message),
                "response" => layouts.responses.insert(api.to_owned(), message),
                other => bail!("direction {other} in: {head}"),
            };
        }
        Ok(layouts)
    }

    /// The request table of `api`.
    pub fn request(&self, api: &str) -> Result<&Message> {
        self.requests.get(api).with_context(|| format!("no API {api}"))
    }

    /// The response table of `api`.
    pub fn response(&self, api: &str) -> Result<&Message> {
        self.responses.get(api).with_context(|| format!("no API {api}"))
    }
}

fn after<'a>(word: &'a str, prefix: &str) -> Result<&'a str> {
    word.strip_prefix(prefix).with_context(|| format!("{word} does not start with {prefix}"))
}

fn parse_fields<'a, I: Iterator<Item = &'a str>>(
    lines: &mut std::iter::Peekable<I>,
    indent: usize,
) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    while let Some(line) = lines.peek() {
        if line.len() - line.trim_start().len() < indent {
            break;
        }
        let line = lines.next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let (Some(name), Some(kind), Some(versions)) = (words.next(), words.next(), words.next())
        else {
            bail!("not a field: {line}");
        };
        let mut field = Field {
            name: name.to_owned(),
            kind: Kind::parse(kind),
            versions: Versions::parse(versions)?,
            nullable: Versions::NONE,
            tag: None,
            default: None,
            fields: Vec::new(),
        };
        for word in words {
            match word.split_once('=') {
                Some(("null", range)) => field.nullable = Versions::parse(range)?,
                Some(("default", value)) => field.default = Some(value.to_owned()),
                Some(("tag", tag)) => {
                    let (number, range) = tag.split_once(':').context("tag")?;
                    field.tag = Some((number.parse()?, Versions::parse(range)?));
                }
                _ => bail!("attribute {word} in: {line}"),
            }
        }
        field.fields = parse_fields(lines, indent + 2)?;
        fields.push(field);
    }
    Ok(fields)
}
