//! Receive memory: pools that hand out buffers and get them back, warm, when the last slice drops.
//!
//! Memory that the process touches for the first time costs more than a copy (a page fault, and on
//! virtual machines one in the hypervisor too), so the memory that carries data is reused last in,
//! first out. A buffer may drop on another shard than the one that filled it, hence the lock; it is
//! held for a push or a pop.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// A pool of byte buffers, sorted into power-of-two classes from 4 KiB to 128 MiB.
#[derive(Clone, Debug)]
pub struct BufferPool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    classes: [Mutex<Vec<Vec<u8>>>; CLASS_COUNT],
    /// Bytes each class may keep; what comes back above it is freed.
    class_bytes_max: usize,
}

impl BufferPool {
    /// An empty pool; each size class keeps at most `class_bytes_max` bytes of free buffers.
    pub fn new(class_bytes_max: usize) -> Self {
        let classes = std::array::from_fn(|_| Mutex::new(Vec::new()));
        Self { inner: Arc::new(Inner { classes, class_bytes_max }) }
    }

    /// An empty buffer that holds at least `bytes` without growing. Requests above the largest
    /// class are served by the allocator and freed afterwards.
    pub fn take(&self, bytes: usize) -> PooledBuffer {
        let class = class_of(bytes);
        let reused = self
            .inner
            .classes
            .get(class)
            .and_then(|free| free.lock().unwrap_or_else(PoisonError::into_inner).pop());
        let capacity = if class < CLASS_COUNT { CLASS_BYTES_MIN << class } else { bytes };
        let bytes = reused.unwrap_or_else(|| Vec::with_capacity(capacity));
        debug_assert!(bytes.is_empty(), "a pooled buffer comes back empty");
        PooledBuffer { bytes, pool: Arc::clone(&self.inner) }
    }
}

/// A buffer of a [`BufferPool`]; goes back there when it, or the last [`Bytes`] made of it, drops.
#[derive(Debug)]
pub struct PooledBuffer {
    bytes: Vec<u8>,
    pool: Arc<Inner>,
}

impl PooledBuffer {
    /// The buffer as a vector, to fill. Its capacity is what was asked for, or more.
    pub const fn as_mut_vec(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Shares what is in the buffer; cheap slices of it keep it alive.
    pub fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl std::ops::Deref for PooledBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for PooledBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for PooledBuffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let class = class_of(bytes.capacity());
        // Only exact class sizes come back, so that a class never hands out less than it promises.
        if class >= CLASS_COUNT || bytes.capacity() != CLASS_BYTES_MIN << class {
            return;
        }
        let mut free = self.pool.classes[class].lock().unwrap_or_else(PoisonError::into_inner);
        if (free.len() + 1) * bytes.capacity() <= self.pool.class_bytes_max {
            free.push(bytes);
        }
    }
}

/// The smallest class whose buffers hold `bytes`.
const fn class_of(bytes: usize) -> usize {
    let rounded =
        if bytes <= CLASS_BYTES_MIN { CLASS_BYTES_MIN } else { bytes.next_power_of_two() };
    (rounded.trailing_zeros() - CLASS_BYTES_MIN.trailing_zeros()) as usize
}

const CLASS_BYTES_MIN: usize = 4096;
/// 4 KiB << 15 = 128 MiB, above the largest frame a default configuration accepts (100 MiB).
const CLASS_COUNT: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_its_last_slice_drops() {
        let pool = BufferPool::new(1 << 20);
        let mut buffer = pool.take(5000);
        assert_eq!(buffer.as_mut_vec().capacity(), 8192);
        buffer.as_mut_vec().extend_from_slice(b"abc");
        let address = buffer.as_ptr();
        let bytes = buffer.freeze();
        let slice = bytes.slice(1..);
        drop(bytes);
        assert_ne!(pool.take(8192).as_mut_vec().as_ptr(), address, "still held by a slice");
        drop(slice);
        assert_eq!(pool.take(8000).as_mut_vec().as_ptr(), address, "reused, last in first out");
    }

    #[test]
    fn a_class_keeps_no_more_than_its_bytes() {
        let pool = BufferPool::new(8192);
        drop([pool.take(4096), pool.take(4096), pool.take(4096)]);
        assert_eq!(pool.inner.classes[0].lock().map(|free| free.len()).ok(), Some(2));
    }
}
