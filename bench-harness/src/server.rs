//! The servers under test, as child processes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use millrace_uring::sys;
use tempfile::TempDir;

use crate::baseline::{Files, Kind, Loop};
use crate::client;

/// What to start.
#[derive(Clone, Debug)]
pub enum Spec {
    /// One of this program's baselines.
    Baseline {
        /// Which.
        kind: Kind,
        /// How it serves.
        serve: Loop,
        /// How its files use memory.
        files: Files,
        /// Record bytes of a `source` answer.
        fetch_bytes: u32,
    },
    /// The broker.
    Millrace {
        /// The program.
        program: PathBuf,
        /// Its `--io-backend`.
        backend: String,
        /// Its `--shards`.
        shards: u16,
        /// Further `key=value` settings.
        set: Vec<String>,
    },
    /// Apache Kafka, by a script that takes PORT, DIR and `key=value` settings and runs in the
    /// foreground.
    Kafka {
        /// The script.
        script: PathBuf,
        /// Further `key=value` settings.
        set: Vec<String>,
    },
}

impl Spec {
    /// A short name for tables.
    pub fn name(&self) -> String {
        match self {
            Self::Baseline { kind: Kind::Source, serve: Loop::Epoll, .. } => "source".to_owned(),
            Self::Baseline { kind: Kind::Source, .. } => "source threads".to_owned(),
            Self::Baseline { kind: Kind::Echo, .. } => "echo".to_owned(),
            Self::Baseline { kind, files, serve, .. } => {
                let files = match files {
                    Files::Recycled => "recycled",
                    Files::Fresh => "fresh",
                    Files::Renamed => "renamed",
                    Files::Nowhere => "nowhere",
                };
                let serve = if *serve == Loop::Threads { " threads" } else { "" };
                format!("{} {files}{serve}", kind.name())
            }
            Self::Millrace { program, backend, shards, .. } => {
                let build =
                    program.file_stem().map_or("millrace".into(), |name| name.to_string_lossy());
                let shards = if *shards == 1 { String::new() } else { format!(" x{shards}") };
                format!("{build} {backend}{shards}")
            }
            Self::Kafka { .. } => "kafka".to_owned(),
        }
    }

    /// True for one of the baselines.
    pub const fn is_baseline(&self) -> bool {
        matches!(self, Self::Baseline { .. })
    }
}

/// Where and how servers run.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder below which every server gets one of its own.
    pub dir: PathBuf,
    /// The CPU for servers; the generator pins itself elsewhere.
    pub server_cpu: Option<usize>,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    spec: Spec,
    place: Place,
    child: Child,
    addr: SocketAddr,
    admin: Option<SocketAddr>,
    root: TempDir,
    start_took: Duration,
}

/// The lowest port a server gets.
const PORTS_FROM: u16 = 10_000;
/// Pairs of ports to choose from.
const PORT_PAIRS: u16 = 10_000;
/// How long a server may take until it answers.
const START_PATIENCE: Duration = Duration::from_mins(2);
/// How long it may take to end when asked.
const STOP_PATIENCE: Duration = Duration::from_mins(1);

impl Server {
    /// Starts a server in an empty folder and waits until it answers.
    pub fn start(spec: &Spec, place: &Place) -> Result<Self> {
        let root = tempfile::Builder::new().prefix("bench-").tempdir_in(&place.dir)?;
        if let Spec::Kafka { script, .. } = spec {
            format_kafka(script, &root.path().join("data"))?;
        }
        let begun = Instant::now();
        let (child, addr, admin) = launch(spec, place, root.path())?;
        let (spec, place) = (spec.clone(), place.clone());
        let start_took = Duration::ZERO;
        let mut server = Self { spec, place, child, addr, admin, root, start_took };
        server.await_answer()?;
        server.start_took = begun.elapsed();
        Ok(server)
    }

    fn await_answer(&mut self) -> Result<()> {
        if self.spec.is_baseline() {
            return Ok(());
        }
        let answer = client::await_answer(self.addr, START_PATIENCE);
        if let Some(status) = self.child.try_wait()? {
            bail!("{} ended with {status}:\n{}", self.spec.name(), self.log_tail());
        }
        answer.map(drop).with_context(|| self.log_tail())
    }

    /// Starts it again on the same folder, and tells how long the first answer took.
    pub fn restart(&mut self) -> Result<Duration> {
        ensure!(self.child.try_wait()?.is_some(), "it runs");
        let begun = Instant::now();
        (self.child, self.addr, self.admin) = launch(&self.spec, &self.place, self.root.path())?;
        self.await_answer()?;
        Ok(begun.elapsed())
    }

    /// How long the first start took to its first answer. Formatting a folder, which Kafka has done
    /// by a program of its own, is not in it.
    pub const fn start_took(&self) -> Duration {
        self.start_took
    }

