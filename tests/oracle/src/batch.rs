//! Record batches (magic 2) from a description and back.
//!
//! A description is a list of objects. Each may set `base_offset`, `leader_epoch`, `magic`,
//! `attributes`, `base_timestamp`, `max_timestamp`, `producer_id`, `producer_epoch`,
//! `base_sequence`, `count` (when it shall not match), `last_offset_delta`, `crc` (added to the
//! right one, to make a wrong one) and either `records` (a list of `[key, value]` or
//! `{key, value, delta, headers}`; text or null) or `payload` (hex of an already compressed
//! records section, with `count`), and `cut` (bytes left off the end).

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::codec::{Input, from_hex, put_uvarint, to_hex};

/// The timestamp that batches carry when a description sets none: 2023-11-14T22:13:20Z, in ms.
pub const TIMESTAMP: i64 = 1_700_000_000_000;

/// CRC-32C (Castagnoli), bit by bit: slow and plainly right.
pub fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}

/// The bytes of a list of described batches.
pub fn encode_all(described: &Value) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for batch in described.as_array().context("records: not a list")? {
        match batch {
            Value::String(hex) => out.extend_from_slice(&from_hex(hex)?),
            described => encode(&mut out, described)?,
        }
    }
    Ok(out)
}

fn encode(out: &mut Vec<u8>, batch: &Value) -> Result<()> {
    let int = |name: &str, default: i64| batch[name].as_i64().unwrap_or(default);
    let none = Vec::new();
    let records = batch["records"].as_array().unwrap_or(&none);
    let repeat = int("repeat", 1);
    let mut payload = Vec::new();
    let mut count = 0;
    if let Some(hex) = batch["payload"].as_str() {
        payload = from_hex(hex)?;
    } else {
        for _ in 0..repeat {
            for record in records {
                put_record(&mut payload, record, count);
                count += 1;
            }
        }
    }
    let count = int("count", count);
    let base_timestamp = int("base_timestamp", TIMESTAMP);
    let last_delta = int("last_offset_delta", count - 1);
    let mut tail = Vec::new();
    tail.extend_from_slice(&low::<2>(int("attributes", 0)));
    tail.extend_from_slice(&low::<4>(last_delta));
    tail.extend_from_slice(&base_timestamp.to_be_bytes());
    let delta_max = records.iter().filter_map(|record| record["delta"].as_i64()).max();
    let newest = base_timestamp + delta_max.unwrap_or(0);
    tail.extend_from_slice(&int("max_timestamp", newest).to_be_bytes());
    tail.extend_from_slice(&int("producer_id", -1).to_be_bytes());
    tail.extend_from_slice(&low::<2>(int("producer_epoch", -1)));
    tail.extend_from_slice(&low::<4>(int("base_sequence", -1)));
    tail.extend_from_slice(&low::<4>(count));
    tail.extend_from_slice(&payload);
    let crc = i64::from(crc32c(&tail)) + int("crc", 0);

    let start = out.len();
    out.extend_from_slice(&int("base_offset", 0).to_be_bytes());
    let length = int("length", i64::try_from(tail.len())? + 9);
    out.extend_from_slice(&low::<4>(length));
    out.extend_from_slice(&low::<4>(int("leader_epoch", -1)));
    out.extend_from_slice(&low::<1>(int("magic", 2)));
    out.extend_from_slice(&low::<4>(crc));
    out.extend_from_slice(&tail);
    let cut = usize::try_from(int("cut", 0))?;
    out.truncate(out.len().saturating_sub(cut).max(start));
    Ok(())
}

fn low<const N: usize>(value: i64) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&value.to_be_bytes()[8 - N..]);
    bytes
}

