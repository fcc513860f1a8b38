//! The admin port: `/metrics`, `/healthz` and `/readyz` over HTTP.
//!
//! A thread beside the shards; it reads their counters and nothing else, so that whoever scrapes
//! cannot hold up a request. GET and HEAD, one request per connection, everything bounded: the head of
//! a request, its time, the connections at once. Not here: what is said (`metrics`), how HTTP is
//! read and written (`http`).

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the control plane's own blocking sockets, thread and clock; no shard ever waits here"
)]

mod groups;
mod http;
mod markdown;
mod metrics;
mod process;
mod quotas;
mod slowest;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::counters::Counters;
use crate::server::LogLine;
use http::{HEAD_BYTES_MAX, Head, Reply};

/// Connections at once; one more is told to come back.
const CONNECTIONS_MAX: usize = 16;
/// How long a client may take to send its request, and to take the reply.
const CLIENT_TIME_MAX: Duration = Duration::from_secs(5);
/// Pause after an accept that failed for want of descriptors or memory.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);
/// Stack of a connection's thread, bytes.
const STACK_BYTES: usize = 256 << 10;

/// What the port tells about.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// All shards' counters, each there once its shard has begun.
    pub shards: Vec<Arc<OnceLock<Arc<Counters>>>>,
    /// All drivers' counters.
    pub drivers: Vec<Arc<millrace_uring::Counters>>,
    /// The driver's name.
    pub backend: &'static str,
}

impl Watched {
    /// Shards that serve clients.
    fn serving_count(&self) -> usize {
        let serves = |shard: &&Arc<OnceLock<Arc<Counters>>>| {
            shard.get().is_some_and(|counters| counters.serving.get() == 1)
        };
        self.shards.iter().filter(serves).count()
    }
}

/// A bound port, not yet served.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    address: SocketAddr,
}

impl Admin {
    /// Binds `host` and `port`; port 0 takes any.
    pub fn bind(host: &str, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((host, port))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it is bound.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves from a thread of its own until the process ends.
    ///
    /// The error: the thread cannot be made.
    pub fn serve(self, watched: Watched, log: LogLine) -> io::Result<()> {
        let watched = Arc::new(watched);
        let accept = move || self.accept(&watched, log);
        thread::Builder::new().name("millrace-admin".to_owned()).spawn(accept).map(drop)
    }

    fn accept(self, watched: &Arc<Watched>, log: LogLine) {
        let open = Arc::new(AtomicUsize::new(0));
        let mut failed_before = false;
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // The peer that left before it was taken in is no news, nor is the second of
                    // a row of failures.
                    if !failed_before {
                        log(&format!("admin port: cannot accept: {error}"));
                    }
                    failed_before = true;
                    thread::sleep(ACCEPT_RETRY);
                    continue;
                }
            };
            failed_before = false;
            if open.load(Ordering::Acquire) >= CONNECTIONS_MAX {
                refuse(&stream);
                continue;
            }
            open.fetch_add(1, Ordering::AcqRel);
            let (watched, guard) = (Arc::clone(watched), OpenGuard(Arc::clone(&open)));
            let converse = move || {
                let _guard = guard;
                // A client that went away or was too slow is its own business.
                let _ = converse(&stream, &watched);
            };
            let builder = thread::Builder::new().name("millrace-admin-client".to_owned());
            // Without a thread the client and the guard are dropped, and the port goes on.
            let _ = builder.stack_size(STACK_BYTES).spawn(converse);
        }
    }
}

/// Counts a connection until it is dropped.
struct OpenGuard(Arc<AtomicUsize>);

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Says that there are too many, without waiting for anybody.
fn refuse(stream: &TcpStream) {
    let reply = Reply::unavailable("too many connections\n".to_owned());
    if stream.set_nonblocking(true).is_ok() {
        let mut stream = stream;
        let _ = stream.write(&reply.bytes());
    }
}

fn converse(mut stream: &TcpStream, watched: &Watched) -> io::Result<()> {
    let deadline = Instant::now() + CLIENT_TIME_MAX;
    let reply = match read_head(stream, deadline)? {
        Some(head) => answer(&head, watched),
        None => return Ok(()),
    };
    stream.set_write_timeout(Some(CLIENT_TIME_MAX))?;
    stream.write_all(&reply.bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    // Closing with bytes unread would reset the connection under the reply.
    let mut rest = [0; 4096];
    while let Some(left) = time_left(deadline) {
        stream.set_read_timeout(Some(left))?;
        if stream.read(&mut rest)? == 0 {
            break;
        }
    }
    Ok(())
}

/// Whether the bytes are a whole request's head. For `decoders.rs`.
pub(crate) fn is_request(bytes: &[u8]) -> bool {
    Head::read(bytes).path().is_ok()
}

/// The head of the one request; none when the client left before it was whole.
fn read_head(mut stream: &TcpStream, deadline: Instant) -> io::Result<Option<Head>> {
    let mut buffer = [0; HEAD_BYTES_MAX];
    let mut filled = 0;
    loop {
        let head = Head::read(&buffer[..filled]);
        if head != Head::Partial {
            return Ok(Some(head));
        }
        if filled == buffer.len() {
            return Ok(Some(Head::TooLarge));
        }
        let Some(left) = time_left(deadline) else {
            return Ok(Some(Head::TooSlow));
        };
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => return Ok(None),
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error)
                if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
            {
                return Ok(Some(Head::TooSlow));
            }
            Err(error) => return Err(error),
        }
    }
}

/// None when it is over; never zero, which would mean forever to the socket.
fn time_left(deadline: Instant) -> Option<Duration> {
    Some(deadline.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
}

fn answer(head: &Head, watched: &Watched) -> Reply {
    match head.path() {
        Ok(path) if matches!(head, Head::Bodyless(_)) => reply_of(path, watched).without_body(),
        Ok(path) => reply_of(path, watched),
        Err(reply) => reply,
    }
}

fn reply_of(path: &str, watched: &Watched) -> Reply {
    match path {
        "/metrics" => Reply::metrics(metrics::text(watched)),
        "/slowest" => Reply::json(slowest::json(watched)),
        "/healthz" => Reply::text("alive\n".to_owned()),
        "/readyz" => {
            let (serving, all) = (watched.serving_count(), watched.shards.len());
            if serving == all {
                Reply::text("ready\n".to_owned())
            } else {
                Reply::unavailable(format!("not ready: {serving} of {all} shards serve\n"))
            }
        }
        "/" => Reply::text("/metrics\n/slowest\n/healthz\n/readyz\n".to_owned()),
        _ => Reply::not_found(),
    }
}
