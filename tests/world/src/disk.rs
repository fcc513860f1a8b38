//! The simulated file system.
//!
//! See [`Disk`] for the model. It knows nothing of time: the world decides when a step happens.

mod file;
mod tree;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use millrace_io::{DirEntry, FileRef, IoError, IoErrorKind, OpenMode, WallMs};

use crate::Rng;
pub(crate) use tree::Handle;
use tree::{Ino, Node, Tree};

/// A file system of one machine, modelled on ext4 with ordered data, as strict as POSIX where ext4
/// is kinder.
///
/// - **Page cache.** Reads see every write at once, whoever wrote. Killing the process loses nothing
///   of it.
/// - **Power loss, data.** What was written since the last `Sync` of the file survives per page and
///   sector: each page holds the state of some moment since that sync, or tears between two moments
///   at a sector (512 bytes). Pages may be lost below pages that survive; they then read as zeros.
/// - **Power loss, length.** The length is that of some moment since the last sync, no matter which
///   pages survived. Durable bytes that were cut off durably never come back.
/// - **Power loss, names.** Creations, renames and removals form one journal; a prefix of it
///   survives. `SyncDir` makes durable everything up to the last change in that folder. `Sync` of a
///   file does *not* make its name durable, although ext4 usually would. Removing a folder is one
///   entry per file in it. A name may survive without any of the file's bytes.
/// - **Failed sync.** Some dirty pages reached the disk, all count as clean afterwards, so a later
///   sync that succeeds proves nothing. Only that the file was cut is not forgotten: that is the
///   journal's.
/// - **Full disk.** A write puts down what fits and fails with `NoSpace`, and so does a rename to
///   a longer name. Space is free again when a file has neither a name nor an open descriptor.
///
/// `WriteWhole` is one step here: old or new after every failure, durable when it has completed.
#[derive(Debug)]
pub struct Disk {
    tree: Tree,
    /// Bytes in use by files that have a name or a descriptor.
    used_bytes: u64,
    capacity_bytes: u64,
    wall: WallMs,
    next_file_id: u64,
}

impl Disk {
    pub(crate) fn new(capacity_bytes: u64) -> Self {
        Self {
            tree: Tree::default(),
            used_bytes: 0,
            capacity_bytes,
            wall: WallMs::default(),
            next_file_id: 1,
        }
    }

    /// The content of a file as a reader of the page cache sees it, if it is there.
    pub fn content(&self, path: impl AsRef<Path>) -> Option<&[u8]> {
        Some(self.tree.file(self.tree.resolve(path.as_ref())?)?.content())
    }

    /// The content of a file that is certain to survive a power loss, if it is there. Its name may
    /// be less certain.
    pub fn durable_content(&self, path: impl AsRef<Path>) -> Option<&[u8]> {
        let file = self.tree.file(self.tree.resolve(path.as_ref())?)?;
        Some(file.durable_content())
    }

    /// Puts a file there, durably, with the folders above it: for setting up a scene, or for
    /// spoiling one between two lives of a process.
    pub fn put(&mut self, path: impl AsRef<Path>, content: Vec<u8>) {
        let path = path.as_ref();
        if let Some(parent) = path.parent() {
            self.make_dir(parent, false).expect("folders above a file are folders");
        }
        self.write_whole(path, content).expect("space for a scene");
        self.tree.commit_all();
    }

    /// The entries of a folder, sorted by name, if it is there.
    pub fn list(&self, path: impl AsRef<Path>) -> Option<Vec<DirEntry>> {
        self.tree.list(self.tree.resolve(path.as_ref())?)
    }

    /// All files below the root with their lengths, sorted by path: for looking at and for traces.
    pub fn files(&self) -> Vec<(String, u64)> {
        self.tree.files()
    }

    /// Bytes that files take.
    pub const fn used_bytes(&self) -> u64 {
        self.used_bytes
    }

    /// Bytes that fit.
    pub const fn capacity_bytes(&self) -> u64 {
        self.capacity_bytes
    }

    pub(crate) const fn set_capacity(&mut self, bytes: u64) {
        self.capacity_bytes = bytes;
    }

    pub(crate) const fn set_wall(&mut self, wall: WallMs) {
        self.wall = wall;
    }

