//! The built program as a person meets it: a broker process, its admin port, the command line.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests of a process, over real sockets"
)]

#[path = "cli/admin.rs"]
mod admin;
#[path = "cli/broker.rs"]
mod broker;
