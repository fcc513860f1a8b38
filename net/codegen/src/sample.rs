//! Random message bodies made from a schema, for tests and as seeds of fuzzing.
//!
//! This writes the wire format a second time, on purpose without the codec's help: what it writes
//! and what the codec reads must agree because both follow the schema. Source of the format: Kafka
//! protocol guide, "Protocol Primitive Types"; KIP-482.

use crate::schema::{Field, Schema, Struct, Type};

/// A small generator of random numbers (splitmix64): the same seed gives the same numbers.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is at least 1.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound.max(1) as u64;
        usize::try_from(self.bits() % bound).unwrap_or(0)
    }

    /// True once in `times`.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// Writes random bodies.
#[derive(Clone, Debug)]
pub struct Sampler<'a> {
    /// The source of chance.
    pub random: Random,
    schema: &'a Schema,
    version: i16,
    out: Vec<u8>,
    /// Also writes tagged fields that no schema knows.
    unknown_tags: bool,
}

impl<'a> Sampler<'a> {
    /// A sampler of the messages of `schema` in `version`, from a seed.
    pub fn new(schema: &'a Schema, version: i16, seed: u64) -> Self {
        let random = Random(seed);
        Self { random, schema, version, out: Vec::new(), unknown_tags: false }
    }

    /// The same, with tagged fields strewn in that no schema knows.
    #[must_use]
    pub fn with_unknown_tags(self) -> Self {
        Self { unknown_tags: true, ..self }
    }

    /// One random body of `message`, which is one of the schema's.
    pub fn body(&mut self, message: &Struct) -> Vec<u8> {
        self.out.clear();
        self.structure(message, 0);
        std::mem::take(&mut self.out)
    }

    fn compact(&self) -> bool {
        self.schema.flexible.is_some_and(|first| self.version >= first)
    }

    fn structure(&mut self, item: &Struct, depth: usize) {
        let version = self.version;
        let present = |field: &&Field| field.versions.holds(version);
        for field in item.fields.iter().filter(|field| field.tag.is_none()).filter(present) {
            self.field(field, depth);
        }
        if !self.compact() {
            return;
        }
        let mut tagged: Vec<&Field> =
            item.fields.iter().filter(|field| field.tag.is_some()).filter(present).collect();
        tagged.sort_by_key(|field| field.tag);
        tagged.retain(|_| self.random.one_in(2));
        let unknown = self.unknown_tags && self.random.one_in(3);
        self.uvarint(tagged.len() + usize::from(unknown));
        for field in tagged {
            let outer = std::mem::take(&mut self.out);
            self.field(field, depth);
            let inner = std::mem::replace(&mut self.out, outer);
            self.uvarint(field.tag.unwrap_or_default() as usize);
            self.uvarint(inner.len());
            self.out.extend(inner);
        }
        if unknown {
            self.uvarint(1000);
            self.uvarint(3);
            self.out.extend(*b"???");
        }
    }

    fn field(&mut self, field: &Field, depth: usize) {
        let null = field.null.is_some_and(|null| null.holds(self.version)) && self.random.one_in(4);
        match &field.kind {
            Type::Fixed(name) => self.fixed(name),
            Type::Text | Type::Bytes | Type::Array(_) if null => self.length(&field.kind, None),
            Type::Text => self.text(),
            Type::Bytes => self.bytes(),
            Type::Struct(_) if null => self.out.push(0xff),
            Type::Struct(name) => {
                if field.null.is_some() {
                    self.out.push(1);
                }
                self.named(name, depth);
            }
            Type::Array(inner) => {
                let count_max = if depth > 2 { 2 } else { 4 };
                let count = self.random.below(count_max);
                self.length(&field.kind, Some(count));
                for _ in 0..count {
                    self.element(inner, depth + 1);
                }
            }
        }
    }

    fn element(&mut self, kind: &Type, depth: usize) {
        match kind {
            Type::Fixed(name) => self.fixed(name),
            Type::Text => self.text(),
            Type::Bytes | Type::Array(_) => self.bytes(),
            Type::Struct(name) => self.named(name, depth),
        }
    }

    fn named(&mut self, name: &str, depth: usize) {
        let schema = self.schema;
        if let Some(item) = schema.find(name) {
            self.structure(item, depth);
        }
    }

    fn fixed(&mut self, name: &str) {
        // Bounds and small numbers meet more special cases than numbers from the middle.
        let value = match self.random.below(4) {
            0 => i64::MAX,
            1 => -1,
            2 => i64::try_from(self.random.below(5)).unwrap_or(0),
            _ => self.random.bits().cast_signed(),
        };
        let wide = value.to_be_bytes();
        match name {
            "bool" => self.out.push(wide[7] & 1),
            "i8" => self.out.extend(&wide[7..]),
            "i16" | "u16" => self.out.extend(&wide[6..]),
            "i32" | "u32" => self.out.extend(&wide[4..]),
            "i64" => self.out.extend(&wide),
            "f64" => {
                let halves = f64::from(i16::from_be_bytes([wide[6], wide[7]])) / 2.0;
                self.out.extend(halves.to_be_bytes());
            }
            _ => {
                self.out.extend(&wide);
                let low = self.random.bits();
                self.out.extend(low.to_be_bytes());
            }
        }
    }

    fn text(&mut self) {
        let text = ["", "a", "orders", "grüße", "a.b-c_d", "\u{1f600}"][self.random.below(6)];
        self.length(&Type::Text, Some(text.len()));
        self.out.extend(text.as_bytes());
    }

    fn bytes(&mut self) {
        // 200 bytes need a compact length of two bytes.
        let length = [0, 1, 7, 200][self.random.below(4)];
        self.length(&Type::Bytes, Some(length));
        for _ in 0..length {
            let byte = self.random.bits().to_be_bytes()[0];
            self.out.push(byte);
        }
    }

    fn length(&mut self, kind: &Type, length: Option<usize>) {
        if self.compact() {
            self.uvarint(length.map_or(0, |length| length + 1));
            return;
        }
        let wide = length.map_or(-1, |length| i64::try_from(length).unwrap_or(0)).to_be_bytes();
        let skipped = if *kind == Type::Text { 6 } else { 4 };
        self.out.extend(&wide[skipped..]);
    }

    fn uvarint(&mut self, mut value: usize) {
        while value >= 0x80 {
            self.out.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.out.push(value.to_le_bytes()[0]);
    }
}
