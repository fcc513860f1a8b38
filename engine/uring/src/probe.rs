//! What this machine lets us do, found out by trying.

use crate::config::Backend;

/// Which driver shards get, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeReport {
    /// `Uring` or `Epoll`, never `Auto`.
    pub backend: Backend,
    /// One line for the log.
    pub why: String,
    /// False if `backend` was asked for by name and cannot be had.
    pub is_available: bool,
}

/// Tries what `wanted` needs. Never panics.
pub fn probe(wanted: Backend) -> ProbeReport {
    ProbeReport {
        backend: Backend::Epoll,
        why: "epoll: the only driver of this build".to_owned(),
        is_available: wanted != Backend::Uring,
    }
}
