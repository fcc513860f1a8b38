//! What a process used: CPU time, memory; and what the machine lost to its neighbours.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use millrace_uring::sys;

/// CPU and memory of one process at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// CPU time of all threads, ended ones included, ns. Exact.
    pub cpu_ns: u64,
    /// The part of it in user mode, ns; the kernel tells it to 10 ms.
    pub user_ns: u64,
    /// The part of it in the kernel, ns; the kernel tells it to 10 ms.
    pub system_ns: u64,
}

impl Reading {
    /// What was used since `earlier`.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            cpu_ns: self.cpu_ns.saturating_sub(earlier.cpu_ns),
            user_ns: self.user_ns.saturating_sub(earlier.user_ns),
            system_ns: self.system_ns.saturating_sub(earlier.system_ns),
        }
    }
}

/// A tick of /proc: USER_HZ is 100 on all architectures this runs on.
const TICK_NS: u64 = 10_000_000;

/// Reads a process's CPU time.
pub fn read(pid: u32) -> Result<Reading> {
    let cpu_ns = sys::process_cpu_ns(pid).with_context(|| format!("CPU clock of {pid}"))?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold spaces; fields are counted behind it.
    let fields = stat.rsplit_once(')').context("stat")?.1;
    let mut fields = fields.split_whitespace().skip(11).map(str::parse::<u64>);
    let user = fields.next().context("utime")??;
    let system = fields.next().context("stime")??;
    Ok(Reading { cpu_ns, user_ns: user * TICK_NS, system_ns: system * TICK_NS })
}

/// Memory of a process, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Memory {
    /// Resident, all kinds.
    pub resident: u64,
    /// Resident and not backed by a file.
    pub anonymous: u64,
    /// The most that ever was resident.
    pub resident_max: u64,
    /// Threads.
    pub threads: u64,
}

/// Reads a process's memory.
pub fn memory(pid: u32) -> Result<Memory> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
    };
    Ok(Memory {
        resident: field("VmRSS:") * 1024,
        anonymous: field("RssAnon:") * 1024,
        resident_max: field("VmHWM:") * 1024,
        threads: field("Threads:"),
    })
}

/// CPU time of the whole machine at one moment, in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    total: u64,
    steal: u64,
    busy: u64,
}

impl Machine {
    /// Now.
    pub fn read() -> Result<Self> {
        let stat = std::fs::read_to_string("/proc/stat")?;
        let line = stat.lines().next().context("/proc/stat is empty")?;
        let ticks: Vec<u64> =
            line.split_whitespace().skip(1).filter_map(|text| text.parse().ok()).collect();
        // user nice system idle iowait irq softirq steal; guests are part of user.
        let total: u64 = ticks.iter().take(8).sum();
        let idle: u64 = ticks.iter().skip(3).take(2).sum();
        Ok(Self { total, steal: ticks.get(7).copied().unwrap_or(0), busy: total - idle })
    }

    /// Share of the time since `earlier` that the hypervisor gave to others, percent.
    pub fn steal_percent_since(self, earlier: Self) -> f64 {
        percent(self.steal - earlier.steal, self.total - earlier.total)
    }

    /// Share of the time since `earlier` that was not idle, percent.
    pub fn busy_percent_since(self, earlier: Self) -> f64 {
        percent(self.busy - earlier.busy, self.total - earlier.total)
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 }
}

/// Counts a process's system calls through the kernel's tracepoint, with `perf stat`.
#[derive(Debug)]
pub struct SyscallCounter(Option<Child>);

impl SyscallCounter {
    /// Starts counting; where there is no `perf`, nothing is counted.
    pub fn start(pid: u32) -> Self {
        let child = Command::new("perf")
            .args(["stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", &pid.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .ok();
        if child.is_some() {
            // perf says nothing when it has attached; what it misses at the front is little.
            std::thread::sleep(ATTACH_TIME);
        }
        Self(child)
    }

    /// Stops, and tells the count if there is one.
    pub fn finish(mut self) -> Option<u64> {
        let child = self.0.as_mut()?;
        let pid = child.id().to_string();
        Command::new("kill").args(["-INT", &pid]).status().ok()?;
        let mut text = String::new();
        child.stderr.take()?.read_to_string(&mut text).ok()?;
        child.wait().ok()?;
        let line = text.lines().find(|line| line.contains("sys_enter"))?;
        line.split(',').next()?.parse().ok()
    }
}

/// The time `perf` gets to attach itself to a process.
const ATTACH_TIME: Duration = Duration::from_millis(300);

/// The machine in one line: processor, count, kernel.
pub fn machine_line() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown processor", |line| line.trim_start_matches([' ', '\t', ':']));
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0);
    format!("{count} x {model}, {} GiB, Linux {}", kib >> 20, kernel.trim())
}
