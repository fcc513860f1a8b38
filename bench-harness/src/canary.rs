//! What the machine itself costs right now. Printed beside every figure: when these move, the
//! figures moved with them.

use std::fs::File;
use std::io::IoSlice;
use std::os::fd::AsFd as _;
use std::path::Path;

use anyhow::Result;
use millrace_uring::sys;
use serde::{Deserialize, Serialize};

use crate::baseline::{Files, Kind, Loop};
use crate::load::{self, BatchShape, Pace, ProducePlan, ProduceShape, RunOptions};
use crate::server::{Place, Server, Spec};

/// The canaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Canaries {
    /// Touching new anonymous memory, CPU-s per GB.
    pub fresh_memory: f64,
    /// Touching the same memory again.
    pub warm_memory: f64,
    /// Writing a new file, 256 KiB a call.
    pub fresh_file: f64,
    /// Writing the same file again.
    pub warm_file: f64,
    /// Copying 64 MiB in memory.
    pub memcpy: f64,
    /// A 300-byte round trip with one request in flight, µs, median.
    pub echo_us: f64,
}

/// Bytes each memory canary touches.
const BYTES: usize = 256 << 20;
/// One write.
const WRITE_BYTES: usize = 256 << 10;
/// Bytes copied.
const COPY_BYTES: usize = 64 << 20;
/// Round trips.
const ECHOES: u64 = 5_000;

/// Takes all of them: about a second.
pub fn take(place: &Place) -> Result<Canaries> {
    let per_gb = |ns: u64, bytes: usize| ns as f64 / bytes as f64;
    let mut memory: Vec<u8> = Vec::new();
    let fresh_memory = timed(|| {
        memory = vec![0; BYTES];
        touch(&mut memory, 1);
    });
    let warm_memory = timed(|| touch(&mut memory, 2));
    let (from, to) = memory.split_at_mut(BYTES / 2);
    let memcpy = timed(|| to[..COPY_BYTES].copy_from_slice(&from[..COPY_BYTES]));
    let file = tempfile::tempfile_in(&place.dir)?;
    let fresh_file = write_all(&file, &memory[..WRITE_BYTES])?;
    let warm_file = write_all(&file, &memory[..WRITE_BYTES])?;
    Ok(Canaries {
        fresh_memory: per_gb(fresh_memory, BYTES),
        warm_memory: per_gb(warm_memory, BYTES),
        fresh_file: per_gb(fresh_file, BYTES),
        warm_file: per_gb(warm_file, BYTES),
        memcpy: per_gb(memcpy, COPY_BYTES),
        echo_us: echo_us(place)?,
    })
}

/// Makes memory warm: the hypervisor has handed out what a run will use.
pub fn warm_up(dir: &Path, bytes: usize) -> Result<()> {
    let file = tempfile::tempfile_in(dir)?;
    let chunk = vec![1; WRITE_BYTES];
    for at in (0..bytes).step_by(WRITE_BYTES) {
        sys::write_vectored_at(file.as_fd(), &[IoSlice::new(&chunk)], at as u64)?;
    }
    Ok(())
}

fn cpu_ns() -> u64 {
    sys::process_cpu_ns(std::process::id()).unwrap_or(0)
}

fn timed(work: impl FnOnce()) -> u64 {
    let before = cpu_ns();
    work();
    cpu_ns() - before
}

fn touch(memory: &mut [u8], value: u8) {
    for byte in memory.iter_mut().step_by(4096) {
        *byte = std::hint::black_box(value);
    }
}

fn write_all(file: &File, chunk: &[u8]) -> Result<u64> {
    let before = cpu_ns();
    for at in (0..BYTES).step_by(WRITE_BYTES) {
        sys::write_vectored_at(file.as_fd(), &[IoSlice::new(chunk)], at as u64)?;
    }
    Ok(cpu_ns() - before)
}

fn echo_us(place: &Place) -> Result<f64> {
    let (serve, files) = (Loop::Epoll, Files::Nowhere);
    let spec = Spec::Baseline { kind: Kind::Sink, serve, files, fetch_bytes: 0 };
    let server = Server::start(&spec, place)?;
    let batch = BatchShape { batch_bytes: 0, record_bytes: 200, records_max: 1 };
    let shape = ProduceShape { topic: "echo".to_owned(), partitions: 1, batch, acks: 1 };
    let mut plan = ProducePlan::new(&shape)?;
    let options = RunOptions { connections: 1, depth: 1, requests: ECHOES, pace: Pace::Closed };
    let outcome = load::run(server.addr(), &mut plan, options)?;
    Ok(outcome.latency.value_at_quantile(0.5) as f64 / 1000.0)
}
