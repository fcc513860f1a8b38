//! The house rules that a program can check: which crate may import which, how long files may be,
//! where `unsafe` may stand, that every file says what it is.
//!
//! The table of arrows is data: a new one is added here, with the change that needs it, or not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each crate's folder and the crates of the workspace that it may import (not in tests).
const ARROWS: &[(&str, &[&str])] = &[
    ("engine/io", &[]),
    ("net/wire", &[]),
    ("engine", &["millrace-io", "millrace-wire"]),
    ("engine/uring", &["millrace-io"]),
    ("net", &["millrace-io", "millrace-wire"]),
    ("net/codegen", &[]),
    ("replication", &["millrace-io", "millrace-wire"]),
    (
        ".",
        &[
            "millrace-engine",
            "millrace-io",
            "millrace-net",
            "millrace-replication",
            "millrace-uring",
            "millrace-wire",
        ],
    ),
    (
        "bench-harness",
        &["millrace-engine", "millrace-io", "millrace-net", "millrace-uring", "millrace-wire"],
    ),
    ("tests/world", &["millrace-io"]),
    (
        "tests/sim",
        &[
            "millrace",
            "millrace-engine",
            "millrace-io",
            "millrace-net",
            "millrace-replication",
            "millrace-uring",
            "millrace-wire",
            "millrace-world",
        ],
    ),
    ("tests/oracle", &["millrace-engine", "millrace-io", "millrace-net", "millrace-wire"]),
];

/// Crates that take values and give values: no unsafe, no I/O.
const PURE: &[&str] =
    &["engine/io", "net/wire", "engine", "net", "replication", "tests/world", "."];

/// Lines a file may have; tests and generated code apart.
const LINES_MAX: usize = 1000;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All Rust files below a folder, without those of crates nested in it.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            let is_crate = path.join("Cargo.toml").exists();
            if path.is_dir() && !is_crate && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The workspace's own crates in a manifest's `[dependencies]`.
fn imports(manifest: &str) -> Vec<String> {
    let mut is_dependencies = false;
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_dependencies = line == "[dependencies]";
        } else if is_dependencies && line.starts_with("millrace") {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            found.push(name.to_owned());
        }
    }
    found
}

#[test]
fn crates_import_only_what_the_table_allows() {
    let table: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let workspace = read(&root().join("Cargo.toml"));
    let members: Vec<&str> = workspace
        .lines()
        .skip_while(|line| !line.starts_with("members"))
        .take_while(|line| !line.starts_with(']'))
        .filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","))
        .collect();
    assert!(members.len() > 8, "the members of the workspace were not found: {members:?}");
    for member in members {
        let allowed = table.get(member).unwrap_or_else(|| panic!("{member} is not in ARROWS"));
        for import in imports(&read(&root().join(member).join("Cargo.toml"))) {
            assert!(allowed.contains(&import.as_str()), "{member} may not import {import}");
        }
    }
}

#[test]
fn unsafe_and_the_ring_stand_in_one_crate() {
    for (folder, _) in ARROWS.iter().filter(|(folder, _)| *folder != "engine/uring") {
        let folder = root().join(folder);
        let manifest = read(&folder.join("Cargo.toml"));
        let before_workspace_table = manifest.split("[workspace.dependencies]").next();
        let own = if manifest.contains("[workspace]") {
            manifest.split("[package]").nth(1)
        } else {
            before_workspace_table
        };
        assert!(
            !own.unwrap_or_default().lines().any(|line| line.starts_with("io-uring")),
            "{} imports the ring",
            folder.display()
        );
        for entry in ["src/lib.rs", "src/main.rs"] {
            let path = folder.join(entry);
            if path.exists() {
                let text = read(&path);
                assert!(
                    text.contains("#![forbid(unsafe_code)]"),
                    "{} does not forbid unsafe code",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn pure_crates_touch_neither_clock_nor_disk_nor_thread() {
    // clippy.toml forbids the calls; this finds the imports, which clippy reads crate by crate.
    const WORDS: &[&str] =
        &["std::net::TcpStream", "std::thread", "std::time::Instant", "std::fs", "HashMap"];
    for folder in PURE.iter().filter(|folder| **folder != ".") {
        for path in rust_files(&root().join(folder).join("src")) {
            let text = read(&path);
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in WORDS {
                let is_used = code
                    .lines()
                    .any(|line| !line.trim_start().starts_with("//") && line.contains(word));
                assert!(!is_used, "{} uses {word}", path.display());
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is_and_none_is_too_long() {
    let mut count = 0;
    for (folder, _) in ARROWS {
        for path in rust_files(&root().join(folder)) {
            let text = read(&path);
            count += 1;
            assert!(text.starts_with("//!"), "{} does not start with `//!`", path.display());
            let is_generated = text.contains("not edited by hand");
            let is_test = path.components().any(|part| part.as_os_str() == "tests")
                || path.ends_with("tests.rs");
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            let lines = code.lines().count();
            assert!(
                is_generated || is_test || lines <= LINES_MAX,
                "{} has {lines} lines",
                path.display()
            );
        }
    }
    assert!(count > 100, "only {count} files were found");
}
