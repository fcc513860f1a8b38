//! Names: folders as cached and as durable, and the journal between the two.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Weak};

use millrace_io::{DirEntry, IoError, WallMs};

use super::file::FileData;
use super::{EXISTS, IS_DIR, NOT_DIR, NOT_EMPTY, NOT_FOUND};
use crate::Rng;

/// An inode's number.
pub(super) type Ino = u64;

const ROOT: Ino = 0;

/// What a [`millrace_io::FileRef`] of this disk holds.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) ino: Ino,
    pub(super) writable: bool,
    /// The life of the process that opened it; a later one must not use it.
    pub(crate) life: u64,
}

#[derive(Debug)]
pub(super) enum Node {
    File(FileData),
    Dir(Dir),
}

impl Node {
    pub(super) fn empty_file() -> Self {
        Self::File(FileData::default())
    }

    pub(super) fn durable_file(content: Vec<u8>) -> Self {
        Self::File(FileData::durable(content))
    }
}

#[derive(Debug, Default)]
pub(super) struct Dir {
    cached: BTreeMap<String, Ino>,
    durable: BTreeMap<String, Ino>,
}

#[derive(Debug)]
struct Inode {
    node: Node,
    modified: WallMs,
    handles: Vec<Weak<Handle>>,
}

/// Changes of names that happen together or not at all.
type Transaction = Vec<EntryChange>;

/// `name` in `dir` becomes `target`, or nothing.
#[derive(Debug)]
struct EntryChange {
    dir: Ino,
    name: String,
    target: Option<Ino>,
}

#[derive(Debug)]
pub(super) struct Tree {
    inodes: BTreeMap<Ino, Inode>,
    next_ino: Ino,
    /// What is cached and not yet durable, oldest first.
    journal: Vec<Transaction>,
}

impl Default for Tree {
    fn default() -> Self {
        let root = Inode {
            node: Node::Dir(Dir::default()),
            modified: WallMs::default(),
            handles: Vec::new(),
        };
        Self { inodes: BTreeMap::from([(ROOT, root)]), next_ino: ROOT + 1, journal: Vec::new() }
    }
}

impl Tree {
    /// The inode at a path. Absolute and relative paths are the same: there is one root.
    pub(super) fn resolve(&self, path: &Path) -> Option<Ino> {
        let mut ino = ROOT;
        for name in names(path) {
            ino = *self.dir(ino)?.cached.get(name)?;
        }
        Some(ino)
    }

    /// The path of an inode below the root, if it has one.
    pub(super) fn path_of(&self, ino: Ino) -> Option<PathBuf> {
        let mut path = PathBuf::new();
        let mut at = ino;
        while at != ROOT {
            let named = |node: &Node| match node {
                Node::Dir(dir) => dir
                    .cached
                    .iter()
                    .find(|(_, target)| **target == at)
                    .map(|(name, _)| name.clone()),
                Node::File(_) => None,
            };
            let parent = self.inodes.iter().find_map(|(&dir, it)| Some((dir, named(&it.node)?)));
            let (dir, name) = parent?;
            path =
                if path.as_os_str().is_empty() { name.into() } else { Path::new(&name).join(path) };
            at = dir;
        }
        Some(Path::new("/").join(path))
    }

    pub(super) fn file(&self, ino: Ino) -> Option<&FileData> {
        match &self.inodes.get(&ino)?.node {
            Node::File(file) => Some(file),
            Node::Dir(_) => None,
        }
    }

    pub(super) fn file_mut(&mut self, ino: Ino) -> &mut FileData {
        match self.inodes.get_mut(&ino).map(|inode| &mut inode.node) {
            Some(Node::File(file)) => file,
            Some(Node::Dir(_)) | None => panic!("inode {ino} is not a file"),
        }
    }

    pub(super) fn open_file(&self, handle: &Handle) -> &FileData {
        self.file(handle.ino).expect("an open file has its inode")
    }

    pub(super) fn open_file_mut(&mut self, handle: &Handle) -> &mut FileData {
        self.file_mut(handle.ino)
    }

    pub(super) fn add_handle(&mut self, ino: Ino, handle: &Arc<Handle>) {
        let inode = self.inodes.get_mut(&ino).expect("opened a moment ago");
        inode.handles.retain(|handle| handle.strong_count() > 0);
        inode.handles.push(Arc::downgrade(handle));
    }

