//! Kafka's checkpoint files: recovery points, log starts and high watermarks, one file of each per
//! log dir, for all shards' partitions.
//!
//! Shard 0 asks at the intervals that Kafka has for them, the others tell where their logs stand,
//! and what changed is written aside and renamed. Nothing here is synced while the broker runs: a
//! torn file is refused as a whole, and a start then reads more. At a clean stop they are synced.
//!
//! Millrace itself opens its logs by its own checkpoints; these files are for folders that Kafka is
//! to open, and for the case that a checkpoint of ours is damaged.

use std::sync::Arc;

use bytes::Bytes;
use millrace_engine::Offset;
use millrace_engine::checkpoint_file::{
    HIGH_WATERMARK_FILE, LOG_START_FILE, OffsetEntry, RECOVERY_POINT_FILE, write_offsets,
};
use millrace_io::{Mono, ShardId};

use super::{Due, LifeLetter, Shard, Turn};
use crate::mail::Letter;
use crate::shard::partitions::Partition;

/// Intervals below this, ms, are taken for this: each round asks every shard.
const INTERVAL_MS_MIN: u64 = 100;

/// Where one log stands, for the files.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// Log dir, by index.
    log_dir: usize,
    topic: Arc<str>,
    partition: i32,
    /// Everything below is on the device.
    recovery_point: Offset,
    log_start: Offset,
    high_watermark: Offset,
    /// The log failed: its folder is not as a clean stop leaves it.
    pub(super) is_failed: bool,
}

impl Standing {
    /// Its log dir, by index.
    pub(super) const fn log_dir(&self) -> usize {
        self.log_dir
    }
}

/// One of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OffsetFile {
    RecoveryPoints,
    LogStarts,
    HighWatermarks,
}

pub(super) const OFFSET_FILES: [OffsetFile; 3] =
    [OffsetFile::RecoveryPoints, OffsetFile::LogStarts, OffsetFile::HighWatermarks];

impl OffsetFile {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::RecoveryPoints => RECOVERY_POINT_FILE,
            Self::LogStarts => LOG_START_FILE,
            Self::HighWatermarks => HIGH_WATERMARK_FILE,
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::RecoveryPoints => 0,
            Self::LogStarts => 1,
            Self::HighWatermarks => 2,
        }
    }

    fn offset(self, standing: &Standing) -> Offset {
        match self {
            Self::RecoveryPoints => standing.recovery_point,
            Self::LogStarts => standing.log_start,
            Self::HighWatermarks => standing.high_watermark,
        }
    }

    /// The file's content for one log dir.
    pub(super) fn content(self, dir: usize, standings: &[Standing]) -> Bytes {
        let mut entries: Vec<OffsetEntry> = standings
            .iter()
            .filter(|standing| standing.log_dir == dir)
            // Where a log starts is told only where the segments do not tell it.
            .filter(|standing| self != Self::LogStarts || standing.log_start > Offset(0))
            .map(|standing| OffsetEntry {
                topic: standing.topic.to_string(),
                partition: standing.partition,
                offset: self.offset(standing),
            })
            .collect();
        entries.sort();
        Bytes::from(write_offsets(entries.iter()))
    }
}

/// What shard 0 knows of all logs, and of its files.
#[derive(Debug, Default)]
pub(super) struct OffsetFiles {
    /// The latest of each shard.
    standings: Vec<Vec<Standing>>,
    /// Shards that have not told yet, in the round under way.
    shards_left: u16,
    /// What the round is for.
    due: Vec<OffsetFile>,
    /// When each file is due next.
    next: [Mono; OFFSET_FILES.len()],
    /// What each file of each log dir holds.
    contents: Vec<[Bytes; OFFSET_FILES.len()]>,
}

impl Shard {
    /// Shard 0: the files are kept from here on.
    pub(super) fn begin_offset_files(&mut self, turn: &Turn) {
        let files = &mut self.life.offset_files;
        files.standings = (0..self.setup.shards).map(|_| Vec::new()).collect();
        files.contents = vec![Default::default(); self.setup.log_dirs.len()];
        let now = turn.now.mono;
        files.next = self.setup.offset_files_ms.map(|ms| now.plus_ms(ms.max(INTERVAL_MS_MIN)));
        self.await_offset_files();
    }

