//! The one source of chance: xoshiro256** seeded through splitmix64, both after the public
//! descriptions by Blackman and Vigna (<https://prng.di.unimi.it>).

/// A small, fast generator. Not for secrets.
#[derive(Clone, Debug)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// The generator of a seed; every seed is good, zero too.
    pub fn new(seed: u64) -> Self {
        let mut seed = seed;
        Self {
            state: std::array::from_fn(|_| {
                seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
                scramble(seed)
            }),
        }
    }

    /// The next 64 bits.
    pub const fn word(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A number in `0..bound`; `bound` is at least 1. The bias, below 2⁻³² for small bounds, does
    /// not matter here.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "an empty range has no numbers");
        let wide = u128::from(self.word()) * u128::from(bound);
        u64::try_from(wide >> 64).expect("the upper half of a 128-bit product")
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        assert!(low <= high, "{low}..={high} is empty");
        match (high - low).checked_add(1) {
            Some(bound) => low + self.below(bound),
            None => self.word(),
        }
    }

    /// An index into something of `count` elements, at least 1.
    pub fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.below(count as u64)).expect("below a usize")
    }

    /// True `per_mille` times of a thousand.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        // No draw for what cannot happen: a world without faults then has the same trace, whatever
        // kinds of fault are added later.
        per_mille > 0 && self.below(1000) < u64::from(per_mille)
    }

    /// A generator for a part, so that draws in one part do not shift those in another.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self::new(self.word())
    }
}

/// The output function of splitmix64: spreads every bit of `value` over all bits of the result.
pub(crate) const fn scramble(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_words_and_others_do_not() {
        let words = |seed| {
            let mut rng = Rng::new(seed);
            [rng.word(), rng.word(), rng.word()]
        };
        assert_eq!(words(7), words(7));
        assert_ne!(words(7), words(8));
    }

    #[test]
    fn below_reaches_every_number_and_no_other() {
        let mut rng = Rng::new(1);
        let mut seen = [0_u32; 5];
        for _ in 0..1000 {
            seen[rng.index(5)] += 1;
        }
        assert!(seen.iter().all(|&count| count > 150), "{seen:?}");
    }
}