    pub(crate) fn open(
        &mut self,
        path: &Path,
        mode: OpenMode,
        life: u64,
    ) -> Result<(FileRef, u64), IoError> {
        let ino = match (self.tree.resolve(path), mode) {
            (Some(ino), _) => ino,
            (None, OpenMode::Read | OpenMode::ReadWrite) => return Err(NOT_FOUND),
            (None, OpenMode::Create) => self.tree.create(path, Node::empty_file(), self.wall)?,
        };
        let length = self.tree.file(ino).ok_or(IS_DIR)?.content().len() as u64;
        let writable = mode != OpenMode::Read;
        let handle = Arc::new(Handle { ino, writable, life });
        self.tree.add_handle(ino, &handle);
        let id = self.next_file_id;
        self.next_file_id += 1;
        Ok((FileRef::new(id, handle), length))
    }

    /// A path of an open file, if it still has one.
    pub(crate) fn path_of(&self, handle: &Handle) -> Option<PathBuf> {
        self.tree.path_of(handle.ino)
    }

    /// The bytes at `position`, fewer than `length` only at the end of the file.
    pub(crate) fn read(&self, handle: &Handle, position: u64, length: u64) -> &[u8] {
        let content = self.tree.open_file(handle).content();
        let start = size(position).min(content.len());
        let end = start.saturating_add(size(length)).min(content.len());
        &content[start..end]
    }

    /// Writes what fits. After an error a prefix is there.
    pub(crate) fn write(
        &mut self,
        handle: &Handle,
        position: u64,
        data: &[u8],
    ) -> Result<(), IoError> {
        if !handle.writable {
            return Err(BAD_FILE);
        }
        let before = self.tree.open_file(handle).disk_bytes();
        let end = position + data.len() as u64;
        let room = before.saturating_add(self.free_bytes(end.saturating_sub(before)));
        let fits = room.saturating_sub(position).min(data.len() as u64);
        let wall = self.wall;
        self.resize(handle.ino, |file| {
            file.write(size(position), &data[..size(fits)]);
        });
        self.tree.touch(handle.ino, wall);
        if fits < data.len() as u64 {
            return Err(NO_SPACE);
        }
        Ok(())
    }

    pub(crate) fn sync(&mut self, handle: &Handle) {
        self.tree.open_file_mut(handle).sync();
    }

    pub(crate) fn fail_sync(&mut self, handle: &Handle, rng: &mut Rng, torn_page: u32) {
        self.resize(handle.ino, |file| file.fail_sync(rng, torn_page));
    }

    pub(crate) fn evict(&mut self, handle: &Handle) {
        self.resize(handle.ino, file::FileData::evict);
    }

    pub(crate) fn allocate(&mut self, handle: &Handle, end: u64) -> Result<(), IoError> {
        let grow = end.saturating_sub(self.tree.open_file(handle).disk_bytes());
        if self.free_bytes(grow) < grow {
            return Err(NO_SPACE);
        }
        self.resize(handle.ino, |file| file.allocate(end));
        Ok(())
    }

    pub(crate) fn truncate(&mut self, handle: &Handle, length: u64) -> Result<(), IoError> {
        if !handle.writable {
            return Err(BAD_FILE);
        }
        let wall = self.wall;
        self.resize(handle.ino, |file| file.truncate(size(length)));
        self.tree.touch(handle.ino, wall);
        Ok(())
    }

    pub(crate) fn read_whole(&self, path: &Path, length_max: u32) -> Result<&[u8], IoError> {
        let ino = self.tree.resolve(path).ok_or(NOT_FOUND)?;
        let content = self.tree.file(ino).ok_or(IS_DIR)?.content();
        if content.len() as u64 > u64::from(length_max) {
            return Err(TOO_BIG);
        }
        Ok(content)
    }

    /// Replaces the file in one durable step.
    pub(crate) fn write_whole(&mut self, path: &Path, content: Vec<u8>) -> Result<(), IoError> {
        let parent = self.tree.parent_of(path)?;
        if self.tree.resolve(path).is_some_and(|ino| self.tree.file(ino).is_none()) {
            return Err(IS_DIR);
        }
        let bytes = content.len() as u64;
        if self.free_bytes(bytes) < bytes {
            return Err(NO_SPACE);
        }
        self.tree.create(path, Node::durable_file(content), self.wall)?;
        self.tree.commit_dir(parent);
        self.collect();
        Ok(())
    }