fn put_varint(out: &mut Vec<u8>, value: i64) {
    put_uvarint(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

fn put_blob(out: &mut Vec<u8>, blob: &Value) {
    match blob.as_str() {
        None => put_varint(out, -1),
        Some(text) => {
            put_varint(out, text.len() as i64);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

fn put_record(out: &mut Vec<u8>, record: &Value, index: i64) {
    let (key, value) = match record {
        Value::Array(pair) => (&pair[0], &pair[1]),
        other => (&other["key"], &other["value"]),
    };
    let none = Vec::new();
    let headers = record["headers"].as_array().unwrap_or(&none);
    let mut body = vec![0];
    put_varint(&mut body, record["delta"].as_i64().unwrap_or(0));
    put_varint(&mut body, record["offset"].as_i64().unwrap_or(index));
    put_blob(&mut body, key);
    put_blob(&mut body, value);
    put_varint(&mut body, headers.len() as i64);
    for header in headers {
        put_blob(&mut body, &header[0]);
        put_blob(&mut body, &header[1]);
    }
    put_varint(out, body.len() as i64);
    out.extend_from_slice(&body);
}

/// The batches in `bytes` as trees; an incomplete last one shows as `{"partial": bytes}`.
pub fn decode_all(bytes: &[u8]) -> Result<Value> {
    let mut batches = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let size = rest.get(8..12).map(|length| {
            12 + length.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte))
        });
        match size {
            Some(size) if (61..=rest.len()).contains(&size) => {
                batches.push(decode(&rest[..size])?);
                at += size;
            }
            _ => {
                batches.push(json!({ "partial": rest.len() }));
                break;
            }
        }
    }
    Ok(Value::Array(batches))
}

fn decode(bytes: &[u8]) -> Result<Value> {
    let mut input = Input { bytes, at: 0 };
    let base_offset = input.int(8, true)?;
    input.int(4, true)?;
    let leader_epoch = input.int(4, true)?;
    let magic = input.int(1, true)?;
    let crc = input.int(4, false)?;
    let right = crc == i64::from(crc32c(&bytes[input.at..]));
    let attributes = input.int(2, true)?;
    let last_offset_delta = input.int(4, true)?;
    let base_timestamp = input.int(8, true)?;
    // With LogAppendTime the broker writes its clock here.
    let max_timestamp = match (attributes & 8, input.int(8, true)?) {
        (8, time) if time > TIMESTAMP => json!("<now>"),
        (_, time) => json!(time),
    };
    let producer_id = input.int(8, true)?;
    let producer_epoch = input.int(2, true)?;
    let base_sequence = input.int(4, true)?;
    let count = input.int(4, true)?;
    let payload = &bytes[input.at..];
    let has_horizon = attributes & HORIZON != 0;
    let shown = match payload.len() {
        _ if has_horizon => json!(plain(payload, count)?),
        length if length > 200 => json!(format!("{length} bytes, crc {:08x}", crc32c(payload))),
        _ => json!(to_hex(payload)),
    };
    // The time until which tombstones are kept is counted from the broker's clock.
    let base_timestamp = if has_horizon { json!("<now>") } else { json!(base_timestamp) };
    Ok(json!({
        "base_offset": base_offset, "leader_epoch": leader_epoch, "magic": magic,
        "crc_right": right, "attributes": attributes, "last_offset_delta": last_offset_delta,
        "base_timestamp": base_timestamp, "max_timestamp": max_timestamp,
        "producer_id": producer_id, "producer_epoch": producer_epoch,
        "base_sequence": base_sequence, "count": count, "payload": shown,
    }))
}

/// Attribute bit of a batch whose base timestamp is a delete horizon.
const HORIZON: i64 = 64;

/// Records as offset delta, key and value: what is left of those whose times are counted from a
/// horizon.
fn plain(payload: &[u8], count: i64) -> Result<Vec<Value>> {
    let mut input = Input { bytes: payload, at: 0 };
    let blob = |input: &mut Input<'_>| -> Result<Value> {
        let length = varint(input)?;
        if length < 0 {
            return Ok(Value::Null);
        }
        Ok(json!(to_hex(input.take(usize::try_from(length)?)?)))
    };
    (0..count)
        .map(|_| {
            let length = varint(&mut input)?;
            let end = input.at + usize::try_from(length)?;
            input.take(1)?;
            varint(&mut input)?;
            let offset = varint(&mut input)?;
            let record = json!([offset, blob(&mut input)?, blob(&mut input)?]);
            input.at = end;
            Ok(record)
        })
        .collect()
}

/// A signed varint (zigzag).
fn varint(input: &mut Input<'_>) -> Result<i64> {
    let coded = input.uvarint()?;
    Ok((coded >> 1).cast_signed() ^ -(coded & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32c_gives_the_check_value_of_rfc_3720() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn a_batch_that_is_encoded_decodes_to_its_description() {
        let described = json!([{ "records": [["k", "v"], [null, null]], "producer_id": 7 }]);
        let decoded = decode_all(&encode_all(&described).unwrap()).unwrap();
        assert_eq!(decoded[0]["count"], 2);
        assert_eq!(decoded[0]["producer_id"], 7);
        assert_eq!(decoded[0]["crc_right"], true);
    }
}
