//! The running broker: binds the listeners, starts one thread per shard, waits for the end.
//!
//! The only file of the library that meets the world; everything below it is told.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier, OnceLock};
use std::time::Duration;

use millrace_io::{Completion, Mono, Now, Op, ShardId};
use millrace_replication::image::Endpoint;
use millrace_uring::{
    Backend, Driver, DriverConfig, FolderLock, LOCK_FILE, Shards, StopHandle, lock_folder,
    probe_append, start_shards, sys,
};

use crate::admin::Watched;
use crate::config::{AdvertisedHost, BrokerConfig, IoBackend, Listener, Loaded, TABLES};
use crate::counters::Counters;
use crate::mail::Mail;
use crate::setup::{BoundListener, LogDir, Setup};
use crate::shard::{DiskSpace, Shard};
use crate::ticket::SHARDS_MAX;

/// What only the process can know.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The host's name, for clients of a listener that nobody gave an address.
    pub host_name: String,
    /// Identifies the boot of the machine.
    pub boot_id: u128,
    /// Decides everything random.
    pub seed: u64,
    /// CPUs this process may use.
    pub cpus: usize,
}

/// A broker that runs in threads of this process.
#[derive(Debug)]
pub struct Server {
    shards: Shards<Result<(), String>>,
    ready: Arc<OnceLock<Result<Bound, String>>>,
    counters: Vec<Arc<OnceLock<Arc<Counters>>>>,
    /// The log dirs are ours while these are open.
    _locks: Vec<FolderLock>,
}

/// Where a broker listens.
#[derive(Clone, Debug)]
pub struct Bound {
    /// Addresses, in the order of the configured listeners.
    pub addresses: Vec<SocketAddr>,
    setup: Arc<Setup>,
}

/// Receives lines for the process's log.
pub type LogLine = fn(&str);

impl Server {
    /// Starts a broker. Returns once it is bound; clients that connect are served as soon as its
    /// logs are open.
    ///
    /// The error says what could not be had: an address, a driver, a data folder.
    pub fn start(loaded: Loaded, machine: &Machine, log: LogLine) -> Result<Self, String> {
        let config = loaded.config.clone();
        let shards = shard_count(&config, machine);
        let driver = driver_config(&loaded, shards, machine);
        let locks = lock_log_dirs(&config)?;
        raise_open_files(log);
        probe_log_dirs(&config, log);
        let ready: Arc<OnceLock<Result<Bound, String>>> = Arc::default();
        let barrier = Arc::new(Barrier::new(usize::from(shards) + 1));
        let counters: Vec<Arc<OnceLock<Arc<Counters>>>> =
            (0..shards).map(|_| Arc::default()).collect();
        let stop: Arc<OnceLock<StopHandle>> = Arc::default();
        let loaded = Arc::new(loaded);
        let threads = start_shards(&driver, |id| {
            let (ready, barrier) = (Arc::clone(&ready), Arc::clone(&barrier));
            let stop = Arc::clone(&stop);
            let counters = Arc::clone(&counters[usize::from(id.0)]);
            let (loaded, machine) = (Arc::clone(&loaded), machine.clone());
            move |mut driver: Driver<Mail>| {
                if id == ShardId(0) {
                    let bound = bind(&mut driver, &loaded, &machine, shards);
                    // Set once, here.
                    let _ = ready.set(bound);
                }
                barrier.wait();
                let Some(Ok(bound)) = ready.get() else { return Ok(()) };
                let shard = Shard::new(id, Arc::clone(&bound.setup), machine.seed);
                let _ = counters.set(shard.counters());
                let ended = run(shard, driver, &bound.setup.log_dirs, log);
                if ended.is_err() {
                    // None can serve without the others; they would wait for this one.
                    stop.get().inspect(|stop| stop.stop());
                }
                ended
            }
        })
        .map_err(|error| error.to_string())?;
        log(&format!("driver: {}", threads.report().why));
        // Before any shard runs. Set once, here.
        let _ = stop.set(threads.stop_handle());
        barrier.wait();
        if let Some(Err(error)) = ready.get() {
            return Err(error.clone());
        }
        Ok(Self { shards: threads, ready, counters, _locks: locks })
    }

    /// Where it listens.
    pub fn bound(&self) -> Option<&Bound> {
        self.ready.get().and_then(|bound| bound.as_ref().ok())
    }

