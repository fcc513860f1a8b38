//! `cargo fuzz run --fuzz-dir tests/fuzz metadata_snapshot`.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| millrace_fuzz::fuzz_metadata_snapshot(data));

#[cfg(not(fuzzing))]
fn main() {
    eprintln!("this target needs cargo-fuzz; `cargo run --bin millrace-fuzz` needs nothing");
}
