//! File operations: taking effect, failing, and what a kill leaves of them.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use millrace_io::{Completion, FileRef, IoError, Op, OpenMode, ShardId};

use super::{Event, World};
use crate::Broken;
use crate::disk::{EIO, Handle, NOT_FOUND, TOO_MANY_OPEN};

impl<M> World<M> {
    /// The operation takes effect now; its completion follows.
    ///
    /// - `done`: bytes of a write that are there already.
    pub(super) fn apply(&mut self, shard: ShardId, op: Op<M>, done: usize) {
        let wall = self.wall();
        self.disk.set_wall(wall);
        if done == 0
            && let Some(part) = self.apply_first_part(&op)
        {
            let at = self.time + self.delay();
            self.schedule(at, Event::Apply(shard, op, part));
        } else if let Some(completion) = self.apply_to_file(op, done) {
            let at = self.time + self.rng.between(100, 20_000);
            self.schedule(at, Event::Deliver(shard, completion));
        }
    }

    /// Takes a `Write` or a `Sync` and lies: says at once that it is done, does a write much later,
    /// unless the process dies before, and a sync never. For showing that such a bug is found.
    pub fn submit_lying(&mut self, shard: ShardId, op: Op<M>) {
        let at = self.time + self.rng.between(100, 20_000);
        let late = self.time + self.rng.between(1, 500) * 1_000_000;
        if let Op::Write { token, file, position, chunks } = op {
            let given = chunks.clone();
            let wrote = Completion::Wrote { token, chunks: given, result: Ok(()) };
            self.schedule(at, Event::Deliver(shard, wrote));
            let op = Op::Write { token, file, position, chunks };
            self.schedule(late, Event::ApplyLate(op));
        } else if let Op::Sync { token, .. } = op {
            self.schedule(at, Event::Deliver(shard, Completion::Done { token, result: Ok(()) }));
        } else {
            panic!("only writes and syncs are lied about");
        }
    }

    pub(super) fn apply_late(&mut self, op: Op<M>) {
        // Nobody waits for the completion.
        self.apply_to_file(op, 0);
    }

    /// Writes the first bytes of a write that goes down in two steps, and says how many.
    fn apply_first_part(&mut self, op: &Op<M>) -> Option<usize> {
        let Op::Write { file, position, chunks, .. } = op else {
            return None;
        };
        if !self.rng.chance(self.faults.write_split) {
            return None;
        }
        let data = chunks.concat();
        let part = self.rng.index(data.len().max(1));
        self.disk.write(handle(file, self.life), *position, &data[..part]).ok()?;
        (part > 0).then_some(part)
    }

    /// Operations on open files; the others are passed on.
    fn apply_to_file(&mut self, op: Op<M>, done: usize) -> Option<Completion<M>> {
        let life = self.life;
        Some(match op {
            Op::Read { token, file, position, length } => {
                let result = self.read(&file, position, length);
                Completion::Read { token, result }
            }
            Op::Write { token, file, position, chunks } => {
                let result = self.write(&file, position, &chunks, done);
                Completion::Wrote { token, chunks, result }
            }
            Op::Sync { token, file } => Completion::Done { token, result: self.sync(&file) },
            Op::Writeback { .. } => return None,
            Op::DropCache { file, .. } => {
                self.disk.evict(handle(&file, life));
                return None;
            }
            Op::Prefetch { token, .. } => Completion::Done { token, result: Ok(()) },
            Op::Allocate { token, file, .. } | Op::Truncate { token, file, .. }
                if self.breaks_file(Broken::Write, &file) =>
            {
                Completion::Done { token, result: Err(EIO) }
            }
            Op::Allocate { token, file, position, length } => {
                let result = self.disk.allocate(handle(&file, life), position + length);
                Completion::Done { token, result }
            }
            Op::Truncate { token, file, length } => {
                let result = self.disk.truncate(handle(&file, life), length);
                Completion::Done { token, result }
            }
            Op::Compute { token, work } => {
                let result =
                    if self.rng.chance(self.faults.work_dies) { Err(EIO) } else { Ok(work.run()) };
                Completion::Computed { token, result }
            }
            Op::Open { .. }
            | Op::ReadWhole { .. }
            | Op::WriteWhole { .. }
            | Op::Rename { .. }
            | Op::Remove { .. }
            | Op::Touch { .. }
            | Op::MakeDir { .. }
            | Op::SyncDir { .. }
            | Op::List { .. }
            | Op::ReadBehind { .. }
            | Op::WriteBehind { .. }
            | Op::Receive { .. }
            | Op::ReceiveStop { .. }
            | Op::ReceiveInto { .. }
            | Op::Send { .. }
            | Op::Close { .. }
            | Op::HandOver { .. }
            | Op::Mail { .. } => return Some(self.apply_to_name(op)),
        })
    }

