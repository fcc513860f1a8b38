//! Round trips, bounds, hostile bytes, and frames that other implementations wrote.

use super::*;
use proptest::prelude::*;

const CODECS: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

#[test]
fn a_bomb_is_stopped_at_the_limit() {
    let plain = vec![0; 4 << 20];
    for codec in CODECS {
        let packed = compress(codec, &plain, None).expect("packs");
        assert_eq!(decompress(codec, &packed, plain.len()).expect("fits").len(), plain.len());
        assert_eq!(
            decompress(codec, &packed, plain.len() - 1),
            Err(CompressionError::TooLarge { limit_bytes: plain.len() - 1 }),
            "{codec:?}"
        );
        assert_eq!(
            decompress(codec, &packed, 1000),
            Err(CompressionError::TooLarge { limit_bytes: 1000 })
        );
    }
}

#[test]
fn a_cut_frame_is_corrupt_and_never_shorter_data() {
    let plain: Vec<u8> = (0..100_000_u32).flat_map(|i| (i / 7).to_be_bytes()).collect();
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let packed = compress(codec, &plain, None).expect("packs");
        for cut in [1, 5, 13, packed.len() / 2, packed.len() - 9] {
            let result = decompress(codec, &packed[..cut], usize::MAX);
            assert!(
                matches!(result, Err(CompressionError::Corrupt { .. })),
                "{codec:?} cut at {cut} gave {:?} bytes",
                result.map(|plain| plain.len())
            );
        }
    }
}

#[test]
fn raw_snappy_and_streams_in_a_row_are_read() {
    let raw = snap::raw::Encoder::new().compress_vec(b"raw snappy").expect("packs");
    assert_eq!(decompress(Codec::Snappy, &raw, 100).as_deref(), Ok(&b"raw snappy"[..]));
    let one = compress(Codec::Snappy, b"stream ", None).expect("packs");
    assert_eq!(&one[..16], b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
    let two = [one.clone(), one].concat();
    assert_eq!(decompress(Codec::Snappy, &two, 100).as_deref(), Ok(&b"stream stream "[..]));
}

// Written by the reference tools (gzip 1.12, lz4 1.9.4, zstd 1.5) of b"millrace millrace millrace\n".
#[test]
fn frames_of_the_reference_tools_are_read() {
    let plain = b"millrace millrace millrace\n";
    assert_eq!(decompress(Codec::Gzip, GOLDEN_GZIP, 100).as_deref(), Ok(&plain[..]));
    for frame in [GOLDEN_LZ4, GOLDEN_LZ4_LINKED] {
        assert_eq!(decompress(Codec::Lz4, frame, 100).as_deref(), Ok(&plain[..]));
    }
    assert_eq!(decompress(Codec::Zstd, GOLDEN_ZSTD, 100).as_deref(), Ok(&plain[..]));
}

const GOLDEN_GZIP: &[u8] = &[
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0xcd, 0xcc, 0xc9, 0x29, 0x4a,
    0x4c, 0x4e, 0x55, 0xc8, 0x45, 0x67, 0x70, 0x01, 0x00, 0xb7, 0x57, 0xfc, 0x9e, 0x1b, 0x00, 0x00,
    0x00,
];
const GOLDEN_LZ4: &[u8] = &[
    0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7, 0x12, 0x00, 0x00, 0x00, 0x99, 0x6d, 0x69, 0x6c, 0x6c,
    0x72, 0x61, 0x63, 0x65, 0x20, 0x09, 0x00, 0x50, 0x72, 0x61, 0x63, 0x65, 0x0a, 0x00, 0x00, 0x00,
    0x00, 0x1f, 0x0f, 0xc4, 0x5e,
];
const GOLDEN_LZ4_LINKED: &[u8] = &[
    0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 0x12, 0x00, 0x00, 0x00, 0x99, 0x6d, 0x69, 0x6c, 0x6c,
    0x72, 0x61, 0x63, 0x65, 0x20, 0x09, 0x00, 0x50, 0x72, 0x61, 0x63, 0x65, 0x0a, 0x00, 0x00, 0x00,
    0x00,
];
const GOLDEN_ZSTD: &[u8] = &[
    0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x85, 0x00, 0x00, 0x50, 0x6d, 0x69, 0x6c, 0x6c, 0x72, 0x61,
    0x63, 0x65, 0x20, 0x0a, 0x01, 0x00, 0x9c, 0xcb, 0x11, 0x54, 0x13, 0xcf, 0x15,
];

proptest! {
    #[test]
    fn every_codec_round_trips(
        plain in proptest::collection::vec(0_u8..8, 0..100_000),
        level in proptest::option::of(-10_i32..30),
    ) {
        for codec in CODECS {
            // The slowest levels take seconds; they have their own range elsewhere.
            let level = level.filter(|level| codec != Codec::Zstd || *level < 6);
            let packed = compress(codec, &plain, level).expect("packs");
            let back = decompress(codec, &packed, plain.len());
            prop_assert_eq!(back.as_deref(), Ok(&plain[..]), "{:?}", codec);
        }
    }

    #[test]
    fn no_bytes_make_unpacking_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..300),
        front in 0_usize..5,
    ) {
        // Give each codec inputs that get past its magic.
        let magic: &[u8] = [
            &b""[..],
            &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3],
            &b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\0\0"[..],
            &[0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82],
            &[0x28, 0xb5, 0x2f, 0xfd],
        ][front];
        bytes.splice(0..0, magic.iter().copied());
        for codec in CODECS {
            let _ = decompress(codec, &bytes, 1 << 16);
        }
    }
}
