//! What clients used and how long they were told to wait, for whoever watches: sums that are taken
//! out now and then. They decide nothing.

use super::QuotaKind;
use super::meters::{SEPARATOR, SHARED};

/// What somebody used, and was told to wait for, since that was taken out last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Units of the kind; what was taken back is not in it.
    pub used: i64,
    /// Answers that told it to wait.
    pub waits: u64,
    /// The times that they told, together, ms.
    pub wait_ms: u64,
}

impl Spent {
    /// True if there is nothing to tell.
    pub const fn is_nothing(&self) -> bool {
        self.used == 0 && self.waits == 0
    }

    pub(super) const fn use_more(&mut self, amount: i64) {
        self.used = self.used.saturating_add(amount);
    }

    pub(super) const fn wait(&mut self, wait_ms: u64) {
        self.waits += 1;
        self.wait_ms = self.wait_ms.saturating_add(wait_ms);
    }
}

/// Whose use counts together under a limit: the half that the limit does not look at is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// What is limited.
    pub kind: QuotaKind,
    /// The user.
    pub user: Box<str>,
    /// The client id.
    pub client: Box<str>,
}

impl Holder {
    /// Whoever has this meter; none if it is that of all who found no room.
    pub(super) fn of_meter(kind: QuotaKind, key: &str) -> Option<Self> {
        let (user, client) = key.split_once(SEPARATOR)?;
        (key != SHARED).then(|| Self { kind, user: user.into(), client: client.into() })
    }
}
