//! CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of batches and producer snapshots.
//!
//! The whole is one call into `crc-fast`, which picks carry-less multiplication or the CRC
//! instruction at run time. What is ours is [`replaced_prefix`]: changing bytes under a checksum
//! without reading what follows them.

use crc_fast::CrcAlgorithm::Crc32Iscsi;

/// The CRC-32C of `bytes`.
pub fn crc32c(bytes: &[u8]) -> u32 {
    narrow(crc_fast::checksum(Crc32Iscsi, bytes))
}

/// The CRC-32C of two pieces in a row, from the CRC-32C of each.
///
/// - `back_bytes`: length of the second piece, bytes; no matter how long, eight multiplications.
///
/// A checksum is a polynomial over GF(2) modulo P. Appending `n` bytes multiplies what was there
/// by x^(8n); the tables hold that power for each byte of `n`, so it takes one multiplication per
/// byte that is not zero. (`crc-fast` has a function for this which squares matrices: 36 us a call.)
pub fn combine(front: u32, back: u32, back_bytes: u64) -> u32 {
    let mut shifted = front;
    for (table, digit) in POWERS.iter().zip(back_bytes.to_le_bytes()) {
        if digit != 0 {
            shifted = multiply(table[usize::from(digit)], shifted);
        }
    }
    shifted ^ back
}

/// The CRC-32C of a message whose prefix changes from `old` to `new` and whose rest stays.
///
/// - `whole`: CRC-32C of `old` followed by the rest.
/// - `old`, `new`: the prefix before and after, of equal length.
/// - `rest_bytes`: length of what follows the prefix, bytes; it is not read.
///
/// Why it holds: appending `n` bytes to a message moves its checksum by a linear function
/// `shift(_, n)`, so `crc(p ++ r) = shift(crc(p), n) ^ crc(r)`. The rest's own part is the same
/// before and after, hence `crc(new ++ r) = crc(old ++ r) ^ shift(crc(old) ^ crc(new), n)`, and
/// `combine(a, b, n)` is `shift(a, n) ^ b`.
pub fn replaced_prefix(whole: u32, old: &[u8], new: &[u8], rest_bytes: u64) -> u32 {
    assert_eq!(old.len(), new.len(), "a replaced prefix keeps its length");
    combine(crc32c(old) ^ crc32c(new), whole, rest_bytes)
}

/// Castagnoli's polynomial without its highest term; bit 31 is x^0, bit 0 is x^31.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// `POWERS[k][d]` is x^(8 * d * 256^k) modulo P.
static POWERS: [[u32; 256]; 8] = powers();

const fn powers() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    // x^8: one byte further.
    let mut step = 1 << 23;
    let mut k = 0;
    while k < 8 {
        let mut power = 1 << 31;
        let mut digit = 0;
        while digit < 256 {
            tables[k][digit] = power;
            power = multiply(power, step);
            digit += 1;
        }
        // After 256 steps the power is the next table's step.
        step = power;
        k += 1;
    }
    tables
}

/// The product of two polynomials modulo P.
const fn multiply(a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    let mut bit = 32;
    while bit > 0 {
        bit -= 1;
        // All ones where the bit is set: no branch on data.
        product ^= b & 0_u32.wrapping_sub((a >> bit) & 1);
        b = (b >> 1) ^ (POLYNOMIAL & 0_u32.wrapping_sub(b & 1));
    }
    product
}

/// `crc-fast` answers 32-bit algorithms in the low half of 64 bits.
fn narrow(wide: u64) -> u32 {
    u32::try_from(wide).expect("a 32-bit checksum fits 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition: one bit at a time, reflected polynomial 0x82f63b78.
    fn bitwise(bytes: &[u8]) -> u32 {
        let mut state = u32::MAX;
        for byte in bytes {
            state ^= u32::from(*byte);
            for _ in 0..8 {
                let low = state & 1;
                state = (state >> 1) ^ (0x82f6_3b78 * low);
            }
        }
        !state
    }

    #[test]
    fn the_vectors_of_rfc_3720_hold() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        let rising: Vec<u8> = (0..32).collect();
        assert_eq!(crc32c(&rising), 0x46dd_794e);
        let falling: Vec<u8> = (0..32).rev().collect();
        assert_eq!(crc32c(&falling), 0x113f_db5c);
        assert_eq!(crc32c(&[]), 0);
    }

    // Kernels switch at different lengths and alignments: every length over several vector widths,
    // at every alignment of a cache line, must agree with the definition.
    #[test]
    fn every_length_and_alignment_agrees_with_the_definition() {
        let data: Vec<u8> =
            (0..4096_u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        for length in 0..1100 {
            let start = length % 64;
            let piece = &data[start..start + length];
            assert_eq!(crc32c(piece), bitwise(piece), "length {length} at {start}");
        }
    }

    proptest! {
        #[test]
        fn long_pieces_agree_with_an_independent_crate(
            data in proptest::collection::vec(any::<u8>(), 0..70_000),
        ) {
            prop_assert_eq!(crc32c(&data), ::crc32c::crc32c(&data));
        }

        // Lengths that no test can allocate: two shifts in a row are one shift by the sum.
        #[test]
        fn combining_adds_up_at_any_length(
            front in any::<u32>(),
            lengths in any::<(u32, u64)>().prop_map(|(a, b)| (u64::from(a), b >> 1)),
        ) {
            prop_assert_eq!(
                combine(combine(front, 0, lengths.0), 0, lengths.1),
                combine(front, 0, lengths.0 + lengths.1)
            );
        }

        #[test]
        fn combining_equals_computing_again(
            front in proptest::collection::vec(any::<u8>(), 0..100),
            back in proptest::collection::vec(any::<u8>(), 0..5000),
        ) {
            let whole: Vec<u8> = front.iter().chain(&back).copied().collect();
            prop_assert_eq!(
                combine(crc32c(&front), crc32c(&back), back.len() as u64),
                crc32c(&whole)
            );
        }

        #[test]
        fn replacing_a_prefix_equals_computing_again(
            pairs in proptest::collection::vec(any::<(u8, u8)>(), 0..64),
            rest in proptest::collection::vec(any::<u8>(), 0..5000),
        ) {
            let (old, new): (Vec<u8>, Vec<u8>) = pairs.into_iter().unzip();
            let before: Vec<u8> = old.iter().chain(&rest).copied().collect();
            let after: Vec<u8> = new.iter().chain(&rest).copied().collect();
            prop_assert_eq!(
                replaced_prefix(crc32c(&before), &old, &new, rest.len() as u64),
                crc32c(&after)
            );
        }
    }
}
