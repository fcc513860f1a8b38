//! The simulated world: disks, sockets, mail and clocks that answer every [`millrace_io::Op`] from
//! one seed.
//!
//! A [`World`] has a driver's shape: operations in, completions out, the time of the turn back. It
//! decides everything a kernel and a network decide (when an operation ends, in which order, how a
//! stream is cut, what a power loss leaves) with one generator, so the same seed and the same
//! operations give the same trace, which [`World::trace`] proves with one number.
//!
//! What is not here: any knowledge of Kafka, logs or the broker. Tests of the log use one shard
//! and [`World::turn`]; the whole-broker simulator steps several with [`World::advance`].
//!
//! The model of durability is told at [`Disk`], of streams at [`ClientId`].

#![forbid(unsafe_code)]

mod disk;
mod faults;
mod net;
mod rng;
mod trace;
mod world;

pub use disk::Disk;
pub use faults::{Broken, Faults};
pub use net::ClientId;
pub use rng::Rng;
pub use trace::Trace;
pub use world::{Next, World, WorldConfig};