    /// Whether an operation on a path is one that is to fail once. Then it is noted.
    pub(super) fn breaks(&mut self, what: Broken, path: &Path) -> bool {
        let is_it = |(kind, folder): &(Broken, PathBuf)| {
            *kind == what && path.parent().is_some_and(|parent| parent == folder)
        };
        let Some(at) = self.breaks.iter().position(is_it) else { return false };
        self.breaks.swap_remove(at);
        self.trace.line(format_args!("{} {what:?} of {} breaks", self.time, path.display()));
        self.broken.push((what, path.to_owned()));
        true
    }

    /// The same of an open file.
    pub(super) fn breaks_file(&mut self, what: Broken, file: &FileRef) -> bool {
        if self.breaks.is_empty() {
            return false;
        }
        let path = self.disk.path_of(handle(file, self.life));
        path.is_some_and(|path| self.breaks(what, &path))
    }

    /// Operations on names that are to fail once, and do.
    fn break_name(&mut self, op: &Op<M>) -> Option<Completion<M>> {
        if self.breaks.is_empty() {
            return None;
        }
        match op {
            Op::Open { token, path, .. } => self
                .breaks(Broken::Open, path)
                .then(|| Completion::Opened { token: *token, result: Err(EIO) }),
            Op::Touch { token, path } => self
                .breaks(Broken::Open, path)
                .then(|| Completion::Done { token: *token, result: Err(EIO) }),
            Op::ReadWhole { token, path, .. } => self
                .breaks(Broken::Read, path)
                .then(|| Completion::Read { token: *token, result: Err(EIO) }),
            Op::List { token, path } => self
                .breaks(Broken::Read, path)
                .then(|| Completion::Listed { token: *token, result: Err(EIO) }),
            Op::WriteWhole { token, path, .. } => self
                .breaks(Broken::Write, path)
                .then(|| Completion::Done { token: *token, result: Err(EIO) }),
            Op::Rename { token, from: path, .. }
            | Op::Remove { token, path }
            | Op::MakeDir { token, path, .. }
            | Op::SyncDir { token, path } => self
                .breaks(Broken::Name, path)
                .then(|| Completion::Done { token: *token, result: Err(EIO) }),
            Op::Read { .. }
            | Op::Write { .. }
            | Op::ReadBehind { .. }
            | Op::WriteBehind { .. }
            | Op::Sync { .. }
            | Op::Writeback { .. }
            | Op::DropCache { .. }
            | Op::Prefetch { .. }
            | Op::Allocate { .. }
            | Op::Truncate { .. }
            | Op::Compute { .. }
            | Op::Receive { .. }
            | Op::ReceiveStop { .. }
            | Op::ReceiveInto { .. }
            | Op::Send { .. }
            | Op::Close { .. }
            | Op::HandOver { .. }
            | Op::Mail { .. } => None,
        }
    }

    /// Operations on names.
    fn apply_to_name(&mut self, op: Op<M>) -> Completion<M> {
        if let Some(failed) = self.break_name(&op) {
            return failed;
        }
        let (token, result) = match op {
            Op::Open { token, path, mode } => {
                let result = if self.rng.chance(self.faults.open_exhausted) {
                    Err(TOO_MANY_OPEN)
                } else {
                    self.disk.open(&path, mode, self.life)
                };
                return Completion::Opened { token, result };
            }
            Op::ReadWhole { token, path, length_max } => {
                let result = if self.rng.chance(self.faults.read_error) {
                    Err(EIO)
                } else if self.rng.chance(self.faults.open_exhausted) {
                    Err(TOO_MANY_OPEN)
                } else {
                    self.disk.read_whole(&path, length_max).map(Bytes::copy_from_slice)
                };
                return Completion::Read { token, result };
            }
            Op::List { token, path } => {
                let result = if self.rng.chance(self.faults.open_exhausted) {
                    Err(TOO_MANY_OPEN)
                } else {
                    self.disk.list(&path).ok_or(NOT_FOUND)
                };
                return Completion::Listed { token, result };
            }
            Op::WriteWhole { token, .. } if self.rng.chance(self.faults.write_error) => {
                (token, Err(EIO))
            }
            Op::WriteWhole { token, .. } | Op::Touch { token, .. } | Op::SyncDir { token, .. }
                if self.rng.chance(self.faults.open_exhausted) =>
            {
                (token, Err(TOO_MANY_OPEN))
            }
            Op::WriteWhole { token, path, content } => {
                (token, self.disk.write_whole(&path, content.to_vec()))
            }
            Op::Rename { token, from, to } => (token, self.disk.rename(&from, &to)),
            Op::Remove { token, path } => (token, self.disk.remove(&path, usize::MAX)),
            Op::Touch { token, path } => {
                (token, self.disk.open(&path, OpenMode::Create, self.life).map(drop))
            }
            Op::MakeDir { token, path, is_new } => (token, self.disk.make_dir(&path, is_new)),
            Op::SyncDir { token, path } => (token, self.disk.sync_dir(&path)),
            Op::Read { .. }
            | Op::Write { .. }
            | Op::ReadBehind { .. }
            | Op::WriteBehind { .. }
            | Op::Sync { .. }
            | Op::Writeback { .. }
            | Op::DropCache { .. }
            | Op::Prefetch { .. }
            | Op::Allocate { .. }
            | Op::Truncate { .. }
            | Op::Compute { .. }
            | Op::Receive { .. }
            | Op::ReceiveStop { .. }
            | Op::ReceiveInto { .. }
            | Op::Send { .. }
            | Op::Close { .. }
            | Op::HandOver { .. }
            | Op::Mail { .. } => panic!("not an operation on names"),
        };
        Completion::Done { token, result }
    }

