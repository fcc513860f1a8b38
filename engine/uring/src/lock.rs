//! A folder that belongs to one process: two that write into it destroy each other's files.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use crate::sys;

/// The file whose lock says that a log dir is in use. Source: Kafka's `LogManager`.
pub const LOCK_FILE: &str = ".lock";

/// A folder is locked while this lives, and no longer than the process.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

/// Locks `folder`, which is made where it is missing. None where another process has it, be it
/// Apache Kafka: both take the same kind of lock on the same file.
///
/// Errors: the folder or the file cannot be made.
pub fn lock_folder(folder: &Path) -> io::Result<Option<FolderLock>> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(LOCK_FILE);
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    let is_ours = sys::try_lock(file.as_fd())?;
    Ok(is_ours.then_some(FolderLock { _file: file }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_folder_is_not_locked_twice_and_dropping_frees_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("made/here");
        let lock = lock_folder(&folder).unwrap();
        assert!(lock.is_some());
        assert!(lock_folder(&folder).unwrap().is_none());
        drop(lock);
        assert!(lock_folder(&folder).unwrap().is_some());
    }
}