    fn await_offset_files(&mut self) {
        if let Some(next) = self.life.offset_files.next.iter().min() {
            self.deadlines.add(*next, Due::OffsetFiles);
        }
    }

    /// Shard 0: asks where the logs stand.
    pub(in crate::shard) fn on_offset_files_due(&mut self, turn: &Turn) {
        if self.is_stopping() {
            return;
        }
        let files = &mut self.life.offset_files;
        let now = turn.now.mono;
        for file in OFFSET_FILES {
            if files.next[file.index()] <= now {
                let ms = self.setup.offset_files_ms[file.index()].max(INTERVAL_MS_MIN);
                files.next[file.index()] = now.plus_ms(ms);
                files.due.push(file);
            }
        }
        if files.shards_left == 0 {
            files.shards_left = self.setup.shards;
            self.send_all(|| Letter::Life(LifeLetter::TellOffsets));
        }
        self.await_offset_files();
    }

    /// Tells shard 0 where the logs stand; nothing if none has moved since it was told.
    pub(super) fn tell_offsets(&mut self) {
        let has_moved = std::mem::take(&mut self.partitions.has_moved);
        let standings = has_moved.then(|| self.standings());
        self.send(ShardId(0), Letter::Life(LifeLetter::Offsets(standings)));
    }

    /// Where this shard's logs stand.
    pub(super) fn standings(&self) -> Vec<Standing> {
        self.partitions.iter().map(standing).collect()
    }

    /// Shard 0: a shard has told.
    pub(super) fn on_offsets(
        &mut self,
        turn: &mut Turn,
        from: ShardId,
        standings: Option<Vec<Standing>>,
    ) {
        let files = &mut self.life.offset_files;
        if let (Some(standings), Some(known)) =
            (standings, files.standings.get_mut(usize::from(from.0)))
        {
            *known = standings;
        }
        files.shards_left = files.shards_left.saturating_sub(1);
        if files.shards_left > 0 || self.is_stopping() {
            return;
        }
        let due = std::mem::take(&mut self.life.offset_files.due);
        let all = self.life.offset_files.standings.concat();
        for dir in 0..self.setup.log_dirs.len() {
            for file in &due {
                let content = file.content(dir, &all);
                let held = &mut self.life.offset_files.contents[dir][file.index()];
                if *held != content {
                    held.clone_from(&content);
                    let path = self.setup.log_dirs[dir].path.join(file.name());
                    let job = u32::try_from(dir * OFFSET_FILES.len() + file.index() + 1);
                    self.begin_slow_write(turn, job.unwrap_or(u32::MAX), path, content);
                }
            }
        }
    }
}

fn standing(partition: &Partition) -> Standing {
    let log = &partition.log;
    let (recovery_point, log_start, high_watermark) = match &partition.opening {
        // Nothing is known of it yet, or ever will be, but what the last process left.
        Some(opening) => (opening.recovery_point, opening.log_start, opening.high_watermark),
        None => (log.durable_offset(), log.log_start_offset(), log.high_watermark()),
    };
    Standing {
        log_dir: partition.log_dir,
        topic: Arc::clone(&partition.topic),
        partition: partition.id.index,
        recovery_point,
        log_start,
        high_watermark,
        is_failed: partition.has_failed || log.has_failed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_the_partitions_of_its_dir_in_order_and_starts_only_where_they_differ() {
        let standing = |log_dir, topic: &str, partition, log_start| Standing {
            log_dir,
            topic: Arc::from(topic),
            partition,
            recovery_point: Offset(7),
            log_start: Offset(log_start),
            high_watermark: Offset(9),
            is_failed: false,
        };
        let all = [standing(0, "b", 1, 0), standing(1, "a", 0, 4), standing(0, "a", 2, 3)];
        let text = |file: OffsetFile, dir| {
            String::from_utf8(file.content(dir, &all).to_vec()).expect("text")
        };
        assert_eq!(text(OffsetFile::RecoveryPoints, 0), "0\n2\na 2 7\nb 1 7\n");
        assert_eq!(text(OffsetFile::HighWatermarks, 1), "0\n1\na 0 9\n");
        assert_eq!(text(OffsetFile::LogStarts, 0), "0\n1\na 2 3\n");
        assert_eq!(text(OffsetFile::LogStarts, 2), "0\n0\n");
    }
}
