//! Randomness as a value: everything random in the broker comes from one seed.
//!
//! For ids, jitter and choices, not for secrets. The generator is SplitMix64.

/// A seeded generator.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator whose whole sequence `seed` decides.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// The next 32 bits.
    pub fn u32(&mut self) -> u32 {
        u32::try_from(self.u64() >> 32).unwrap_or(0)
    }

    /// A random (version 4) id that Kafka does not reserve.
    ///
    /// Kafka never hands out ids whose text starts with a dash, because tools would take them for
    /// options.
    pub fn uuid(&mut self) -> millrace_wire::Uuid {
        loop {
            let bits = u128::from(self.u64()) << 64 | u128::from(self.u64());
            let bits = bits & !(0xf << 76) | (0x4 << 76);
            let bits = bits & !(0x3 << 62) | (0x2 << 62);
            let id = millrace_wire::Uuid(bits);
            if !id.to_string().starts_with('-') {
                return id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids_and_they_are_version_4() {
        let (mut a, mut b) = (Random::new(7), Random::new(7));
        for _ in 0..100 {
            let id = a.uuid();
            assert_eq!(id, b.uuid());
            assert_eq!((id.0 >> 76) & 0xf, 4);
            assert_eq!((id.0 >> 62) & 0x3, 2);
        }
    }
}
