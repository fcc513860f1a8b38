//! What a driver counts. One writer (the shard's thread), readers anywhere.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)*) => {
        /// A driver's counters since its start. Cheap to bump: a plain load and store each.
        #[derive(Debug, Default)]
        #[repr(align(128))]
        pub struct Counters {
            $($(#[doc = $doc])+ pub $name: Counter,)*
        }

        /// The counters at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct CounterValues {
            $($(#[doc = $doc])+ pub $name: u64,)*
        }

        impl Counters {
            /// All counters now; each is exact, the set is not a snapshot of one moment.
            pub fn values(&self) -> CounterValues {
                CounterValues { $($name: self.$name.value(),)* }
            }
        }

        impl CounterValues {
            /// What was counted since `earlier`.
            #[must_use]
            pub const fn since(&self, earlier: &Self) -> Self {
                Self { $($name: self.$name.wrapping_sub(earlier.$name),)* }
            }

            /// Adds another shard's.
            #[must_use]
            pub const fn plus(&self, other: &Self) -> Self {
                Self { $($name: self.$name.wrapping_add(other.$name),)* }
            }

            /// The counters by name, in the order of their declaration, for metrics.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }

            /// Name and meaning of each counter, in the order of [`Self::iter`].
            pub const DESCRIBED: &[(&'static str, &'static str)] =
                &[$((stringify!($name), concat!($($doc),+)),)*];
        }
    };
}

counters! {
    /// Turns of the loop.
    turns,
    /// io_uring_enter calls.
    enters,
    /// Ring submissions.
    sqes,
    /// Ring completions.
    cqes,
    /// epoll_wait calls.
    epoll_waits,
    /// recv calls made directly.
    recv_calls,
    /// Bytes received from clients.
    recv_bytes,
    /// Times a receive found the buffer ring empty.
    recv_starved,
    /// send and sendmsg calls made directly.
    send_calls,
    /// Sends given to the ring.
    send_ring,
    /// Bytes sent from memory.
    send_bytes,
    /// sendfile calls.
    sendfile_calls,
    /// Bytes sent by sendfile.
    sendfile_bytes,
    /// sendfile calls that held the shard up for more than 1 ms.
    sendfile_slow,
    /// Reads made directly.
    read_calls,
    /// Reads given to the ring.
    read_ring,
    /// Bytes read.
    read_bytes,
    /// Writes made directly.
    write_calls,
    /// Writes given to the ring.
    write_ring,
    /// Writes given to a helper thread.
    write_helper,
    /// Bytes written.
    write_bytes,
    /// Direct writes that held the shard up for more than 1 ms.
    write_slow,
    /// Ring reads and writes that did not complete within the call that submitted them: the kernel
    /// gave them to a worker or waits for a page.
    punts,
    /// Syncs asked for.
    syncs,
    /// Jobs given to helper threads.
    helper_jobs,
    /// Connections accepted.
    accepted,
    /// Times accepting stopped for a while, because descriptors or memory were short.
    accept_pauses,
    /// Connections closed.
    closed,
    /// Mail posted to other shards.
    mail_posted,
    /// Mail received from other shards.
    mail_received,
    /// Mail that found the ring to its shard full and waited here.
    mail_overflowed,
    /// Wake-ups sent to shards that slept.
    wakes_sent,
    /// Bytes the driver copied in user space.
    copied_bytes,
    /// All other system calls (accept, addresses, close, eventfd …).
    other_calls,
}

impl CounterValues {
    /// System calls the shard's own thread made, of all kinds.
    pub const fn syscalls(&self) -> u64 {
        self.enters
            + self.epoll_waits
            + self.recv_calls
            + self.send_calls
            + self.sendfile_calls
            + self.read_calls
            + self.write_calls
            + self.other_calls
    }
}

/// One count with one writer.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one. Only the owning shard's thread may call this.
    pub(crate) fn bump(&self) {
        self.add(1);
    }

    /// Counts `n`. Only the owning shard's thread may call this.
    pub(crate) fn add(&self, n: u64) {
        let value = self.0.load(Ordering::Relaxed);
        self.0.store(value.wrapping_add(n), Ordering::Relaxed);
    }

    /// The count.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
