//! The `millrace` program: reads what the process is given, and runs the broker.

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use millrace::admin::Admin;
use millrace::civil::instant_text;
use millrace::cli::{self, Arguments, Command, Serve};
use millrace::config::{BrokerConfig, Flags, Inputs, Loaded, load};
use millrace::server::{Machine, Server};

/// Requests allocate a handful of small things that all live until their turn's answers leave;
/// glibc's per-thread cache holds seven of a size and gives the rest back the slow way.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit status for a configuration that is refused. Source: sysexits.h, EX_CONFIG.
const EXIT_CONFIG: u8 = 78;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.command {
        None => serve(arguments.serve),
        Some(Command::Serve(flags)) => serve(flags),
        Some(Command::Tool(tool)) => cli::run(tool),
    }
}

fn serve(flags: Serve) -> ExitCode {
    let loaded = match read_config(flags) {
        Ok(loaded) => loaded,
        Err(error) => {
            log(&format!("configuration refused: {error}"));
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    match run(loaded) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log(&format!("stopped: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn read_config(serve: Serve) -> Result<Loaded, String> {
    let file = match &serve.config {
        Some(path) => Some(
            std::fs::read_to_string(path)
                .map_err(|error| format!("--config {}: {error}", path.display()))?,
        ),
        None => None,
    };
    let environment: Vec<(String, String)> = std::env::vars().collect();
    let flags = Flags {
        listen: serve.listen,
        advertise: serve.advertise,
        data_dir: serve.data_dir,
        admin: serve.admin,
        shards: serve.shards,
        io_backend: serve.io_backend,
        set: serve.set,
    };
    load(&Inputs { file: file.as_deref(), environment: &environment, flags })
        .map_err(|error| error.to_string())
}

fn run(loaded: Loaded) -> Result<(), String> {
    for warning in &loaded.warnings {
        log(&format!("warning: {warning}"));
    }
    if !loaded.accepted.is_empty() {
        log(&format!("accepted without effect here: {}", loaded.accepted.join(", ")));
    }
    let dirs = loaded.config.log_dirs.join(", ");
    let admin = bind_admin(&loaded.config)?;
    let server = Server::start(loaded, &machine()?, log)?;
    if let Some(bound) = server.bound() {
        for address in &bound.addresses {
            log(&format!("listening on {address}, data in {dirs}"));
        }
    }
    if let Some(admin) = admin {
        log(&format!("metrics and health on http://{}", admin.address()));
        admin.serve(server.watched(), log).map_err(|error| format!("admin port: {error}"))?;
    }
    server.join()?;
    log("stopped cleanly");
    Ok(())
}

/// The admin port, unless it is switched off or its default address is taken.
fn bind_admin(config: &BrokerConfig) -> Result<Option<Admin>, String> {
    let Some((host, port)) = &config.admin else { return Ok(None) };
    match Admin::bind(host, *port) {
        Ok(admin) => Ok(Some(admin)),
        Err(error) if config.admin_is_default => {
            log(&format!("no metrics and health: cannot bind {host}:{port}: {error}"));
            Ok(None)
        }
        Err(error) => Err(format!(
            "millrace.admin.listener: cannot bind {host}:{port}: {error}; choose another address \
             with --admin, or switch it off with --set millrace.admin.listener="
        )),
    }
}

#[expect(clippy::disallowed_types, reason = "the one place that asks for a random seed")]
fn machine() -> Result<Machine, String> {
    let read = |path: &str| {
        std::fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default()
    };
    let boot_id = read("/proc/sys/kernel/random/boot_id").replace('-', "");
    let host_name = read("/proc/sys/kernel/hostname");
    let mut seed = [0; 8];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut seed))
        .map_err(|error| format!("/dev/urandom: {error}"))?;
    Ok(Machine {
        host_name: if host_name.is_empty() { "localhost".to_owned() } else { host_name },
        boot_id: u128::from_str_radix(&boot_id, 16).unwrap_or(0),
        seed: u64::from_ne_bytes(seed),
        cpus: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    })
}

/// One line of the process's log, on standard error.
#[expect(clippy::disallowed_methods, reason = "the log's own clock")]
fn log(line: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = instant_text(i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
    // A log that nobody reads any more is no reason to stop.
    let _ = writeln!(std::io::stderr(), "{now} {line}");
}