    pub(super) fn touch(&mut self, ino: Ino, now: WallMs) {
        if let Some(inode) = self.inodes.get_mut(&ino) {
            inode.modified = now;
        }
    }

    /// Puts a new node at `path`, in the place of a file that may be there.
    pub(super) fn create(&mut self, path: &Path, node: Node, now: WallMs) -> Result<Ino, IoError> {
        let dir = self.parent_of(path)?;
        let name = names(path).last().ok_or(EXISTS)?.to_owned();
        let ino = self.add(node, now);
        self.change(vec![EntryChange { dir, name, target: Some(ino) }]);
        Ok(ino)
    }

    pub(super) fn parent_of(&self, path: &Path) -> Result<Ino, IoError> {
        let parent = path.parent().unwrap_or(Path::new(""));
        let ino = self.resolve(parent).ok_or(NOT_FOUND)?;
        self.dir(ino).map(|_| ino).ok_or(NOT_DIR)
    }

    pub(super) fn make_dir(&mut self, path: &Path, now: WallMs) -> Result<(), IoError> {
        let mut dir = ROOT;
        for name in names(path) {
            let there = self.dir(dir).ok_or(NOT_DIR)?.cached.get(name).copied();
            dir = if let Some(ino) = there {
                ino
            } else {
                let ino = self.add(Node::Dir(Dir::default()), now);
                let name = name.to_owned();
                self.change(vec![EntryChange { dir, name, target: Some(ino) }]);
                ino
            };
        }
        self.dir(dir).map(|_| ()).ok_or(EXISTS)
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> Result<(), IoError> {
        let ino = self.resolve(from).ok_or(NOT_FOUND)?;
        let (from_dir, to_dir) = (self.parent_of(from)?, self.parent_of(to)?);
        let from_name = names(from).last().ok_or(EXISTS)?.to_owned();
        let to_name = names(to).last().ok_or(EXISTS)?.to_owned();
        if let Some(target) = self.resolve(to) {
            if target == ino {
                return Ok(());
            }
            match (self.dir(ino), self.dir(target)) {
                (Some(_), None) => return Err(NOT_DIR),
                (None, Some(_)) => return Err(IS_DIR),
                (Some(_), Some(target)) if !target.cached.is_empty() => return Err(NOT_EMPTY),
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
        self.change(vec![
            EntryChange { dir: from_dir, name: from_name, target: None },
            EntryChange { dir: to_dir, name: to_name, target: Some(ino) },
        ]);
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path, entries_max: usize) -> Result<(), IoError> {
        let Some(ino) = self.resolve(path) else {
            return Ok(());
        };
        let dir = self.parent_of(path)?;
        let name = names(path).last().ok_or(IS_DIR)?.to_owned();
        let mut entries = Vec::new();
        self.collect_entries(ino, &mut entries);
        entries.push((dir, name));
        for (dir, name) in entries.into_iter().take(entries_max) {
            self.change(vec![EntryChange { dir, name, target: None }]);
        }
        Ok(())
    }

    pub(super) fn entry_count(&self, path: &Path) -> usize {
        let mut entries = Vec::new();
        if let Some(ino) = self.resolve(path) {
            self.collect_entries(ino, &mut entries);
            entries.len() + 1
        } else {
            0
        }
    }

    pub(super) fn list(&self, ino: Ino) -> Option<Vec<DirEntry>> {
        let entries = self.dir(ino)?.cached.iter().map(|(name, ino)| {
            let inode = &self.inodes[ino];
            DirEntry {
                name: name.clone(),
                length: self.file(*ino).map_or(0, |file| file.content().len() as u64),
                modified_ms: inode.modified.0,
                is_dir: matches!(inode.node, Node::Dir(_)),
            }
        });
        Some(entries.collect())
    }

    pub(super) fn files(&self) -> Vec<(String, u64)> {
        let mut files = Vec::new();
        self.collect_files(ROOT, "", &mut files);
        files
    }

    /// Makes durable every change up to the last one in `dir`.
    pub(super) fn commit_dir(&mut self, dir: Ino) {
        let touches = |transaction: &Transaction| transaction.iter().any(|entry| entry.dir == dir);
        let count = self.journal.iter().rposition(touches).map_or(0, |at| at + 1);
        self.commit(count);
    }

    pub(super) fn commit_all(&mut self) {
        self.commit(self.journal.len());
    }

    pub(super) fn lose_power(&mut self, rng: &mut Rng, torn_page: u32) {
        let count = match rng.below(3) {
            0 => 0,
            1 => self.journal.len(),
            _ => rng.index(self.journal.len() + 1),
        };
        self.commit(count);
        self.journal.clear();
        for inode in self.inodes.values_mut() {
            inode.handles.clear();
            match &mut inode.node {
                Node::File(file) => file.lose_power(rng, torn_page),
                Node::Dir(dir) => dir.cached.clone_from(&dir.durable),
            }
        }
    }

    /// Drops inodes that no name, journal entry or descriptor reaches. Returns the disk bytes of
    /// those with a cached name or a descriptor.
    pub(super) fn collect(&mut self) -> u64 {
        let mut cached = BTreeSet::from([ROOT]);
        let mut kept = BTreeSet::from([ROOT]);
        for (&ino, inode) in &self.inodes {
            if inode.handles.iter().any(|handle| handle.strong_count() > 0) {
                cached.insert(ino);
            }
            if let Node::Dir(dir) = &inode.node {
                cached.extend(dir.cached.values());
                kept.extend(dir.durable.values());
            }
        }
        kept.extend(self.journal.iter().flatten().filter_map(|entry| entry.target));
        // A folder that is gone still names its files here; the next collection takes those.
        self.inodes.retain(|ino, _| cached.contains(ino) || kept.contains(ino));
        let files = cached.iter().filter_map(|&ino| self.file(ino));
        files.map(FileData::disk_bytes).sum()
    }

    fn add(&mut self, node: Node, modified: WallMs) -> Ino {
        let ino = self.next_ino;
        self.next_ino += 1;
        let handles = Vec::new();
        self.inodes.insert(ino, Inode { node, modified, handles });
        ino
    }

    /// Changes names in the cache and notes it in the journal.
    fn change(&mut self, transaction: Transaction) {
        for EntryChange { dir, name, target } in &transaction {
            let entries = &mut self.dir_mut(*dir).cached;
            match target {
                Some(ino) => entries.insert(name.clone(), *ino),
                None => entries.remove(name),
            };
        }
        self.journal.push(transaction);
    }

    /// Makes the first `count` transactions durable.
    fn commit(&mut self, count: usize) {
        let transactions: Vec<_> = self.journal.drain(..count).collect();
        for EntryChange { dir, name, target } in transactions.into_iter().flatten() {
            // The folder itself may have been removed since and collected.
            let Some(Node::Dir(dir)) = self.inodes.get_mut(&dir).map(|inode| &mut inode.node)
            else {
                continue;
            };
            match target {
                Some(ino) => dir.durable.insert(name, ino),
                None => dir.durable.remove(&name),
            };
        }
    }

    fn dir(&self, ino: Ino) -> Option<&Dir> {
        match &self.inodes.get(&ino)?.node {
            Node::Dir(dir) => Some(dir),
            Node::File(_) => None,
        }
    }

    fn dir_mut(&mut self, ino: Ino) -> &mut Dir {
        match self.inodes.get_mut(&ino).map(|inode| &mut inode.node) {
            Some(Node::Dir(dir)) => dir,
            Some(Node::File(_)) | None => panic!("inode {ino} is not a folder"),
        }
    }

    /// The entries below `ino`, innermost first.
    fn collect_entries(&self, ino: Ino, entries: &mut Vec<(Ino, String)>) {
        let Some(dir) = self.dir(ino) else {
            return;
        };
        for (name, &child) in &dir.cached {
            self.collect_entries(child, entries);
            entries.push((ino, name.clone()));
        }
    }

    fn collect_files(&self, ino: Ino, path: &str, files: &mut Vec<(String, u64)>) {
        match &self.inodes[&ino].node {
            Node::File(file) => files.push((path.to_owned(), file.content().len() as u64)),
            Node::Dir(dir) => {
                for (name, &child) in &dir.cached {
                    self.collect_files(child, &format!("{path}/{name}"), files);
                }
            }
        }
    }
}

/// The names of a path, from the root down.
fn names(path: &Path) -> impl Iterator<Item = &str> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => name.to_str(),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
        Component::ParentDir => panic!("paths here do not go up"),
    })
}
