//! Files as the pure code holds them.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// An open file. Cloning shares it, across shards too; it is closed when the last clone drops.
///
/// What is inside belongs to the driver that opened it. Pure code sees only the number, which is
/// unique within the process and never used again.
#[derive(Clone)]
pub struct FileRef {
    id: u64,
    handle: Arc<dyn Any + Send + Sync>,
}

impl FileRef {
    /// Wraps a driver's handle; dropping `handle` must close the file.
    pub fn new(id: u64, handle: Arc<dyn Any + Send + Sync>) -> Self {
        Self { id, handle }
    }

    /// The file's number.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// The driver's handle, if it is of type `T`.
    pub fn handle<T: Any>(&self) -> Option<&T> {
        self.handle.downcast_ref()
    }
}

impl fmt::Debug for FileRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileRef({})", self.id)
    }
}

impl PartialEq for FileRef {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for FileRef {}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// For reading; the file must exist.
    Read,
    /// For reading and writing; the file must exist.
    ReadWrite,
    /// For reading and writing; made empty if it is not there, kept as it is if it is.
    Create,
}
