//! A running hash of everything that happened, and, if asked for, the story in words.

use std::fmt;

use crate::rng::scramble;

/// The hash of a run. Two runs of one seed must end with the same value.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    hash: u64,
    story: Option<Vec<String>>,
}

impl Trace {
    /// The hash so far.
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// Starts to keep the story in words too; costs time and memory, so only for a replay.
    pub fn tell(&mut self) {
        self.story.get_or_insert_default();
    }

    /// The lines since the last call. Empty unless [`Trace::tell`] was called.
    pub fn take_story(&mut self) -> Vec<String> {
        self.story.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Whether the story is kept.
    pub const fn tells(&self) -> bool {
        self.story.is_some()
    }

    /// Adds a number.
    pub const fn number(&mut self, value: u64) {
        self.hash = scramble(self.hash.rotate_left(5) ^ value).wrapping_add(0x9E37_79B9_7F4A_7C15);
    }

    /// Adds bytes and their count.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let word = u64::from_le_bytes(word.try_into().expect("chunks of eight"));
            // Cheaper than `number`; one multiplication a word is enough to notice a difference.
            self.hash = (self.hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        }
        for &byte in words.remainder() {
            self.number(u64::from(byte));
        }
    }

    /// Adds a line to the story, if one is kept; nothing to the hash.
    pub fn line(&mut self, line: fmt::Arguments<'_>) {
        if let Some(story) = &mut self.story {
            story.push(line.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_sees_content_order_and_boundaries() {
        let hash = |parts: &[&[u8]]| {
            let mut trace = Trace::default();
            for part in parts {
                trace.bytes(part);
            }
            trace.hash()
        };
        assert_eq!(hash(&[b"abcdefghij"]), hash(&[b"abcdefghij"]));
        assert_ne!(hash(&[b"abcdefghij"]), hash(&[b"abcdefghik"]));
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
    }
}
