//! Bugs put in on purpose, at the seam: what the broker asks for, or what a restart finds, is
//! perverted. Each must be found, or the checkers prove nothing.

use std::path::Path;

use millrace_io::{Op, ShardId};
use millrace_world::{Rng, World};

use crate::plan::Plant;

/// Perverts what a shard asks for.
pub fn pervert<M>(plant: Plant, world: &mut World<M>, shard: ShardId, ops: &mut Vec<Op<M>>) {
    let is_hit = |op: &Op<M>| match plant {
        Plant::AckBeforeWrite => matches!(op, Op::Write { .. }),
        Plant::LazySync => matches!(op, Op::Sync { .. }),
        Plant::None | Plant::SpoiledByte | Plant::ShortRecovery => false,
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

/// Perverts what the next process finds.
pub fn spoil<M>(plant: Plant, world: &mut World<M>, rng: &mut Rng) {
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
