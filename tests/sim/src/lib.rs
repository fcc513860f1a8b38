//! The simulator: the whole broker on the simulated world, model clients, checkers.
//!
//! One seed decides everything: the machine, its troubles, the topics, what clients do. What must
//! hold whatever happens is checked by [`oracle`] and by the clients themselves; the broker's own
//! assertions take part.

#![forbid(unsafe_code)]

pub mod admin;
pub mod consumer;
pub mod group_log;
pub mod groups;
pub mod keyed;
pub mod link;
pub mod log_run;
pub mod machine;
pub mod oracle;
pub mod outcome;
pub mod plan;
pub mod plant;
pub mod producer;
pub mod record;
pub mod run;
pub mod setup;