    /// A new name that is longer than the old one may need a block of the folder: on a disk without
    /// a free byte it is not to be had.
    pub(crate) fn rename(&mut self, from: &Path, to: &Path) -> Result<(), IoError> {
        let is_new = self.tree.resolve(from).is_some() && self.tree.resolve(to).is_none();
        let is_longer = to.as_os_str().len() > from.as_os_str().len();
        if is_new && is_longer && self.free_bytes(1) == 0 {
            return Err(NO_SPACE);
        }
        self.tree.rename(from, to)?;
        self.collect();
        Ok(())
    }

    /// Removes the first `entries_max` of what is at and below `path`, innermost first.
    pub(crate) fn remove(&mut self, path: &Path, entries_max: usize) -> Result<(), IoError> {
        self.tree.remove(path, entries_max)?;
        self.collect();
        Ok(())
    }

    /// How many entries are at and below `path`.
    pub(crate) fn entry_count(&self, path: &Path) -> usize {
        self.tree.entry_count(path)
    }

    pub(crate) fn make_dir(&mut self, path: &Path, is_new: bool) -> Result<(), IoError> {
        if is_new && self.tree.resolve(path).is_some() {
            return Err(EXISTS);
        }
        self.tree.make_dir(path, self.wall)
    }

    pub(crate) fn sync_dir(&mut self, path: &Path) -> Result<(), IoError> {
        let ino = self.tree.resolve(path).ok_or(NOT_FOUND)?;
        if self.tree.file(ino).is_some() {
            return Err(NOT_DIR);
        }
        self.tree.commit_dir(ino);
        Ok(())
    }

    /// The power goes. Descriptors are gone too.
    pub(crate) fn lose_power(&mut self, rng: &mut Rng, torn_page: u32) {
        self.tree.lose_power(rng, torn_page);
        self.collect();
    }

    /// Frees what nobody can reach any more and counts what is left.
    pub(crate) fn collect(&mut self) {
        self.used_bytes = self.tree.collect();
    }

    /// Free bytes; looks for garbage only if there are fewer than `wanted`.
    fn free_bytes(&mut self, wanted: u64) -> u64 {
        if self.capacity_bytes.saturating_sub(self.used_bytes) < wanted {
            self.collect();
        }
        self.capacity_bytes.saturating_sub(self.used_bytes)
    }

    /// Changes a file and keeps the count of used bytes.
    fn resize(&mut self, ino: Ino, change: impl FnOnce(&mut file::FileData)) {
        let file = self.tree.file_mut(ino);
        let before = file.disk_bytes();
        change(file);
        let after = file.disk_bytes();
        self.used_bytes = (self.used_bytes + after).saturating_sub(before);
    }
}

/// A position or length as an index into memory, where the simulated files are.
fn size(bytes: u64) -> usize {
    usize::try_from(bytes).expect("simulated files fit into memory")
}

const fn error(kind: IoErrorKind, errno: i32) -> IoError {
    IoError { kind, errno }
}

