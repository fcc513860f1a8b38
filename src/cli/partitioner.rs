//! Which partition a record with a key belongs to: the one that Kafka's own clients choose.

/// The partition of a key among `count`, at least 1.
///
/// Source: the default partitioner of Kafka's Java client: murmur2, made positive, modulo count.
pub(crate) fn partition_of(key: &[u8], count: usize) -> usize {
    let positive = murmur2(key) & 0x7fff_ffff;
    usize::try_from(positive).unwrap_or(0) % count.max(1)
}

const MULTIPLIER: u32 = 0x5bd1_e995;
const SHIFT: u32 = 24;
/// Kafka's seed.
const SEED: u32 = 0x9747_b28c;

/// Austin Appleby's MurmurHash2, 32 bits, as Kafka seeds it.
fn murmur2(bytes: &[u8]) -> u32 {
    // The hash begins with the length modulo 2^32.
    let length = u32::try_from(bytes.len() & 0xffff_ffff).unwrap_or(0);
    let mut hash = SEED ^ length;
    let words = bytes.chunks_exact(4);
    let rest = words.remainder();
    for word in words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
        k = k.wrapping_mul(MULTIPLIER);
        k ^= k >> SHIFT;
        k = k.wrapping_mul(MULTIPLIER);
        hash = hash.wrapping_mul(MULTIPLIER) ^ k;
    }
    if !rest.is_empty() {
        for (index, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(MULTIPLIER);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_hash_as_in_kafkas_java_client() {
        // Printed by org.apache.kafka.common.utils.Utils.murmur2 of Kafka 4.3.1.
        for (key, hash) in KNOWN {
            assert_eq!(i32::from_ne_bytes(murmur2(key).to_ne_bytes()), *hash, "{key:?}");
        }
    }

    const KNOWN: &[(&[u8], i32)] = &[
        (b"21", -973_932_308),
        (b"foobar", -790_332_482),
        (b"a-little-bit-long-string", -985_981_536),
        (b"a-little-bit-longer-string", -1_486_304_829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        (b"abc", 479_470_107),
    ];
}
