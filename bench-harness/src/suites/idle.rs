//! Ten thousand consumers that wait: what parked fetches cost.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use millrace_net::header::request_frame;
use millrace_net::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};

use crate::client::Client;
use crate::meter::{self, Machine};
use crate::report::Figures;
use crate::server::{Place, Server, Spec};

/// How many wait for how long.
#[derive(Clone, Copy, Debug)]
pub struct IdleOptions {
    /// Connections, each with one fetch that waits.
    pub connections: usize,
    /// Partitions they are spread over.
    pub partitions: i32,
    /// How long is measured.
    pub window: Duration,
}

/// Longer than any window: nothing times out while it is measured.
const MAX_WAIT_MS: i32 = 600_000;

fn parked_fetch(topic: &str, partition: i32) -> Vec<u8> {
    let request = FetchRequest {
        replica_id: -1,
        max_wait_ms: MAX_WAIT_MS,
        min_bytes: 1,
        max_bytes: 1 << 20,
        session_id: 0,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic: topic.to_owned(),
            partitions: vec![FetchPartition {
                partition,
                current_leader_epoch: -1,
                last_fetched_epoch: -1,
                log_start_offset: -1,
                partition_max_bytes: 1 << 20,
                ..FetchPartition::default()
            }],
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    };
    request_frame(&request, 12, 1, Some("idle"))
}

/// Parks the fetches on one broker and measures it.
pub fn idle(spec: &Spec, options: IdleOptions, place: &Place) -> Result<Figures> {
    let server = Server::start(spec, place)?;
    let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
    let mut rows = Vec::new();
    let mut row = |what: &str, cpu: Option<f64>, server: &Server| -> Result<()> {
        let memory = meter::memory(server.pid())?;
        let cpu = cpu.map_or("-".to_owned(), |percent| format!("{percent:.3}"));
        let (rss, anonymous) = (megabytes(memory.resident), megabytes(memory.anonymous));
        rows.push(vec![what.to_owned(), cpu, rss, anonymous, memory.threads.to_string()]);
        Ok(())
    };
    row("empty", Some(cpu_percent(&server, options.window)?), &server)?;
    let topic = "idle";
    Client::connect(server.addr())?.create_topic(topic, options.partitions, &[])?;
    let parts = options.partitions;
    row(&format!("{parts} partitions"), Some(cpu_percent(&server, options.window)?), &server)?;
    let before = meter::read(server.pid())?;
    let mut waiting = Vec::with_capacity(options.connections);
    for index in 0..options.connections {
        let partition = i32::try_from(index % usize::try_from(parts)?)?;
        let mut stream = TcpStream::connect(server.addr())
            .with_context(|| format!("connection {index} of {}", options.connections))?;
        stream.write_all(&parked_fetch(topic, partition))?;
        waiting.push(stream);
    }
    settle(&server)?;
    let used = meter::read(server.pid())?.since(before);
    let each = used.cpu_ns as f64 / 1000.0 / options.connections as f64;
    let percent = cpu_percent(&server, options.window)?;
    row(&format!("{} fetches waiting", options.connections), Some(percent), &server)?;
    for stream in &waiting {
        stream.set_nonblocking(true)?;
        let mut byte = [0];
        let answered = (&*stream).read(&mut byte);
        ensure!(
            answered.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
            "a fetch that should wait was answered"
        );
    }
    drop(waiting);
    settle(&server)?;
    row("after they left", None, &server)?;
    let title = format!(
        "{}: idle long polls; connecting and parking cost {each:.1} CPU-us each",
        spec.name()
    );
    let columns = ["state", "CPU %", "RSS MB", "anonymous MB", "threads"];
    Ok(Figures { title, columns: columns.map(str::to_owned).to_vec(), rows })
}

/// Waits until the server has come to rest, 20 s at most.
fn settle(server: &Server) -> Result<()> {
    for _ in 0..100 {
        let before = meter::read(server.pid())?;
        std::thread::sleep(Duration::from_millis(200));
        if meter::read(server.pid())?.since(before).cpu_ns < 4_000_000 {
            return Ok(());
        }
    }
    Ok(())
}

/// CPU of a process over a time in which nobody asks it anything, percent of one processor.
fn cpu_percent(server: &Server, window: Duration) -> Result<f64> {
    settle(server)?;
    let machine = Machine::read()?;
    let before = meter::read(server.pid())?;
    std::thread::sleep(window);
    let used = meter::read(server.pid())?.since(before);
    let _unused = Machine::read()?.steal_percent_since(machine);
    Ok(used.cpu_ns as f64 / window.as_secs_f64() / 1e7)
}
