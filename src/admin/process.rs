//! What the kernel says of this process, from `/proc`.

use std::fs;

/// Ticks per second of the times in `/proc`: USER_HZ, 100 on every architecture we build for.
const TICKS_PER_SECOND: u64 = 100;

/// The process at one moment; what cannot be read is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ProcessFacts {
    /// CPU time, user and system, µs.
    pub(super) cpu_us: u64,
    /// Resident memory.
    pub(super) resident_bytes: u64,
    /// Address space.
    pub(super) virtual_bytes: u64,
    /// Open descriptors.
    pub(super) open_fds: usize,
    /// Threads.
    pub(super) threads: u64,
    /// When it started, µs since 1970.
    pub(super) start_us: u64,
}

impl ProcessFacts {
    /// Reads them now.
    pub(super) fn read() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let open_fds = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        let facts =
            parse(&text("/proc/self/stat"), &text("/proc/self/status"), &text("/proc/stat"));
        Self { open_fds, ..facts }
    }
}

fn parse(stat: &str, status: &str, system: &str) -> ProcessFacts {
    // The name in parentheses may hold anything; fields are counted behind it. Source: proc(5).
    let fields: Vec<&str> =
        stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).and_then(|text| text.parse().ok());
    let ticks = |number| field(number).unwrap_or(0_u64) * (1_000_000 / TICKS_PER_SECOND);
    let line = |text: &str, name: &str| -> u64 {
        let rest = text.lines().find_map(|line| line.strip_prefix(name));
        rest.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    ProcessFacts {
        cpu_us: ticks(14) + ticks(15),
        resident_bytes: line(status, "VmRSS:") << 10,
        virtual_bytes: line(status, "VmSize:") << 10,
        open_fds: 0,
        threads: line(status, "Threads:"),
        start_us: line(system, "btime ") * 1_000_000 + ticks(22),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_behind_the_name_whatever_it_holds() {
        let stat = "1 (a) b) S 0 1 1 0 -1 4194560 9 0 0 0 250 150 0 0 20 0 5 0 300 1 2";
        let facts = parse(stat, "VmSize:\t 20 kB\nVmRSS:\t  8 kB\nThreads:\t5\n", "btime 1000\n");
        assert_eq!(facts.cpu_us, 4_000_000);
        assert_eq!((facts.resident_bytes, facts.virtual_bytes), (8 << 10, 20 << 10));
        assert_eq!((facts.threads, facts.start_us), (5, 1_003_000_000));
    }

    #[test]
    fn nothing_readable_is_nothing_known() {
        assert_eq!(parse("", "", ""), ProcessFacts::default());
    }
}
