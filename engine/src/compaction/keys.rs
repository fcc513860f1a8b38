//! The last offset of each key, in a table of fixed-size slots: 24 bytes a key however long it is.
//!
//! Keys are known by a 128-bit hash under a secret of the process (SipHash-2-4, 128-bit output), so
//! nobody can make two keys that are taken for one, and by chance it does not happen: with ten
//! billion keys the odds are 1 in 10^18. Kafka keeps MD5 in as many bytes. Open addressing, linear
//! probing; the table grows as keys come, up to its bound.
//! Source: Aumasson, Bernstein: "SipHash: a fast short-input PRF" (2012) and its 128-bit variant.

use super::MapRules;
use crate::Offset;

/// Bytes of a slot: hash and offset.
pub(super) const SLOT_BYTES: usize = 24;
/// Slots of a table that has just got its first key.
const SLOTS_MIN: usize = 64;
/// A table that may still grow does so at this fill, in percent.
const GROW_AT_PERCENT: usize = 70;

const _: () = assert!(size_of::<Slot>() == SLOT_BYTES);

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: (u64, u64),
    /// -1: the slot is free.
    offset: i64,
}

const FREE: Slot = Slot { hash: (0, 0), offset: -1 };

/// See the file's head.
#[derive(Clone, Debug)]
pub(super) struct KeyTable {
    secret: (u64, u64),
    slots: Vec<Slot>,
    len: usize,
    slots_max: usize,
    keys_max: usize,
}

impl KeyTable {
    pub(super) fn new(rules: MapRules) -> Self {
        let slots_max = (rules.bytes_max / SLOT_BYTES).max(1);
        let percent = usize::from(rules.load_percent.clamp(1, 95));
        let keys_max = (slots_max / 100 * percent + slots_max % 100 * percent / 100).max(1);
        Self { secret: rules.secret, slots: Vec::new(), len: 0, slots_max, keys_max }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// True if so many more keys fit within the bound.
    pub(super) const fn has_room(&self, count: usize) -> bool {
        self.len.saturating_add(count) <= self.keys_max
    }

    /// Notes the offset of a key; the last one noted counts. Grows beyond the bound if it has to.
    pub(super) fn put(&mut self, key: &[u8], offset: Offset) {
        self.make_room();
        let hash = hash128(self.secret, key);
        let index = find(&self.slots, hash);
        let slot = &mut self.slots[index];
        self.len += usize::from(slot.offset < 0);
        *slot = Slot { hash, offset: offset.0 };
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<Offset> {
        if self.len == 0 {
            return None;
        }
        let slot = self.slots[find(&self.slots, hash128(self.secret, key))];
        (slot.offset >= 0).then_some(Offset(slot.offset))
    }

    fn make_room(&mut self) {
        let now = self.slots.len();
        let is_bounded = now >= self.slots_max;
        let fill_max = if is_bounded { now - now / 20 } else { now * GROW_AT_PERCENT / 100 };
        if self.len < fill_max.min(now.saturating_sub(1)) {
            return;
        }
        let doubled = (now * 2).max(SLOTS_MIN);
        // At the bound it grows only for a batch that was taken although it does not fit.
        let wanted = if is_bounded { doubled } else { doubled.min(self.slots_max.max(SLOTS_MIN)) };
        let old = std::mem::replace(&mut self.slots, vec![FREE; wanted]);
        for slot in old.into_iter().filter(|slot| slot.offset >= 0) {
            let index = find(&self.slots, slot.hash);
            self.slots[index] = slot;
        }
    }
}

/// The slot of a hash, or the free one where it belongs. One slot at least is always free.
fn find(slots: &[Slot], hash: (u64, u64)) -> usize {
    let count = slots.len();
    let start = (u128::from(hash.0) * count as u128) >> 64;
    let mut index = usize::try_from(start).unwrap_or(0);
    loop {
        let slot = &slots[index];
        if slot.offset < 0 || slot.hash == hash {
            return index;
        }
        index = if index + 1 == count { 0 } else { index + 1 };
    }
}

/// SipHash-2-4 with 128 bits of output.
fn hash128(secret: (u64, u64), key: &[u8]) -> (u64, u64) {
    let mut state = [
        secret.0 ^ 0x736f_6d65_7073_6575,
        secret.1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
        secret.0 ^ 0x6c79_6765_6e65_7261,
        secret.1 ^ 0x7465_6462_7974_6573,
    ];
    let (words, rest) = key.as_chunks::<8>();
    for word in words {
        absorb(&mut state, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    absorb(&mut state, u64::from_le_bytes(last) | ((key.len() as u64) << 56));
    state[2] ^= 0xee;
    rounds(&mut state, 4);
    let first = state[0] ^ state[1] ^ state[2] ^ state[3];
    state[1] ^= 0xdd;
    rounds(&mut state, 4);
    (first, state[0] ^ state[1] ^ state[2] ^ state[3])
}

fn absorb(state: &mut [u64; 4], word: u64) {
    state[3] ^= word;
    rounds(state, 2);
    state[0] ^= word;
}

fn rounds(state: &mut [u64; 4], count: u32) {
    let [mut a, mut b, mut c, mut d] = *state;
    for _ in 0..count {
        a = a.wrapping_add(b);
        b = b.rotate_left(13) ^ a;
        a = a.rotate_left(32);
        c = c.wrapping_add(d);
        d = d.rotate_left(16) ^ c;
        a = a.wrapping_add(d);
        d = d.rotate_left(21) ^ a;
        c = c.wrapping_add(b);
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
    }
    *state = [a, b, c, d];
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_hash_is_siphash_of_128_bits() {
        // The first of the reference implementation's vectors: key 00 01 … 0f, no input.
        let secret = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        let (low, high) = hash128(secret, &[]);
        let bytes = [low.to_le_bytes(), high.to_le_bytes()].concat();
        assert_eq!(
            bytes,
            [
                0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55,
                0x02, 0x93
            ]
        );
    }

    #[test]
    fn the_table_agrees_with_a_map_within_and_beyond_its_bound() {
        let rules = MapRules { bytes_max: 1000 * SLOT_BYTES, load_percent: 90, secret: (1, 2) };
        let mut table = KeyTable::new(rules);
        let mut model = BTreeMap::new();
        for step in 0..3000_i64 {
            let key = (step * 7919 % 1500).to_string();
            assert_eq!(table.has_room(1), model.len() < 900);
            table.put(key.as_bytes(), Offset(step));
            model.insert(key, step);
        }
        assert_eq!(table.len(), model.len());
        for (key, offset) in &model {
            assert_eq!(table.get(key.as_bytes()), Some(Offset(*offset)));
        }
        assert_eq!(table.get(b"never"), None);
    }

    #[test]
    fn a_table_takes_no_more_memory_than_its_bound() {
        let rules = MapRules { bytes_max: 10_000 * SLOT_BYTES, load_percent: 90, secret: (1, 2) };
        let mut table = KeyTable::new(rules);
        let mut count = 0_i64;
        while table.has_room(1) {
            table.put(&count.to_be_bytes(), Offset(count));
            count += 1;
        }
        assert_eq!(count, 9000);
        assert!(table.slots.capacity() <= 10_000, "{}", table.slots.capacity());
    }
}