    /// All shards' counters.
    pub fn counters(&self) -> Vec<Arc<Counters>> {
        self.counters.iter().filter_map(|counters| counters.get().cloned()).collect()
    }

    /// What the admin port tells about.
    pub fn watched(&self) -> Watched {
        Watched {
            shards: self.counters.clone(),
            drivers: self.driver_counters(),
            backend: match self.shards.report().backend {
                Backend::Epoll => "epoll",
                Backend::Auto | Backend::Uring => "io_uring",
            },
        }
    }

    /// All drivers' counters.
    pub fn driver_counters(&self) -> Vec<Arc<millrace_uring::Counters>> {
        self.shards.counters().to_vec()
    }

    /// Asks the broker to stop cleanly.
    pub fn stop(&self) {
        self.shards.stop_handle().stop();
    }

    /// Waits for the broker's end. The error says why it ended by itself.
    pub fn join(self) -> Result<(), String> {
        let ended = self.shards.join().map_err(|error| error.to_string())?;
        ended.into_iter().collect()
    }
}

fn run(
    mut shard: Shard,
    mut driver: Driver<Mail>,
    log_dirs: &[LogDir],
    log: LogLine,
) -> Result<(), String> {
    let mut disk_space_due = Mono(0);
    let counters = Arc::clone(driver.counters());
    let mut accept_pauses = 0;
    let mut completions = Vec::new();
    let mut ops = Vec::new();
    let mut deadline = Some(Mono(0));
    while !shard.is_finished() {
        let now = driver.turn(&mut ops, deadline, &mut completions);
        if now.mono >= disk_space_due {
            shard.set_disk_space(log_dirs.iter().map(disk_space).collect());
            disk_space_due = now.mono.plus_ms(DISK_SPACE_MS);
        }
        let pauses = counters.accept_pauses.value();
        if std::mem::replace(&mut accept_pauses, pauses) != pauses {
            shard.on_accept_paused();
        }
        step(&mut shard, now, &mut completions, &mut ops);
        deadline = shard.next_deadline();
        for note in shard.take_notes() {
            log(&note);
        }
    }
    // What the last turn decided still has to reach the kernel and the other shards.
    driver.turn(&mut ops, Some(Mono(0)), &mut completions);
    while driver.has_unsent_mail() {
        driver.turn(&mut ops, Some(Mono(0)), &mut completions);
    }
    shard.failure().map_or(Ok(()), |reason| Err(reason.to_owned()))
}

