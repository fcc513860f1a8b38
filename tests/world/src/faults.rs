//! What may go wrong, and how often.

use crate::Rng;

/// A plan of faults. Chances are per mille of the operations they concern.
///
/// [`Faults::none`] still delays and reorders completions and cuts streams, as a healthy machine
/// does. May be changed during a run with [`crate::World::faults_mut`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// Reads that fail with EIO, per mille.
    pub read_error: u32,
    /// Writes that fail with EIO after some prefix, per mille.
    pub write_error: u32,
    /// Syncs that fail with EIO and drop the dirty pages, per mille.
    pub sync_error: u32,
    /// Opens that fail for want of descriptors, per mille, and so what opens a file on its way.
    pub open_exhausted: u32,
    /// Computations in the background whose thread dies of them, per mille.
    pub work_dies: u32,
    /// Writes that reach the page cache in two steps, per mille.
    pub write_split: u32,
    /// Operations that take long, per mille.
    pub spike: u32,
    /// The longest such operation takes, ms.
    pub spike_ms_max: u64,
    /// Turns after which a shard is not scheduled for long, per mille.
    pub stall: u32,
    /// The longest such pause, ms.
    pub stall_ms_max: u64,
    /// Pages half written when the power goes, per mille of the dirty ones.
    pub torn_page: u32,
    /// Bytes that fit on the disk.
    pub disk_bytes_max: u64,
    /// Stream segments instead of which the connection is reset, per mille.
    pub reset: u32,
    /// Deliveries that are cut to few bytes, per mille.
    pub trickle: u32,
    /// Jumps of the wall clock, per mille of turns.
    pub clock_jump: u32,
    /// The furthest the wall clock jumps, either way, ms.
    pub clock_jump_ms_max: u64,
}

impl Faults {
    /// A healthy machine with a very large disk.
    pub const fn none() -> Self {
        Self {
            read_error: 0,
            write_error: 0,
            sync_error: 0,
            open_exhausted: 0,
            work_dies: 0,
            write_split: 0,
            spike: 0,
            spike_ms_max: 0,
            stall: 0,
            stall_ms_max: 0,
            torn_page: 300,
            disk_bytes_max: u64::MAX,
            reset: 0,
            trickle: 0,
            clock_jump: 0,
            clock_jump_ms_max: 0,
        }
    }

    /// What slows and cuts but breaks no promise: splits, spikes, stalls, trickles, resets and
    /// clock jumps, each in about half of the runs and at a strength of its own.
    ///
    /// Leaving some out entirely finds more than a bit of everything: what one fault hides,
    /// another run without it shows.
    pub fn swarm(rng: &mut Rng) -> Self {
        let mut pick = |high: u64| -> u32 {
            let on = rng.chance(500);
            let strength = rng.between(1, high);
            if on { u32::try_from(strength).unwrap_or(u32::MAX) } else { 0 }
        };
        Self {
            write_split: pick(500),
            spike: pick(50),
            spike_ms_max: u64::from(pick(3000)) + 1,
            stall: pick(30),
            stall_ms_max: u64::from(pick(500)) + 1,
            torn_page: pick(900),
            reset: pick(10),
            trickle: pick(300),
            clock_jump: pick(3),
            clock_jump_ms_max: u64::from(pick(7_200_000)) + 1,
            ..Self::none()
        }
    }
}

/// What fails once with EIO, see [`crate::World::break_once`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Reading a file or listing a folder.
    Read,
    /// Writing, cutting or reserving; a prefix of what was to be written may be there.
    Write,
    /// Syncing a file; the dirty pages are dropped, see [`crate::Disk`].
    Sync,
    /// Opening a file.
    Open,
    /// Renaming, removing, making a folder, or making names durable.
    Name,
}
