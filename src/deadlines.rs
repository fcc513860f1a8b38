//! Deadlines of what waits: the earliest first, each removable.

use std::collections::BTreeSet;

use millrace_io::Mono;

/// A set of (deadline, what) pairs. Equal deadlines fire in the order of `T`, so that a run can be
/// repeated.
#[derive(Debug)]
pub struct Deadlines<T: Ord> {
    set: BTreeSet<(Mono, T)>,
}

impl<T: Ord> Default for Deadlines<T> {
    fn default() -> Self {
        Self { set: BTreeSet::new() }
    }
}

impl<T: Ord> Deadlines<T> {
    /// Sets a deadline. One thing may have several.
    pub fn add(&mut self, at: Mono, what: T) {
        self.set.insert((at, what));
    }

    /// Takes a deadline back.
    pub fn remove(&mut self, at: Mono, what: T) {
        self.set.remove(&(at, what));
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Mono> {
        self.set.first().map(|(at, _)| *at)
    }

    /// Takes out the earliest deadline that is due.
    pub fn pop_due(&mut self, now: Mono) -> Option<T> {
        if self.set.first()?.0 > now {
            return None;
        }
        self.set.pop_first().map(|(_, what)| what)
    }

    /// Deadlines in the set.
    pub fn len(&self) -> usize {
        self.set.len()
    }

    /// True without deadlines.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_fire_earliest_first_and_not_before_they_are_due() {
        let mut deadlines = Deadlines::default();
        for (at, what) in [(30, 'c'), (10, 'a'), (20, 'b'), (20, 'x')] {
            deadlines.add(Mono(at), what);
        }
        deadlines.remove(Mono(20), 'x');
        assert_eq!(deadlines.next(), Some(Mono(10)));
        assert_eq!(deadlines.pop_due(Mono(9)), None);
        assert_eq!(deadlines.pop_due(Mono(25)), Some('a'));
        assert_eq!(deadlines.pop_due(Mono(25)), Some('b'));
        assert_eq!(deadlines.pop_due(Mono(25)), None);
        assert_eq!(deadlines.len(), 1);
    }
}