/// One turn, measured where somebody is held to the time that requests take.
#[expect(
    clippy::disallowed_methods,
    reason = "the shard is told how long it took, and has no clock"
)]
fn step(
    shard: &mut Shard,
    now: Now,
    completions: &mut Vec<Completion<Mail>>,
    ops: &mut Vec<Op<Mail>>,
) {
    if !shard.wants_step_time() {
        shard.step(now, completions, ops);
        return;
    }
    let begun = std::time::Instant::now();
    shard.step(now, completions, ops);
    shard.note_step_time(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
}

fn disk_space(dir: &LogDir) -> Option<DiskSpace> {
    let info = sys::fs_info_at(&dir.path).ok()?;
    Some(DiskSpace { bytes_total: info.bytes_total, bytes_usable: info.bytes_free })
}

fn shard_count(config: &BrokerConfig, machine: &Machine) -> u16 {
    let cpus = u16::try_from(machine.cpus).unwrap_or(SHARDS_MAX);
    config.shards.unwrap_or(cpus).clamp(1, SHARDS_MAX)
}

fn driver_config(loaded: &Loaded, shards: u16, machine: &Machine) -> DriverConfig {
    let config = &loaded.config;
    let defaults = DriverConfig::default();
    // Kafka's default of 100 KiB more than doubles the cost of a byte here; unless somebody asked
    // for a size, the kernel finds a better one.
    let bytes = |name: &str, configured: Option<i32>| {
        let asked = loaded.statics.get(name).and(configured);
        asked.and_then(|bytes| u32::try_from(bytes).ok())
    };
    // Nor is Kafka's 50 enough for clients that come all at once: who finds the queue full tries
    // again after a second.
    let backlog = match loaded.statics.get("socket.listen.backlog.size") {
        Some(_) => u16::try_from(config.connections.backlog).unwrap_or(u16::MAX),
        None => defaults.backlog,
    };
    DriverConfig {
        shards,
        backend: match config.io_backend {
            IoBackend::Auto => Backend::Auto,
            IoBackend::Uring => Backend::Uring,
            IoBackend::Epoll => Backend::Epoll,
        },
        // Pinning pays only when every shard has a CPU of its own.
        pin_cpus: if usize::from(shards) <= machine.cpus && shards > 1 {
            (0..usize::from(shards)).collect()
        } else {
            Vec::new()
        },
        stop_on_signals: true,
        send_buffer_bytes: bytes("socket.send.buffer.bytes", config.connections.send_buffer_bytes)
            .or(defaults.send_buffer_bytes),
        socket_receive_buffer_bytes: bytes(
            "socket.receive.buffer.bytes",
            config.connections.receive_buffer_bytes,
        )
        .or(defaults.socket_receive_buffer_bytes),
        backlog,
        ..defaults
    }
}

/// A partition holds a file open and a connection a socket: says so where there can be few.
fn raise_open_files(log: LogLine) {
    match sys::raise_open_files() {
        Ok(files) if files < OPEN_FILES_WARN => log(&format!(
            "warning: this process may open {files} files, one for each partition and each \
             connection and some to spare; raise the limit (ulimit -Hn, LimitNOFILE)"
        )),
        Ok(_) => {}
        Err(error) => log(&format!("warning: the limit of open files stays as it is: {error}")),
    }
}

/// Makes the log dirs where they are missing and locks each, as Kafka does.
///
/// The error says which folder cannot be had, and why.
fn lock_log_dirs(config: &BrokerConfig) -> Result<Vec<FolderLock>, String> {
    let lock = |dir: &String| match lock_folder(Path::new(dir), LOCK_PATIENCE) {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(format!(
            "log.dirs: {dir}: another broker has it locked ({LOCK_FILE}); stop that one, or give \
             this one a folder of its own with --data-dir"
        )),
        Err(error) => Err(format!("log.dirs: {dir}: {error}")),
    };
    config.log_dirs.iter().map(lock).collect()
}

/// Finds out, for each log dir, which way of appending its filesystem does well. One that cannot be
/// probed (it is full) is taken for what it is known as.
fn probe_log_dirs(config: &BrokerConfig, log: LogLine) {
    for dir in &config.log_dirs {
        match probe_append(Path::new(dir)) {
            Ok(report) => log(&format!("{dir}: {report}")),
            Err(error) => log(&format!("{dir}: appends could not be probed: {error}")),
        }
    }
}

fn bind(
    driver: &mut Driver<Mail>,
    loaded: &Loaded,
    machine: &Machine,
    shards: u16,
) -> Result<Bound, String> {
    let config = &loaded.config;
    let mut addresses = Vec::new();
    for listener in &config.listeners.bound {
        let wanted = resolve(listener)?;
        let (_, address) = match driver.listen(wanted) {
            // A machine without IPv6.
            Err(error)
                if wanted.ip() == Ipv6Addr::UNSPECIFIED && error.kind() != ErrorKind::AddrInUse =>
            {
                driver.listen((Ipv4Addr::UNSPECIFIED, wanted.port()).into())
            }
            bound => bound,
        }
        .map_err(|error| format!("listener {}: cannot bind {wanted}: {error}", listener.name))?;
        addresses.push(address);
    }
    let setup = setup(loaded, machine, shards, &addresses);
    Ok(Bound { addresses, setup: Arc::new(setup) })
}

fn resolve(listener: &Listener) -> Result<SocketAddr, String> {
    // As in Kafka: no host is every address of either family.
    let host = if listener.host.is_empty() { "::" } else { listener.host.as_str() };
    (host, listener.port)
        .to_socket_addrs()
        .map_err(|error| format!("listener {}: {host}: {error}", listener.name))?
        .next()
        .ok_or_else(|| format!("listener {}: {host} has no address", listener.name))
}

fn setup(loaded: &Loaded, machine: &Machine, shards: u16, addresses: &[SocketAddr]) -> Setup {
    let config = &loaded.config;
    let bound = || config.listeners.bound.iter().zip(addresses);
    let listeners = bound().map(|(listener, _)| {
        let advertised = config.listeners.advertised(&listener.name);
        let is_derived = advertised.is_some_and(|it| it.host == AdvertisedHost::Derived);
        BoundListener { name: listener.name.clone(), is_derived }
    });
    let endpoints = bound().filter_map(|(listener, address)| {
        let advertised = config.listeners.advertised(&listener.name)?;
        let (host, port) = advertised.address(&machine.host_name, address.port());
        Some(Endpoint {
            name: listener.name.clone(),
            host: host.to_owned(),
            port,
            security_protocol: listener.protocol.id(),
        })
    });
    let count = |value: i32| usize::try_from(value).unwrap_or(0);
    let time = |value: i64| u64::try_from(value).unwrap_or(u64::MAX);
    Setup {
        node_id: config.node_id,
        shards,
        cluster_id: loaded.cluster_id.clone(),
        log_dirs: config.log_dirs.iter().map(|name| log_dir(name)).collect(),
        endpoints: endpoints.collect(),
        listeners: listeners.collect(),
        rack: config.rack.clone(),
        tables: TABLES,
        statics: loaded.statics.clone(),
        partitions_default: config.topics.partitions,
        replication_factor_default: config.topics.replication_factor,
        auto_create_topics: config.topics.auto_create,
        delete_topics: config.topics.deletion_allowed,
        request_bytes_max: count(config.requests.frame_bytes_max),
        small_request_bytes_max: count(config.requests.small_bytes_max),
        request_bytes_in_flight_max: config
            .requests
            .queued_bytes_max
            .and_then(|bytes| usize::try_from(bytes).ok())
            .unwrap_or(QUEUED_BYTES_MAX)
            / usize::from(shards),
        fetch_bytes_max: u32::try_from(config.requests.fetch_bytes_max).unwrap_or(0),
        fetch_sessions_max: count(config.requests.fetch_sessions_max),
        pool_class_bytes_max: POOL_CLASS_BYTES_MAX,
        hosts: config.connections.per_ip_overrides.keys().map(|host| addresses_of(host)).collect(),
        connections_max_idle_ms: u64::try_from(config.connections.idle_ms_max).ok(),
        retention_check_ms: time(config.intervals.retention_check_ms),
        initial_task_delay_ms: time(config.intervals.initial_delay_ms),
        metadata_snapshot_bytes: time(config.metadata_snapshot_bytes),
        group_snapshot_bytes: GROUP_SNAPSHOT_BYTES,
        checkpoint_ms: CHECKPOINT_MS,
        offset_files_ms: [
            time(config.intervals.recovery_point_checkpoint_ms),
            time(config.intervals.start_offset_checkpoint_ms),
            time(config.intervals.high_watermark_checkpoint_ms),
        ],
        stop_grace_ms: STOP_GRACE_MS,
        boot_id: machine.boot_id,
    }
}

/// A host's addresses, as far as they can be found out.
fn addresses_of(host: &str) -> (String, Vec<IpAddr>) {
    let found = (host, 0).to_socket_addrs();
    (host.to_owned(), found.map_or_else(|_| Vec::new(), |all| all.map(|it| it.ip()).collect()))
}

fn log_dir(name: &str) -> LogDir {
    let path = Path::new(name);
    let path: PathBuf = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    LogDir { name: path.display().to_string(), path }
}

/// How long a start waits for a process that was killed to let go of its log dirs.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);
/// Fewer open files than this deserve a warning.
const OPEN_FILES_WARN: u64 = 10_000;
/// How old what clients are told of the disks' space may be, ms.
const DISK_SPACE_MS: u64 = 1_000;
/// Bytes of requests that the broker holds unless `queued.max.request.bytes` says otherwise.
const QUEUED_BYTES_MAX: usize = 512 << 20;
/// Bytes of free receive buffers kept per size class and shard.
const POOL_CLASS_BYTES_MAX: usize = 32 << 20;
/// The log of a group coordinator that has grown by less is read without a snapshot, bytes: a tenth of
/// a second's work.
const GROUP_SNAPSHOT_BYTES: u64 = 4 << 20;
/// How often shards checkpoint, ms: bounds what a start after a crash reads.
const CHECKPOINT_MS: u64 = 5_000;
/// How long a stop waits for requests under way, ms.
const STOP_GRACE_MS: u64 = 5_000;
