//! `cargo fuzz run --fuzz-dir tests/fuzz server_properties`.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| millrace_fuzz::fuzz_server_properties(data));

#[cfg(not(fuzzing))]
fn main() {
    eprintln!("this target needs cargo-fuzz; `cargo run --bin millrace-fuzz` needs nothing");
}
