//! `millrace-oracle`: import the field tables, record Kafka's answers, check a broker.

#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use millrace_oracle::check::{self, Outcome};
use millrace_oracle::{broker, import};

const USAGE: &str = "usage: millrace-oracle layouts FOLDER            field tables from Kafka's message descriptions
       millrace-oracle record HOST:PORT [FILTER]   record Apache Kafka's answers
       millrace-oracle check HOST:PORT [FILTER]    compare a broker with the recording
       millrace-oracle check --start BINARY [FILTER] [-- ARGUMENTS...]
       millrace-oracle list [FILTER]               names of the cases";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["layouts", folder] => {
            let text = import::layouts(Path::new(folder))?;
            let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("layouts.txt");
            std::fs::write(&target, text).context("write layouts.txt")?;
            Ok(true)
        }
        ["record", bootstrap] => recorded(bootstrap, ""),
        ["record", bootstrap, filter] => recorded(bootstrap, filter),
        ["check", "--start", binary, ref rest @ ..] => {
            let (filter, extra) = match rest {
                ["--", extra @ ..] => ("", extra),
                [filter, "--", extra @ ..] => (*filter, extra),
                [filter] => (*filter, [].as_slice()),
                [] => ("", [].as_slice()),
                _ => bail!(USAGE),
            };
            let mut broker = broker::Broker::start(Path::new(binary), extra)?;
            let good = checked(&broker.bootstrap.clone(), filter);
            if !broker.lives() {
                println!("the broker died:\n{}", broker.log());
                return Ok(false);
            }
            good
        }
        ["check", bootstrap] => checked(bootstrap, ""),
        ["check", bootstrap, filter] => checked(bootstrap, filter),
        ["list"] => listed(""),
        ["list", filter] => listed(filter),
        _ => bail!(USAGE),
    }
}

fn listed(filter: &str) -> Result<bool> {
    for script in check::chosen(filter) {
        println!("{}", script.name);
    }
    Ok(true)
}

fn recorded(bootstrap: &str, filter: &str) -> Result<bool> {
    println!("{} cases recorded", check::record(bootstrap, filter)?);
    Ok(true)
}

fn checked(bootstrap: &str, filter: &str) -> Result<bool> {
    let report = check::check(bootstrap, filter, &mut |case, outcome| match outcome {
        Outcome::Equal { .. } => println!("ok        {case}"),
        Outcome::Stale(why) => println!("STALE     {case}: {why}"),
        Outcome::Broken(why) => println!("BROKEN    {case}: {why}"),
        Outcome::Different(found) => {
            println!("DIFFERENT {case}");
            let mut last = "";
            for (request, difference) in found {
                if request != last {
                    println!("  > {request}");
                    last = request;
                }
                println!(
                    "    {}: kafka {}, here {}",
                    difference.path, difference.kafka, difference.other
                );
            }
        }
    })?;
    for entry in &report.unused {
        println!("allowed too much: {entry}");
    }
    println!("{} passed, {} failed", report.passed(), report.failed());
    Ok(report.failed() == 0)
}
