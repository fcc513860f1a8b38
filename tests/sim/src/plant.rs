//! Bugs put in on purpose, at the seam: what the broker asks for, or what a restart finds, is
//! perverted. Each must be found, or the checkers prove nothing.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use millrace_engine::BatchIter;
use millrace_engine::batch::{ATTRIBUTES_AT, CRC_AT};
use millrace_engine::crc::crc32c;
use millrace_io::{Op, ShardId};
use millrace_world::{Rng, World};

use crate::plan::Plant;

/// Perverts what a shard asks for.
pub fn pervert<M>(plant: Plant, world: &mut World<M>, shard: ShardId, ops: &mut Vec<Op<M>>) {
    let is_hit = |op: &Op<M>| match plant {
        Plant::AckBeforeWrite => matches!(op, Op::Write { .. }),
        Plant::LazySync => matches!(op, Op::Sync { .. }),
        Plant::EarlyCommit => matches!(op, Op::Write { chunks, .. } if has_commit(chunks)),
        // These are not at this place.
        Plant::None
        | Plant::SpoiledByte
        | Plant::ShortRecovery
        | Plant::SkippedCrc
        | Plant::SkippedCrcUnminded
        | Plant::OldGeneration
        | Plant::StaleShare
        | Plant::LostDeletion
        | Plant::HastyExpiry
        | Plant::NewerSnapshot
        | Plant::HastyTombstones
        | Plant::DroppedBatch => false,
    };
    if !ops.iter().any(is_hit) {
        return;
    }
    for op in std::mem::take(ops) {
        if is_hit(&op) {
            world.submit_lying(shard, op);
        } else {
            ops.push(op);
        }
    }
}

/// Where the rest of a batch begins, behind the stamped front of which a log makes a piece of its own.
const REST_AT: usize = 16;

/// Gives batches that are written the wrong CRCs which they would have had, had the broker not looked
/// at them; see [`crate::producer::Producer::plant`].
///
/// - `disguises`: by the CRC that a spoiled batch was sent with, the one it had before.
pub fn skip_crcs<M>(disguises: &BTreeMap<u32, u32>, ops: &mut [Op<M>]) {
    for op in ops {
        let Op::Write { chunks, .. } = op else { continue };
        for chunk in chunks {
            let at = CRC_AT - REST_AT..ATTRIBUTES_AT - REST_AT;
            let crc = chunk.get(at.clone()).and_then(|crc| crc.try_into().ok());
            if let Some(before) = crc.and_then(|crc| disguises.get(&u32::from_be_bytes(crc))) {
                let mut bytes = chunk.to_vec();
                bytes[at].copy_from_slice(&before.to_be_bytes());
                *chunk = Bytes::from(bytes);
            }
        }
    }
}

/// Gives tombstones of groups' offsets another key, so that they delete nothing.
pub fn lose_deletions<M>(ops: &mut [Op<M>]) {
    // A key, then the partition and a value's length of -1.
    const BEHIND_KEY: usize = 6;
    for op in ops {
        let Op::Write { chunks, .. } = op else { continue };
        for chunk in chunks {
            let end = chunk.len().saturating_sub(OFFSET_KEY.len() + BEHIND_KEY - 1);
            let is_tombstone = |at: &usize| {
                is_offset_key(&chunk[*at..]) && chunk[at + OFFSET_KEY.len() + BEHIND_KEY - 1] == 1
            };
            let found: Vec<usize> = (0..end).filter(is_tombstone).collect();
            let Some(checked) = ATTRIBUTES_AT.checked_sub(REST_AT).filter(|_| !found.is_empty())
            else {
                continue;
            };
            let mut bytes = chunk.to_vec();
            for at in found {
                bytes[at] = b'G';
            }
            let crc = crc32c(&bytes[checked..]);
            bytes[CRC_AT - REST_AT..checked].copy_from_slice(&crc.to_be_bytes());
            *chunk = Bytes::from(bytes);
        }
    }
}

/// The key of a group's offset: the group's name and the beginning of a topic's behind it.
const OFFSET_KEY: &[u8] = b"group-?\0\x0Dgroup-topic-";

fn is_offset_key(bytes: &[u8]) -> bool {
    bytes.len() >= OFFSET_KEY.len()
        && bytes.iter().zip(OFFSET_KEY).all(|(a, b)| a == b || *b == b'?')
}

/// Whether something is written that has the key of a group's offset.
fn has_commit(chunks: &[Bytes]) -> bool {
    chunks.iter().any(|chunk| chunk.windows(OFFSET_KEY.len()).any(is_offset_key))
}

/// Perverts what the next process finds.
pub fn spoil<M>(plant: Plant, world: &mut World<M>, rng: &mut Rng) {
    if plant == Plant::DroppedBatch {
        drop_batches(world);
    }
    if !matches!(plant, Plant::SpoiledByte | Plant::ShortRecovery) {
        return;
    }
    let logs = world.disk().files().into_iter().filter(|(path, length)| {
        let is_log = Path::new(path).extension().is_some_and(|extension| extension == "log");
        is_log && !path.contains("__cluster_metadata") && *length > 200
    });
    let logs: Vec<_> = logs.collect();
    if logs.is_empty() {
        return;
    }
    let (path, _) = &logs[rng.index(logs.len())];
    let mut content = world.disk().content(path).unwrap_or_default().to_vec();
    // Segments are reserved ahead, so the end of the records is not the end of the file.
    let end = content.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
    if end < 100 {
        return;
    }
    if plant == Plant::SpoiledByte {
        content[end - 1] ^= 0x20;
    } else {
        content.truncate(end - 1);
    }
    world.disk_mut().put(path, content);
}

/// Takes the last batch from all segments of the compacted topic but the last one.
fn drop_batches<M>(world: &mut World<M>) {
    let files = world.disk().files().into_iter();
    let mut logs: Vec<String> = files
        .map(|(path, _)| path)
        .filter(|path| path.contains("/keyed-0/"))
        .filter(|path| Path::new(path).extension() == Some("log".as_ref()))
        .collect();
    logs.sort();
    logs.pop();
    for path in logs {
        let content = world.disk().content(&path).unwrap_or_default().to_vec();
        let ends: Vec<usize> = BatchIter::new(&content)
            .scan(0, |end, batch| {
                *end += batch.bytes.len();
                Some(*end)
            })
            .collect();
        if let [.., before, _] = ends[..] {
            world.disk_mut().put(&path, content[..before].to_vec());
        }
    }
}