    /// The process was killed while the operation was in flight: it takes effect wholly, partly or
    /// not at all, and nobody is told.
    pub(super) fn apply_partly(&mut self, op: Op<M>, done: usize) {
        let life = self.life;
        let wholly = self.rng.chance(500);
        if let Op::Write { file, position, chunks, .. } = op {
            let data = chunks.concat();
            let rest = data.len() - done;
            let end = done + if wholly { rest } else { self.rng.index(rest + 1) };
            // Full or not, nobody is told.
            let at = position + done as u64;
            let _ = self.disk.write(handle(&file, life), at, &data[done..end]);
        } else if let Op::Remove { path, .. } = op {
            let count = self.disk.entry_count(&path);
            let count = if wholly { count } else { self.rng.index(count + 1) };
            let _ = self.disk.remove(&path, count);
        } else if let (Op::Sync { file, .. }, true) = (&op, wholly) {
            // It works: that a device fails in the moment in which the process is killed, so that
            // nobody is told, is not played.
            self.disk.sync(handle(file, life));
        } else if wholly {
            self.apply_to_file(op, 0);
        } else if let Op::WriteWhole { path, content, .. } = op {
            // The old file stands, and beside it what was written so far.
            let aside = path.with_added_extension("tmp");
            let end = self.rng.index(content.len() + 1);
            if let Ok((file, _)) = self.disk.open(&aside, OpenMode::Create, life) {
                let _ = self.disk.write(handle(&file, life), 0, &content[..end]);
            }
        }
    }

    fn read(&mut self, file: &FileRef, position: u64, length: u32) -> Result<Bytes, IoError> {
        if self.breaks_file(Broken::Read, file) || self.rng.chance(self.faults.read_error) {
            return Err(EIO);
        }
        let bytes = self.disk.read(handle(file, self.life), position, u64::from(length));
        Ok(Bytes::copy_from_slice(bytes))
    }

    fn write(
        &mut self,
        file: &FileRef,
        position: u64,
        chunks: &[Bytes],
        done: usize,
    ) -> Result<(), IoError> {
        let fail =
            self.breaks_file(Broken::Write, file) || self.rng.chance(self.faults.write_error);
        let data = match chunks {
            [one] => one.clone(),
            many => many.concat().into(),
        };
        let rest = &data[done..];
        let length = if fail { self.rng.index(rest.len() + 1) } else { rest.len() };
        let at = position + done as u64;
        self.disk.write(handle(file, self.life), at, &rest[..length])?;
        if fail { Err(EIO) } else { Ok(()) }
    }

    fn sync(&mut self, file: &FileRef) -> Result<(), IoError> {
        let fails = self.breaks_file(Broken::Sync, file);
        let handle = handle(file, self.life);
        if fails || self.rng.chance(self.faults.sync_error) {
            self.sync_failures += 1;
            let mut rng = self.rng.fork();
            self.disk.fail_sync(handle, &mut rng, self.faults.torn_page);
            return Err(EIO);
        }
        self.disk.sync(handle);
        Ok(())
    }
}

/// The world's handle of a file, which must be open in this life of the process.
pub(crate) fn handle(file: &FileRef, life: u64) -> &Handle {
    let handle: &Handle = file.handle().expect("a file of this world");
    assert_eq!(handle.life, life, "{file:?} was opened by a process that is dead");
    handle
}
