//! Finishes what a compaction of Apache Kafka left half done.
//!
//! Compaction writes `.cleaned` files, renames them to `.swap` once they are whole and synced, and
//! then puts them in the place of the segments they were made of. So `.swap` beside `.cleaned` of
//! the same or a lower offset is not whole yet and goes; any other `.swap` replaces every segment
//! that starts within it. Removal comes before renaming, and both may be done twice: a crash in
//! between leaves what the next start finishes. Source: Kafka's `LogLoader`.

use bytes::Bytes;
use millrace_io::{DirEntry, FileRef, IoError, Op, OpenMode};

use super::{Failure, Progress, Recovery, Scanner, Step, Want};
use crate::Offset;
use crate::log::Log;
use crate::segment::{
    CLEANED_SUFFIX, LOG_SUFFIX, SEGMENT_SUFFIXES, SWAP_SUFFIX, file_name, parse_file_name,
};

/// Swap files that wait for their places.
#[derive(Debug, Default)]
pub(super) struct Swap {
    /// Base offsets of the `.log.swap` files that are still to be read, with their lengths.
    unread: Vec<(Offset, u64)>,
    /// All swap files that count.
    names: Vec<String>,
    /// Segments that are there.
    existing: Vec<Offset>,
    /// Those of them that start within a swap file.
    covered: Vec<Offset>,
    scan: Option<(Offset, FileRef, Scanner)>,
    is_removed: bool,
}

impl Log {
    /// Begins to put swap files into their places; false if there are none.
    pub(super) fn begin_swap<M>(
        &mut self,
        recovery: &mut Recovery,
        entries: &[DirEntry],
        ops: &mut Vec<Op<M>>,
    ) -> bool {
        let parsed = || {
            let files = entries.iter().filter(|entry| !entry.is_dir);
            files.filter_map(|entry| Some((entry, parse_file_name(&entry.name)?)))
        };
        let cleaned = parsed().filter(|(_, (_, suffix))| suffix.ends_with(CLEANED_SUFFIX));
        let unfinished = cleaned.map(|(_, (base, _))| base).min().unwrap_or(Offset(i64::MAX));
        let mut swap = Swap::default();
        let mut has_any = false;
        for (entry, (base, suffix)) in parsed() {
            if suffix == LOG_SUFFIX {
                swap.existing.push(base);
            }
            let Some(kind) = suffix.strip_suffix(SWAP_SUFFIX) else {
                continue;
            };
            has_any = true;
            if base >= unfinished {
                recovery.report.orphan_files += 1;
                let path = self.spec.dir.join(&entry.name);
                self.recovery_op(Step::Ended, ops, |token| Op::Remove { token, path });
                continue;
            }
            if kind == LOG_SUFFIX {
                swap.unread.push((base, entry.length));
            }
            swap.names.push(entry.name.clone());
        }
        if has_any {
            recovery.swap = Some(Box::new(swap));
        }
        has_any
    }

    /// The next step, once nothing is under way.
    pub(super) fn swap_on<M>(&mut self, recovery: &mut Recovery, ops: &mut Vec<Op<M>>) {
        let Some(swap) = recovery.swap.as_mut() else {
            return;
        };
        if let Some((base, _)) = swap.unread.last() {
            let name = format!("{}{SWAP_SUFFIX}", file_name(*base, LOG_SUFFIX));
            let (path, mode) = (self.spec.dir.join(name), OpenMode::Read);
            self.recovery_op(Step::SwapFile, ops, |token| Op::Open { token, path, mode });
            return;
        }
        if !std::mem::replace(&mut swap.is_removed, true) {
            let (covered, names) = (std::mem::take(&mut swap.covered), swap.names.clone());
            if self.remove_covered(&covered, &names, ops) {
                return;
            }
        }
        let Some(swap) = recovery.swap.as_mut() else {
            return;
        };
        let names = std::mem::take(&mut swap.names);
        if names.is_empty() {
            recovery.swap = None;
            let path = self.spec.dir.clone();
            self.recovery_op(Step::Listed, ops, |token| Op::List { token, path });
            return;
        }
        for name in names {
            let from = self.spec.dir.join(&name);
            let to = self.spec.dir.join(name.trim_end_matches(SWAP_SUFFIX));
            self.recovery_op(Step::Ended, ops, |token| Op::Rename { token, from, to });
        }
    }

    /// Removes the files of covered segments that no swap file takes the name of.
    fn remove_covered<M>(
        &mut self,
        covered: &[Offset],
        names: &[String],
        ops: &mut Vec<Op<M>>,
    ) -> bool {
        let mut is_any = false;
        for base in covered {
            for suffix in SEGMENT_SUFFIXES {
                let name = file_name(*base, suffix);
                if names.iter().any(|swap| swap.trim_end_matches(SWAP_SUFFIX) == name) {
                    continue;
                }
                is_any = true;
                let path = self.spec.dir.join(name);
                self.recovery_op(Step::Ended, ops, |token| Op::Remove { token, path });
            }
        }
        is_any
    }

    pub(super) fn on_swap_opened<M>(
        &mut self,
        recovery: &mut Recovery,
        result: Result<(FileRef, u64), IoError>,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        let (file, _) = result.map_err(Failure::Io)?;
        if let Some(swap) = recovery.swap.as_mut()
            && let Some((base, length)) = swap.unread.pop()
        {
            swap.scan = Some((base, file, Scanner::new(0, length, base)));
        }
        self.scan_swap(recovery, ops)
    }

    pub(super) fn on_swap_bytes<M>(
        &mut self,
        recovery: &mut Recovery,
        result: Result<Bytes, IoError>,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        let bytes = result.map_err(Failure::Io)?;
        if let Some((_, _, scanner)) = recovery.swap.as_mut().and_then(|swap| swap.scan.as_mut()) {
            scanner.feed(&bytes, &mut |_| {});
        }
        self.scan_swap(recovery, ops)
    }

    /// Reads on in a swap file, to learn where it ends.
    fn scan_swap<M>(&mut self, recovery: &mut Recovery, ops: &mut Vec<Op<M>>) -> Progress {
        let Some(swap) = recovery.swap.as_mut() else {
            return Ok(());
        };
        let Some((base, file, scanner)) = swap.scan.take() else {
            return Ok(());
        };
        match scanner.want() {
            Want::Read { position, length } => {
                let read = file.clone();
                swap.scan = Some((base, file, scanner));
                self.recovery_op(Step::SwapBytes, ops, |token| Op::Read {
                    token,
                    file: read,
                    position,
                    length,
                });
                Ok(())
            }
            Want::End { cut: None, .. } => {
                let end = scanner.next_offset();
                let within = swap.existing.iter().filter(|other| **other >= base && **other < end);
                swap.covered.extend(within);
                Ok(())
            }
            // It was synced before it got its name.
            Want::End { position, cut: Some(_) } => {
                Err(Failure::Corrupt { segment: base, position })
            }
        }
    }
}
