//! Cold reads: what may not be in the page cache is brought in before it is served.
//!
//! `sendfile` stops the shard on a page that is not resident. Offsets at or above the hot mark are
//! taken as resident; a read below it is first brought in by [`millrace_io::Op::Prefetch`], in
//! pieces of bounded size and a bounded number of bytes at a time, so that one consumer that reads
//! old records neither stalls the tail nor pushes it out of the cache.

use millrace_io::{FileRef, IoError, Op};

use crate::Offset;
use crate::log::{Log, Pending};

/// Bytes of one read-ahead; a cold read is answered with no more than this unless its first batch
/// is larger.
pub const COLD_READ_BYTES_MAX: u32 = 1 << 20;
/// Bytes of read-ahead under way per partition.
pub const COLD_IN_FLIGHT_BYTES_MAX: u64 = 4 << 20;

impl Log {
    /// Offsets at or above this are taken to be in the page cache.
    ///
    /// By default what was written since the log was opened. Raise it when memory is short, or
    /// lower it when something else has read the range.
    pub fn set_hot_mark(&mut self, offset: Offset) {
        self.reader.hot_from = offset;
    }

    /// The hot mark.
    pub const fn hot_mark(&self) -> Offset {
        self.reader.hot_from
    }

    /// Starts bringing in a range for a job, unless too much is under way: then the job waits.
    pub(crate) fn maybe_prefetch<M>(
        &mut self,
        job: u32,
        file: FileRef,
        position: u64,
        length: u32,
        ops: &mut Vec<Op<M>>,
    ) -> bool {
        let bytes = u64::from(length);
        let under_way = self.reader.prefetching_bytes;
        if under_way > 0 && under_way + bytes > COLD_IN_FLIGHT_BYTES_MAX {
            return false;
        }
        self.reader.prefetching_bytes += bytes;
        let token = self.wires.token(Pending::JobPrefetched { job, bytes });
        ops.push(Op::Prefetch { token, file, position, length: bytes });
        true
    }

    /// A range is resident, or could not be made so; the reader finds out which.
    pub(crate) fn on_job_prefetched<M>(
        &mut self,
        job: u32,
        bytes: u64,
        result: Result<(), IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        self.reader.prefetching_bytes -= bytes;
        self.on_job_warm(job, result);
        self.drive_jobs(ops);
    }
}
