//! Millrace, the broker: composes the pure crates with a driver. `main.rs` is the program.

#![forbid(unsafe_code)]