// Numbers as on Linux.
pub(crate) const NOT_FOUND: IoError = error(IoErrorKind::NotFound, 2);
pub(crate) const EIO: IoError = error(IoErrorKind::Device, 5);
pub(crate) const BAD_FILE: IoError = error(IoErrorKind::Other, 9);
pub(crate) const EXISTS: IoError = error(IoErrorKind::Exists, 17);
pub(crate) const NOT_DIR: IoError = error(IoErrorKind::Other, 20);
pub(crate) const IS_DIR: IoError = error(IoErrorKind::Other, 21);
pub(crate) const TOO_MANY_OPEN: IoError = error(IoErrorKind::Exhausted, 24);
pub(crate) const TOO_BIG: IoError = error(IoErrorKind::Other, 27);
pub(crate) const NO_SPACE: IoError = error(IoErrorKind::NoSpace, 28);
pub(crate) const NOT_EMPTY: IoError = error(IoErrorKind::Exists, 39);

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(file: &FileRef) -> &Handle {
        file.handle().expect("a handle of this disk")
    }

    #[test]
    fn a_full_disk_takes_a_prefix_and_has_room_again_when_the_last_descriptor_goes() {
        let mut disk = Disk::new(1000);
        let (old, _) = disk.open(Path::new("old"), OpenMode::Create, 0).unwrap();
        disk.write(handle(&old), 0, &[1; 800]).unwrap();
        let (new, _) = disk.open(Path::new("new"), OpenMode::Create, 0).unwrap();
        assert_eq!(disk.write(handle(&new), 0, &[2; 300]), Err(NO_SPACE));
        assert_eq!(disk.content("new").map(<[u8]>::len), Some(200));
        disk.remove(Path::new("old"), usize::MAX).unwrap();
        assert_eq!(disk.write(handle(&new), 200, &[2; 100]), Err(NO_SPACE), "still open");
        drop(old);
        assert_eq!(disk.write(handle(&new), 200, &[2; 800]), Ok(()));
        assert_eq!(disk.used_bytes(), 1000);
    }

    #[test]
    fn reserved_blocks_take_space_without_length_and_a_truncation_frees_them() {
        let mut disk = Disk::new(1000);
        let (file, _) = disk.open(Path::new("f"), OpenMode::Create, 0).unwrap();
        disk.allocate(handle(&file), 900).unwrap();
        assert_eq!(disk.allocate(handle(&file), 1001), Err(NO_SPACE));
        assert_eq!((disk.content("f").map(<[u8]>::len), disk.used_bytes()), (Some(0), 900));
        disk.write(handle(&file), 0, &[1; 100]).unwrap();
        assert_eq!(disk.used_bytes(), 900);
        disk.truncate(handle(&file), 100).unwrap();
        assert_eq!(disk.used_bytes(), 100);
    }

    #[test]
    fn a_name_is_durable_after_sync_dir_and_uncertain_before() {
        let mut lost = 0;
        for seed in 0..100 {
            let mut disk = Disk::new(u64::MAX);
            disk.make_dir(Path::new("d"), false).unwrap();
            disk.sync_dir(Path::new("")).unwrap();
            let (a, _) = disk.open(Path::new("d/a"), OpenMode::Create, 0).unwrap();
            disk.write(handle(&a), 0, b"abc").unwrap();
            disk.sync(handle(&a));
            disk.sync_dir(Path::new("d")).unwrap();
            disk.open(Path::new("d/b"), OpenMode::Create, 0).unwrap();
            disk.lose_power(&mut Rng::new(seed), 0);
            assert_eq!(disk.content("d/a"), Some(&b"abc"[..]));
            lost += u32::from(disk.content("d/b").is_none());
        }
        assert!((20..80).contains(&lost), "{lost}");
    }

    #[test]
    fn a_whole_write_is_durable_and_a_rename_moves_everything_below() {
        let mut disk = Disk::new(u64::MAX);
        disk.put("a/x", b"1".to_vec());
        disk.write_whole(Path::new("a/x"), b"22".to_vec()).unwrap();
        disk.rename(Path::new("a"), Path::new("b")).unwrap();
        assert_eq!(disk.content("b/x"), Some(&b"22"[..]));
        assert_eq!(disk.content("a/x"), None);
        disk.sync_dir(Path::new("/")).unwrap();
        disk.lose_power(&mut Rng::new(3), 0);
        assert_eq!(disk.content("b/x"), Some(&b"22"[..]));
        assert_eq!(disk.rename(Path::new("c"), Path::new("d")), Err(NOT_FOUND));
    }

    #[test]
    fn a_removed_folder_may_come_back_in_part_but_not_a_synced_removal() {
        let mut partly = 0;
        for seed in 0..100 {
            let mut disk = Disk::new(u64::MAX);
            for name in ["d/a", "d/b", "d/c"] {
                disk.put(name, b"x".to_vec());
            }
            disk.remove(Path::new("d"), usize::MAX).unwrap();
            assert_eq!(disk.list("d"), None);
            if seed % 2 == 0 {
                disk.sync_dir(Path::new("/")).unwrap();
            }
            disk.lose_power(&mut Rng::new(seed), 0);
            let left = disk.list("d").map_or(0, |entries| entries.len());
            assert!(seed % 2 == 1 || disk.list("d").is_none());
            partly += u32::from(left == 1 || left == 2);
        }
        assert!(partly > 5, "{partly}");
    }
}
