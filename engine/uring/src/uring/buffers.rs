//! Provided receive buffers: the kernel picks one when bytes arrive, so idle connections hold none.
//!
//! ```text
//!   free (a stack) ──provide──▶ kernel's ring ──received──▶ ReceivedBuffer (a Bytes)
//!        ▲                                                     │ last slice drops, any thread
//!        └───────────────── Returns ◀──────────────────────────┘
//! ```
//!
//! Only as many buffers stand in the kernel's ring as bursts have needed: it hands them out in
//! turn, so each one more is memory that goes cold in between.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use bytes::Bytes;
use io_uring::types::BufRingEntry;
use io_uring::{IoUring, cqueue};

use crate::returns::Returns;
use crate::sys::Pages;

/// One shard's provided buffers.
#[derive(Debug)]
pub(crate) struct ProvidedBuffers {
    /// The ring the kernel takes buffers from; `count` entries.
    ring: Pages,
    shared: Arc<Shared>,
    free: Vec<u16>,
    tail: u16,
    /// Buffers in the kernel's ring.
    standing: u16,
    /// How many are kept standing.
    standing_target: u16,
}

#[derive(Debug)]
struct Shared {
    memory: Pages,
    buffer_bytes: usize,
    count: u16,
    returns: Returns,
}

/// The group number; each ring has only one.
pub(crate) const GROUP: u16 = 0;

/// Standing buffers at the start.
const STANDING_MIN: u16 = 32;

impl ProvidedBuffers {
    /// Makes `count` buffers (a power of two) of `buffer_bytes` and registers their ring.
    pub(crate) fn new(io: &IoUring, count: u16, buffer_bytes: usize) -> io::Result<Self> {
        assert!(count.is_power_of_two(), "{count} buffers cannot be indexed by a mask");
        let ring = Pages::new(usize::from(count) * size_of::<BufRingEntry>())?;
        let memory = Pages::new(usize::from(count) * buffer_bytes)?;
        // SAFETY: `ring` is page-aligned, holds `count` entries, and is unmapped only after the
        // ring is closed: the driver drops it last.
        unsafe {
            let address = ring.address().addr() as u64;
            io.submitter().register_buf_ring_with_flags(address, count, GROUP, 0)?;
        }
        let returns = Returns::new(count);
        let shared = Arc::new(Shared { memory, buffer_bytes, count, returns });
        let mut buffers = Self {
            ring,
            shared,
            free: (0..count).rev().collect(),
            tail: 0,
            standing: 0,
            standing_target: STANDING_MIN.min(count),
        };
        buffers.provide();
        Ok(buffers)
    }

    /// Takes back what was let go of and keeps enough standing. True if the kernel has buffers.
    pub(crate) fn replenish(&mut self) -> bool {
        let free = &mut self.free;
        let before = free.len();
        self.shared.returns.take_all(|index| free.push(index));
        // Returned latest first; the latest is to be taken first from the stack's end.
        free[before..].reverse();
        if self.standing < self.standing_target {
            self.provide();
        }
        self.standing > 0
    }

    /// The kernel found none: the next burst shall find more.
    pub(crate) fn on_starved(&mut self) {
        // What the kernel took is taken: `standing` counts down as completions are read, and all
        // of them were read before this one.
        self.standing_target = self.standing_target.saturating_mul(2).min(self.shared.count);
    }

    fn provide(&mut self) {
        let mask = self.shared.count - 1;
        while self.standing < self.standing_target
            && let Some(index) = self.free.pop()
        {
            let at = usize::from(self.tail & mask);
            // SAFETY: `at` is below the number of entries the mapping was made for.
            let entry = unsafe { self.ring.address().cast::<BufRingEntry>().add(at) };
            // SAFETY: the entry lies in our mapping, which is zeroed plain integers, and between
            // the kernel's head and our tail only we write. The fields are set one by one, since
            // the first entry's last field is the ring's tail.
            let entry = unsafe { &mut *entry };
            entry.set_addr(self.shared.address_of(index).addr() as u64);
            entry.set_len(u32::try_from(self.shared.buffer_bytes).unwrap_or(u32::MAX));
            entry.set_bid(index);
            self.tail = self.tail.wrapping_add(1);
            self.standing += 1;
        }
        let base = self.ring.address().cast::<BufRingEntry>();
        // SAFETY: `base` is the first entry of the registered ring, whose reserved field is the
        // tail.
        let tail = unsafe { BufRingEntry::tail(base) };
        // SAFETY: the field is an aligned u16 in our mapping, and we are its only writer.
        let tail = unsafe { AtomicU16::from_ptr(tail.cast_mut()) };
        // Release: the kernel sees the entries before it sees that they are there.
        tail.store(self.tail, Ordering::Release);
    }

    /// The buffer a completion names, `length` bytes of which were received. Small pieces are
    /// copied out, so that what waits for its rest does not hold a whole buffer.
    pub(crate) fn received(&mut self, flags: u32, length: usize) -> Option<(Bytes, usize)> {
        let index = cqueue::buffer_select(flags)?;
        self.standing = self.standing.saturating_sub(1);
        assert!(
            index < self.shared.count && length <= self.shared.buffer_bytes,
            "the kernel filled {length} bytes of buffer {index}, which we never gave it"
        );
        let buffer = ReceivedBuffer { shared: Arc::clone(&self.shared), index, length };
        if length == 0 {
            return None;
        }
        if length <= COPY_BYTES_MAX {
            return Some((Bytes::copy_from_slice(buffer.as_ref()), length));
        }
        Some((Bytes::from_owner(buffer), 0))
    }
}

/// Up to so many bytes a copy costs less than what holding a buffer may.
const COPY_BYTES_MAX: usize = 2048;

impl Shared {
    fn address_of(&self, index: u16) -> *mut u8 {
        // SAFETY: the mapping holds `count` buffers, and indices are below it.
        unsafe { self.memory.address().cast::<u8>().add(usize::from(index) * self.buffer_bytes) }
    }
}

/// A buffer that the kernel filled and nobody writes to until it is returned.
struct ReceivedBuffer {
    shared: Arc<Shared>,
    index: u16,
    length: usize,
}

impl AsRef<[u8]> for ReceivedBuffer {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the kernel initialised the first `length` bytes (and the mapping was zeroed), the
        // bounds were checked in `received`, and the buffer is provided again only after `drop`.
        unsafe { std::slice::from_raw_parts(self.shared.address_of(self.index), self.length) }
    }
}

impl Drop for ReceivedBuffer {
    fn drop(&mut self) {
        self.shared.returns.push(self.index);
    }
}
