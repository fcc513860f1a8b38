//! What the logs of the offsets topic tell, read from the simulated disk without the broker, beside
//! what its coordinators know. Whether they loaded a snapshot, or the log alone, compacted or not, must
//! make no difference.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use millrace::coordinator::{
    ConsumerRecord, GroupConfig, GroupCoordinator, GroupRecord, SnapshotWalk,
};
use millrace::shard::GroupState;
use millrace_engine::crc::crc32c;
use millrace_engine::{BatchBuilder, BatchIter, BatchSpec, BatchView, OpenBatch};
use millrace_io::Op;
use millrace_world::{Disk, World};

/// Most bytes that a batch unpacks to.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Values by key, as a log without history would have them.
type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// What a folder's log tells below an offset, and where it begins; none while compaction exchanges
/// its files, or if a record cannot be read.
fn told(disk: &Disk, folder: &Path, until: i64) -> Option<(Records, i64)> {
    let mut batches = BTreeMap::new();
    for (name, _) in disk.files() {
        let path = Path::new(&name);
        if path.parent() != Some(folder) {
            continue;
        }
        match path.extension().and_then(|it| it.to_str()) {
            Some("cleaned" | "swap") => return None,
            Some("log") => {
                let content = disk.content(path).unwrap_or_default();
                for batch in BatchIter::new(content) {
                    batches.insert(batch.header.base_offset, batch.bytes);
                }
            }
            Some(_) | None => {}
        }
    }
    let start = batches.first_key_value().map_or(0, |(base, _)| base.0);
    let mut coordinator = GroupCoordinator::new(GroupConfig::default(), 0);
    for bytes in batches.values() {
        for batch in BatchIter::new(bytes) {
            let open = OpenBatch::open(&batch, BODY_BYTES_MAX).ok()?;
            for record in open.records() {
                let record = record.ok()?;
                if record.offset.0 < until {
                    let key = record.record.key.unwrap_or_default();
                    coordinator.replay_bytes(key, record.record.value).ok()?;
                }
            }
        }
    }
    let mut records = Records::new();
    coordinator.snapshot_piece(&mut SnapshotWalk::default(), usize::MAX, |key, value| {
        records.insert(key.to_vec(), value.to_vec());
    });
    Some((records, start))
}

/// Compares what a coordinator knows with what its whole log tells. False if that could not be done
/// now; an error says what differs.
pub fn compare(disk: &Disk, state: &GroupState) -> Result<bool, String> {
    let Some((told, _)) = told(disk, &state.folder, state.next_offset) else { return Ok(false) };
    let folder = state.folder.display();
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    for key in told.keys().chain(state.records.keys()) {
        let (log, known) = (told.get(key), state.records.get(key));
        if log != known {
            let [log, known] = [log, known].map(|it| it.map(|it| text(it)));
            let key = text(key);
            let end = state.next_offset;
            return Err(format!(
                "{folder} below {end}: of {key} the log tells {log:?}, its coordinator {known:?}"
            ));
        }
    }
    Ok(true)
}

/// A group that ends: whoever joins next begins it anew, with the first epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Its name.
    pub group: String,
    /// Whether it was one of the consumer protocol: nobody can have joined it since this was decided.
    pub was_consumer: bool,
}

/// What every key of the groups' offsets topic has behind its type and the name's length.
const NAME_BEGINS: &[u8] = b"group-";

/// The groups that end with what a shard is about to append.
pub fn ended<M>(ops: &[Op<M>]) -> Vec<End> {
    let mut ends = Vec::new();
    for op in ops {
        let Op::Write { chunks, .. } = op else { continue };
        // The front of a batch that is appended is a piece of its own. What a start writes once more is
        // one piece, and old.
        let is_append = chunks.len() > 1;
        let is_it = |chunk: &Bytes| chunk.windows(NAME_BEGINS.len()).any(|at| at == NAME_BEGINS);
        if is_append && chunks.iter().any(is_it) {
            let bytes = chunks.concat();
            ends.extend(BatchIter::new(&bytes).filter_map(|batch| ended_by(&batch)));
        }
    }
    ends
}

/// The group that ends with a batch: a coordinator puts a group's change in one. A group that changes
/// its protocol while it has members ends as one and goes on as the other, in the same batch.
fn ended_by(batch: &BatchView<'_>) -> Option<End> {
    let open = OpenBatch::open(batch, BODY_BYTES_MAX).ok()?;
    let (mut end, mut goes_on) = (None, false);
    for record in open.records() {
        let record = record.ok()?.record;
        let read = GroupRecord::decode(record.key.unwrap_or_default(), record.value).ok()?;
        match read {
            Some(GroupRecord::Group(group, None)) => {
                end = Some(End { group, was_consumer: false });
            }
            Some(GroupRecord::Consumer(group, ConsumerRecord::Epoch(None))) => {
                end = Some(End { group, was_consumer: true });
            }
            Some(GroupRecord::Group(_, Some(_))) => goes_on = true,
            Some(GroupRecord::Consumer(_, ConsumerRecord::Member(_, Some(member)))) => {
                goes_on |= member.classic_member_metadata.is_some();
            }
            Some(GroupRecord::Offset(..) | GroupRecord::Consumer(..)) | None => {}
        }
    }
    end.filter(|_| !goes_on)
}

/// Snapshots of all that the logs tell now, which claim to be of their beginnings: by path.
pub fn snapshots<M>(world: &World<M>) -> Vec<(PathBuf, Vec<u8>)> {
    let disk = world.disk();
    let files = disk.files().into_iter();
    let folders: std::collections::BTreeSet<PathBuf> = files
        .filter_map(|(name, _)| Path::new(&name).parent().map(Path::to_path_buf))
        .filter(|folder| folder.to_string_lossy().contains("__consumer_offsets-"))
        .collect();
    let at_ms = world.wall_beyond_ms() + i64::try_from(world.time() / 1_000_000).unwrap_or(0);
    let snapshot = |folder: PathBuf| {
        let (records, start) = told(disk, &folder, i64::MAX)?;
        Some((folder.join("coordinator.state"), encode(&records, start, at_ms)?))
    };
    folders.into_iter().filter_map(snapshot).collect()
}

/// A snapshot as docs/FORMAT.md has it, of a log that goes on at its start.
fn encode(records: &Records, log_start: i64, at_ms: i64) -> Option<Vec<u8>> {
    let mut builder = BatchBuilder::new(BatchSpec::default());
    for (key, value) in records {
        builder.append(at_ms, Some(key), Some(value), &[]);
    }
    let batch: Bytes = if records.is_empty() { return None } else { builder.build().ok()? };
    let count = i64::try_from(records.len()).ok()?;
    let mut trailer = b"MILLRGRP".to_vec();
    trailer.extend(1_u64.wrapping_shl(32).to_be_bytes());
    for field in [log_start, log_start, log_start, at_ms, count] {
        trailer.extend(field.to_be_bytes());
    }
    trailer.extend([0; 4]);
    trailer.extend(crc32c(&trailer).to_be_bytes());
    Some([&batch[..], &trailer].concat())
}
