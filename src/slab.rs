//! A slab with generations: places that are used again, and keys that know when they are stale.
//!
//! Not a general container: what waits in a shard (requests, connections, waiters) lives in one.
//! Invariant: a key finds the value it was made for, or nothing.

/// Names a value of a [`Slab`]. A key of a value that is gone finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The place.
    pub slot: u32,
    /// Counts the uses of the place.
    pub generation: u16,
}

#[derive(Debug)]
struct Place<T> {
    generation: u16,
    value: Option<T>,
}

/// Values at reusable places, the last one freed first (its memory is warm).
#[derive(Debug)]
pub struct Slab<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
    count_max: u32,
}

impl<T> Slab<T> {
    /// An empty slab for at most `count_max` values.
    pub const fn new(count_max: u32) -> Self {
        Self { places: Vec::new(), free: Vec::new(), count_max }
    }

    /// Values in the slab.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// True without values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True when no further value fits.
    pub fn is_full(&self) -> bool {
        self.free.is_empty() && self.places.len() >= self.count_max as usize
    }

    /// The place that the next [`Self::insert`] takes.
    pub fn next_slot(&self) -> u32 {
        let fresh = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        self.free.last().copied().unwrap_or(fresh)
    }

    /// Puts a value in. The caller has asked [`Self::is_full`] where that can happen.
    pub fn insert(&mut self, value: T) -> Key {
        if let Some(slot) = self.free.pop() {
            let place = &mut self.places[slot as usize];
            place.value = Some(value);
            return Key { slot, generation: place.generation };
        }
        let slot = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        assert!(slot < self.count_max, "slab is full at {} values", self.count_max);
        self.places.push(Place { generation: 0, value: Some(value) });
        Key { slot, generation: 0 }
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.places.get_mut(key.slot as usize)?;
        if place.generation != key.generation {
            return None;
        }
        let value = place.value.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(key.slot);
        Some(value)
    }

    /// The value of a key.
    pub fn get(&self, key: Key) -> Option<&T> {
        let place = self.places.get(key.slot as usize)?;
        place.value.as_ref().filter(|_| place.generation == key.generation)
    }

    /// The value of a key, to change.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let place = self.places.get_mut(key.slot as usize)?;
        let generation = place.generation;
        place.value.as_mut().filter(|_| generation == key.generation)
    }

    /// The value at a place, whatever its generation.
    pub fn at_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.places.get_mut(slot as usize)?.value.as_mut()
    }

    /// The value at a place, whatever its generation.
    pub fn at(&self, slot: u32) -> Option<&T> {
        self.places.get(slot as usize)?.value.as_ref()
    }

    /// The current key of a place that holds a value.
    pub fn key_at(&self, slot: u32) -> Option<Key> {
        let place = self.places.get(slot as usize)?;
        place.value.as_ref().map(|_| Key { slot, generation: place.generation })
    }

    /// All values with their keys, in the order of places.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.places.iter().zip(0..).filter_map(|(place, slot)| {
            let key = Key { slot, generation: place.generation };
            place.value.as_ref().map(|value| (key, value))
        })
    }

    /// All values with their keys, to change, in the order of places.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Key, &mut T)> {
        self.places.iter_mut().zip(0..).filter_map(|(place, slot)| {
            let key = Key { slot, generation: place.generation };
            place.value.as_mut().map(|value| (key, value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_key_finds_nothing_after_its_place_is_used_again() {
        let mut slab = Slab::new(2);
        let first = slab.insert('a');
        assert_eq!(slab.remove(first), Some('a'));
        let second = slab.insert('b');
        assert_eq!(second.slot, first.slot);
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get(second), Some(&'b'));
        assert_eq!(slab.key_at(second.slot), Some(second));
        slab.insert('c');
        assert!(slab.is_full());
        assert_eq!(slab.len(), 2);
    }
}
