//! The mesh of a process: seats for its shards, their threads, how they are asked to stop.

use std::sync::Arc;
use std::{io, thread};

use millrace_io::{BufferPool, ShardId};

use crate::bell::Inbox;
use crate::config::{Backend, DriverConfig};
use crate::counters::{CounterValues, Counters};
use crate::driver::Driver;
use crate::helpers::HelpersGuard;
use crate::mesh::MeshEnd;
use crate::probe::{ProbeReport, probe};
use crate::sys;

/// What the shards of a process share. Make one, take its seats, and give each to a thread.
#[derive(Debug)]
pub struct Mesh<M> {
    seats: Vec<Seat<M>>,
    stop: StopHandle,
    counters: Vec<Arc<Counters>>,
    report: ProbeReport,
}

/// One shard's place in the mesh, on its way to the shard's thread.
#[derive(Debug)]
pub struct Seat<M> {
    mesh: MeshEnd<M>,
    config: DriverConfig,
    counters: Arc<Counters>,
    helpers: Arc<HelpersGuard>,
    pool: BufferPool,
}

/// Asks all shards of a mesh to stop. Any thread may.
#[derive(Clone, Debug)]
pub struct StopHandle {
    inboxes: Arc<[Arc<Inbox>]>,
}

impl StopHandle {
    /// Brings every shard a [`millrace_io::Completion::Stop`].
    pub fn stop(&self) {
        for inbox in self.inboxes.iter() {
            inbox.stop();
        }
    }
}

impl<M: Send> Mesh<M> {
    /// Prepares `config.shards` shards. Lets SIGPIPE pass the process by; with
    /// `config.stop_on_signals`, blocks SIGTERM and SIGINT in this thread and those it makes from
    /// now on, so call it before there are others.
    ///
    /// Errors: out of descriptors or threads; `config.backend` asked for by name and refused.
    pub fn new(config: &DriverConfig) -> io::Result<Self> {
        assert!(config.shards > 0, "a mesh of no shards");
        sys::ignore_broken_pipes();
        let report = probe(config.backend);
        if !report.is_available {
            return Err(io::Error::other(report.why));
        }
        let mut config = config.clone();
        let inboxes: Arc<[Arc<Inbox>]> =
            (0..config.shards).map(|_| Inbox::new().map(Arc::new)).collect::<io::Result<_>>()?;
        let stop = StopHandle { inboxes: Arc::clone(&inboxes) };
        if config.stop_on_signals {
            stop_on_signals(stop.clone())?;
        }
        let pool = BufferPool::new(config.read_pool_class_bytes);
        let helpers = Arc::new(HelpersGuard::start(config.helper_threads, pool.clone())?);
        // `Auto` stays what it is where it means io_uring, so that a shard whose own ring is
        // refused after all may still fall back.
        if report.backend == Backend::Epoll {
            config.backend = Backend::Epoll;
        }
        let counters: Vec<Arc<Counters>> = (0..config.shards).map(|_| Arc::default()).collect();
        let ends = MeshEnd::connect(&inboxes, config.mail_capacity);
        let seats = ends.into_iter().zip(&counters).map(|(mesh, counters)| Seat {
            mesh,
            config: config.clone(),
            counters: Arc::clone(counters),
            helpers: Arc::clone(&helpers),
            pool: pool.clone(),
        });
        Ok(Self { seats: seats.collect(), stop, counters, report })
    }

    /// The seats, in the order of the shards. The second call gets none.
    pub fn take_seats(&mut self) -> Vec<Seat<M>> {
        std::mem::take(&mut self.seats)
    }

    /// How to ask the shards to stop.
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// All shards' counters.
    pub fn counters(&self) -> &[Arc<Counters>] {
        &self.counters
    }

    /// Which driver the shards get, and why.
    pub const fn report(&self) -> &ProbeReport {
        &self.report
    }
}

impl<M: Send> Seat<M> {
    /// The shard this seat is for.
    pub const fn shard(&self) -> ShardId {
        self.mesh.shard
    }

    /// Makes the driver, for this thread, which is pinned if the configuration says so.
    pub fn into_driver(self) -> io::Result<Driver<M>> {
        let cpu = self.config.pin_cpus.get(usize::from(self.shard().0));
        if let Some(&cpu) = cpu {
            // A CPU we may not use is no reason not to serve.
            let _ = sys::pin_thread(cpu);
        }
        Driver::new(self.mesh, self.config, self.counters, self.helpers, self.pool)
    }
}

/// Running shard threads.
#[derive(Debug)]
pub struct Shards<R> {
    threads: Vec<thread::JoinHandle<io::Result<R>>>,
    stop: StopHandle,
    counters: Vec<Arc<Counters>>,
    report: ProbeReport,
}

impl<R> Shards<R> {
    /// How to ask the shards to stop.
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// All shards' counters.
    pub fn counters(&self) -> &[Arc<Counters>] {
        &self.counters
    }

    /// The sum of all shards' counters now.
    pub fn counters_sum(&self) -> CounterValues {
        let values = self.counters.iter().map(|counters| counters.values());
        values.fold(CounterValues::default(), |sum, one| sum.plus(&one))
    }

    /// Which driver the shards got, and why.
    pub const fn report(&self) -> &ProbeReport {
        &self.report
    }

    /// Waits for all shards to end and returns what their bodies did, in order; the first error of
    /// a driver that could not be made.
    pub fn join(self) -> io::Result<Vec<R>> {
        let join = |thread: thread::JoinHandle<io::Result<R>>| {
            let panicked = |_| io::Error::other("a shard panicked");
            thread.join().map_err(panicked)?
        };
        self.threads.into_iter().map(join).collect()
    }
}

/// Starts one thread per shard. `body` is called here, once per shard in order, and what it returns
/// runs there with the shard's driver until the shard ends.
pub fn start_shards<M, R, F>(
    config: &DriverConfig,
    mut body: impl FnMut(ShardId) -> F,
) -> io::Result<Shards<R>>
where
    M: Send + 'static,
    R: Send + 'static,
    F: FnOnce(Driver<M>) -> R + Send + 'static,
{
    let mut mesh = Mesh::new(config)?;
    let mut threads = Vec::new();
    for seat in mesh.take_seats() {
        let shard = seat.shard();
        let body = body(shard);
        let thread = thread::Builder::new().name(format!("millrace-shard-{}", shard.0));
        threads.push(thread.spawn(move || seat.into_driver().map(body))?);
    }
    Ok(Shards {
        threads,
        stop: mesh.stop.clone(),
        counters: mesh.counters.clone(),
        report: mesh.report.clone(),
    })
}

/// A thread that turns the first SIGTERM or SIGINT into a stop of all shards, and the second into
/// the end of the process: whoever asks twice does not want to wait.
fn stop_on_signals(stop: StopHandle) -> io::Result<()> {
    sys::block_stop_signals()?;
    let wait = move || {
        if sys::wait_stop_signal().is_ok() {
            stop.stop();
        }
        if let Ok(signal) = sys::wait_stop_signal() {
            std::process::exit(128 + signal);
        }
    };
    let thread = thread::Builder::new().name("millrace-signals".to_owned());
    thread.spawn(wait).map(drop)
}
