//! Descriptors or memory are short: that is told, and files that nobody needs now are closed.
//!
//! Whoever ran short tries again by itself, logs and listeners alike. What is done here makes it
//! likelier to work: every log keeps files open that it only might need again.

use millrace_io::{IoError, Mono};

use super::{Shard, Turn};

/// How often it is told, ms.
const TELL_MS: u64 = 60_000;
/// How often files are closed, ms.
const SHED_MS: u64 = 1_000;
/// Errors of the system that mean descriptors: those of the process and those of the machine.
const EMFILE: i32 = 24;
/// See [`EMFILE`].
const ENFILE: i32 = 23;

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Shortage {
    /// What ran short last and was not looked at: who, and the system's number.
    seen: Option<(String, i32)>,
    told_at: Option<Mono>,
    shed_at: Option<Mono>,
}

/// Whether something that was done last at `last` may be done again.
fn is_due(last: Option<Mono>, now: Mono, every_ms: u64) -> bool {
    last.is_none_or(|last| now >= last.plus_ms(every_ms))
}

impl Shard {
    /// A log had to put something off.
    pub(super) fn on_log_exhausted(&mut self, slot: u32, what: &'static str, error: IoError) {
        self.counters.exhausted.add(1);
        let name = self.partitions.name(slot);
        self.shortage.seen = Some((format!("{name}: {what}"), error.errno));
    }

    /// The driver stopped accepting connections for a moment. Whoever drives the shard tells it.
    pub fn on_accept_paused(&mut self) {
        self.counters.exhausted.add(1);
        self.shortage.seen = Some(("a connection".to_owned(), EMFILE));
    }

    /// Does what the file's head says, if something ran short.
    pub(super) fn relieve_shortage(&mut self, turn: &Turn) {
        let Some((who, errno)) = self.shortage.seen.take() else { return };
        let now = turn.now.mono;
        if is_due(self.shortage.told_at, now, TELL_MS) {
            self.shortage.told_at = Some(now);
            let why = if matches!(errno, EMFILE | ENFILE) {
                "as many files are open as may be; raise LimitNOFILE (ulimit -n)"
            } else {
                "memory is short"
            };
            self.note(format!(
                "{who} waits: {why} (errno {errno}); it is tried again every second"
            ));
        }
        if is_due(self.shortage.shed_at, now, SHED_MS) {
            self.shortage.shed_at = Some(now);
            self.partitions.shed_files(turn.now);
        }
    }
}