    /// Asks the process to end, and waits for it.
    pub fn terminate(&mut self) -> Result<Duration> {
        let begun = Instant::now();
        let pid = self.pid().to_string();
        ensure!(Command::new("kill").args(["-TERM", &pid]).status()?.success(), "kill failed");
        while self.child.try_wait()?.is_none() {
            ensure!(begun.elapsed() < STOP_PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(begun.elapsed())
    }

    /// Kills the process (SIGKILL).
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// What was started.
    pub const fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Where it runs.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The folder of its logs.
    pub fn log_dir(&self) -> PathBuf {
        let data = self.root.path().join("data");
        if matches!(self.spec, Spec::Kafka { .. }) { data.join("logs") } else { data }
    }

    /// The end of what it said.
    fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.root.path().join("server.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(15).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// The broker's metrics by name, summed over labels; empty if it has none.
    pub fn metrics(&self) -> BTreeMap<String, f64> {
        self.admin.and_then(|addr| scrape(addr).ok()).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error means that it is gone already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Formats Kafka's folder, as an administrator does once.
fn format_kafka(script: &Path, data: &Path) -> Result<()> {
    let mut command = Command::new(script);
    command.args([OsStr::new("0"), data.as_os_str()]).env("KAFKA_FORMAT_ONLY", "1");
    ensure!(command.stdin(Stdio::null()).status()?.success(), "formatting failed");
    Ok(())
}

/// A port that is free, and the one above it, which Kafka's controller takes.
///
/// Below the kernel's range for outgoing connections: one of those may hold any port above 32,767.
fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 6_000).context("port")?;
    for _ in 0..PORT_PAIRS {
        let pair = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORT_PAIRS;
        let port = PORTS_FROM + 2 * pair;
        if TcpListener::bind(("127.0.0.1", port)).is_ok()
            && TcpListener::bind(("127.0.0.1", port + 1)).is_ok()
        {
            return Ok(port);
        }
    }
    bail!("no free port from {PORTS_FROM} to {}", PORTS_FROM + 2 * PORT_PAIRS)
}

type Launched = (Child, SocketAddr, Option<SocketAddr>);

fn launch(spec: &Spec, place: &Place, root: &Path) -> Result<Launched> {
    let log = File::options().create(true).append(true).open(root.join("server.log"))?;
    let data = root.join("data");
    match spec {
        Spec::Baseline { kind, serve, files, fetch_bytes } => {
            let mut command = Command::new(own_program()?);
            command.args(["serve", kind.name(), "--dir"]).arg(&data);
            command.args(["--fetch-bytes", &fetch_bytes.to_string()]);
            command.args(["--loop", if *serve == Loop::Epoll { "epoll" } else { "threads" }]);
            command.args(["--files", value_name(*files)]);
            let mut child = spawn(command.stdout(Stdio::piped()).stderr(log), place)?;
            let out = child.stdout.take().context("stdout")?;
            let mut line = String::new();
            BufReader::new(out).read_line(&mut line)?;
            let addr = line.trim().strip_prefix("listening ").context("the baseline is silent")?;
            Ok((child, addr.parse()?, None))
        }
        Spec::Millrace { program, backend, shards, set } => {
            let addr = SocketAddr::from(([127, 0, 0, 1], free_port()?));
            let admin = SocketAddr::from(([127, 0, 0, 1], free_port()?));
            let mut command = Command::new(program);
            command.args(["serve", "--io-backend", backend, "--listen", &addr.to_string()]);
            command.args(["--admin", &admin.to_string(), "--shards", &shards.to_string()]);
            command.arg("--data-dir").arg(&data);
            for pair in set {
                command.args(["--set", pair]);
            }
            let child = spawn(command.stdout(log.try_clone()?).stderr(log), place)?;
            Ok((child, addr, Some(admin)))
        }
        Spec::Kafka { script, set } => {
            let addr = SocketAddr::from(([127, 0, 0, 1], free_port()?));
            let mut command = Command::new(script);
            command.arg(addr.port().to_string()).arg(&data).args(set);
            let unpinned = Place { server_cpu: None, ..place.clone() };
            let child = spawn(command.stdout(log.try_clone()?).stderr(log), &unpinned)?;
            Ok((child, addr, None))
        }
    }
}

fn value_name(files: Files) -> &'static str {
    match files {
        Files::Recycled => "recycled",
        Files::Fresh => "fresh",
        Files::Renamed => "renamed",
        Files::Nowhere => "nowhere",
    }
}

/// This program. Tests run from another binary, beside which the program lies one folder up.
fn own_program() -> Result<PathBuf> {
    let current = std::env::current_exe()?;
    if current.file_stem().is_some_and(|name| name == "millrace-bench") {
        return Ok(current);
    }
    let folder = current.ancestors().nth(2).context("no folder")?;
    Ok(folder.join("millrace-bench"))
}

/// Spawns with the server's CPU: children inherit it from the thread that makes them.
fn spawn(command: &mut Command, place: &Place) -> Result<Child> {
    let shown = format!("{}", command.get_program().display());
    command.stdin(Stdio::null());
    std::thread::scope(|scope| {
        let spawner = scope.spawn(|| {
            if let Some(cpu) = place.server_cpu {
                sys::pin_thread(cpu)?;
            }
            command.spawn()
        });
        spawner
            .join()
            .map_err(|_| anyhow::anyhow!("the spawning thread ended"))?
            .with_context(|| format!("starting {shown}"))
    })
}

fn scrape(addr: SocketAddr) -> Result<BTreeMap<String, f64>> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(parse_metrics(&text))
}

/// Reads Prometheus text; series of one name are summed.
pub fn parse_metrics(text: &str) -> BTreeMap<String, f64> {
    let mut metrics = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let Ok(value) = value.parse::<f64>() else { continue };
        let name = series.split('{').next().unwrap_or(series);
        *metrics.entry(name.to_owned()).or_insert(0.0) += value;
    }
    metrics
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_of_all_shards_are_summed() {
        let text = "HTTP/1.1 200 OK\r\n\n# HELP a b\na{shard=\"0\"} 2\na{shard=\"1\"} 3\nb 1.5\n";
        let metrics = parse_metrics(text);
        assert_eq!(metrics.get("a"), Some(&5.0));
        assert_eq!(metrics.get("b"), Some(&1.5));
    }
}
