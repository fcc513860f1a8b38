//! The built program as a person meets it: a broker process, its admin port, the command line.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests of a process, over real sockets"
)]

#[path = "cli/admin.rs"]
mod admin;
#[path = "cli/broker.rs"]
mod broker;
#[path = "cli/groups.rs"]
mod groups;
#[path = "cli/records.rs"]
mod records;
#[path = "cli/topics.rs"]
mod topics;
