//! Measures a driver alone: system calls and CPU per message or byte, client in a process of its own.
//!
//! `drive MODE BACKEND [key=value …]`, MODE one of
//! - `echo connections=N rounds=N bytes=N`: each round, every connection sends one message and gets
//!   it back;
//! - `sink frame=N frames=N dir=PATH`: length-prefixed frames in bulk, written to a file of 256 MiB
//!   that is overwritten in a circle (no `dir`: written nowhere); every frame is answered;
//! - `source frame=N frames=N dir=PATH`: each 4-byte request is answered with a range of a file;
//! - `mail rounds=N`: two shards play ping-pong.
//!
//! Other keys: `inline` (bytes a write may have to run inline), `buffer` (bytes of a pooled receive
//! buffer), `wait` and `batch` (minimum wait, µs and completions), `sent` (wait with sends, µs),
//! `sndbuf` and `rcvbuf` (SO_SNDBUF, SO_RCVBUF), `deadline` (ms that each turn may take), `policy` (auto, inline, ring).

#![allow(clippy::cast_precision_loss, reason = "figures for people to read")]
#![allow(clippy::wildcard_enum_match_arm, reason = "what does not belong to the mode is a bug")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use bytes::Bytes;
use millrace_io::{BufferPool, Chunk, Completion, FileRef, Op, OpenMode, ShardId, SocketId, Token};
use millrace_uring::{AppendPolicy, Backend, Driver, DriverConfig, Mesh, start_shards, sys};

type Options = BTreeMap<String, String>;

fn number(options: &Options, key: &str, default: u64) -> u64 {
    options.get(key).map_or(default, |text| text.parse().expect("a number"))
}

fn main() {
    let mut args = std::env::args().skip(1);
    let mode = args.next().expect("a mode: echo, sink, source, mail");
    let second = args.next().expect("a backend: auto, uring, epoll");
    let options: Options = args
        .filter_map(|arg| arg.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())))
        .collect();
    if let Some(mode) = mode.strip_prefix("client-") {
        client(mode, second.parse().expect("an address"), &options);
        return;
    }
    let backend: Backend = second.parse().expect("a backend");
    let mut config = DriverConfig {
        backend,
        pin_cpus: vec![0, 1],
        inline_write_bytes_max: usize::try_from(number(&options, "inline", 1 << 20)).expect("fits"),
        receive_buffer_bytes: u32::try_from(number(&options, "buffer", 65536)).expect("fits"),
        batch_wait_us: u32::try_from(number(&options, "wait", 0)).expect("fits"),
        send_buffer_bytes: options.get("sndbuf").map(|text| text.parse().expect("a number")),
        socket_receive_buffer_bytes: options
            .get("rcvbuf")
            .map(|text| text.parse().expect("a number")),
        sent_wait_us: u32::try_from(number(&options, "sent", 0)).expect("fits"),
        batch_completions: u16::try_from(number(&options, "batch", 16)).expect("fits"),
        ..DriverConfig::default()
    };
    config.append_policy = match options.get("policy").map(String::as_str) {
        Some("inline") => AppendPolicy::Inline,
        Some("ring") => AppendPolicy::Ring,
        _ => AppendPolicy::Auto,
    };
    if mode == "mail" {
        mail(config, number(&options, "rounds", 200_000));
        return;
    }
    serve(&mode, &config, &options);
}

/// One connection of the server.
struct Peer {
    /// Bytes of the frame under way that came by the pool.
    partial: Vec<u8>,
    frame_bytes: usize,
    /// Frames to be answered once the send under way has gone.
    owed: usize,
    sending: bool,
}

struct Server<'a> {
    mode: &'a str,
    ops: Vec<Op<u64>>,
    peers: BTreeMap<SocketId, Peer>,
    pool: BufferPool,
    file: Option<FileRef>,
    position: u64,
    seq: u32,
    writing: BTreeMap<u32, SocketId>,
    frame: u32,
    messages: u64,
}

const CIRCLE_BYTES: u64 = 256 << 20;

fn serve(mode: &str, config: &DriverConfig, options: &Options) {
    let mut mesh = Mesh::new(config).expect("a mesh");
    println!("{}", mesh.report().why);
    let seat = mesh.take_seats().remove(0);
    let mut driver: Driver<u64> = seat.into_driver().expect("a driver");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let (_, addr) = driver.listen(any).expect("listens");
    let mut server = Server {
        mode,
        ops: Vec::new(),
        peers: BTreeMap::new(),
        pool: BufferPool::new(64 << 20),
        file: options.get("dir").map(|dir| fill_file(&mut driver, dir)),
        position: 0,
        seq: 0,
        writing: BTreeMap::new(),
        frame: u32::try_from(number(options, "frame", 65536)).expect("fits"),
        messages: 0,
    };
    let mut child = Command::new(std::env::current_exe().expect("a path"))
        .arg(format!("client-{mode}"))
        .arg(addr.to_string())
        .args(options.iter().map(|(key, value)| format!("{key}={value}")))
        .stdin(Stdio::null())
        .spawn()
        .expect("a client");
    let connections = number(options, "connections", 1);
    let deadline_ms = number(options, "deadline", 0);
    let mut closed = 0;
    let mut completions = Vec::new();
    let mut start = None;
    while closed < connections {
        let deadline = (deadline_ms > 0).then(|| sys::mono().plus_ms(deadline_ms));
        driver.turn(&mut server.ops, deadline, &mut completions);
        if start.is_none() && server.messages > 0 {
            start = Some((sys::mono(), sys::usage(), driver.counters().values()));
        }
        for completion in completions.drain(..) {
            closed += u64::from(server.on(completion));
        }
    }
    let (began, usage, counters) = start.expect("something came");
    let (end, used) = (sys::mono(), sys::usage());
    child.wait().expect("the client ends");
    let spent = driver.counters().values().since(&counters);
    let cpu_ns = used.user_ns + used.system_ns - usage.user_ns - usage.system_ns;
    let bytes = (spent.recv_bytes + spent.send_bytes + spent.sendfile_bytes).max(1);
    let (messages, wall) = (server.messages, end.since(began));
    println!(
        "{mode} {} {options:?}: {messages} messages, {:.3} calls, {:.3} enters, {:.2} CPU µs per \
         message; {:.3} CPU-s/GB; {:.0} messages/s, {:.2} GB/s",
        driver.backend_name(),
        spent.syscalls() as f64 / messages as f64,
        spent.enters as f64 / messages as f64,
        cpu_ns as f64 / 1e3 / messages as f64,
        cpu_ns as f64 / bytes as f64,
        messages as f64 / wall as f64 * 1e9,
        bytes as f64 / wall as f64,
    );
    let counts: Vec<_> = spent.iter().filter(|(_, value)| *value > 0).collect();
    println!("  {counts:?}");
}

fn fill_file(driver: &mut Driver<u64>, dir: &str) -> FileRef {
    let path = PathBuf::from(dir).join("drive.log");
    let token = Token { owner: 0, seq: 0 };
    let mut ops = vec![Op::Open { token, path, mode: OpenMode::Create }];
    let mut completions = Vec::new();
    let file = loop {
        driver.turn(&mut ops, None, &mut completions);
        if let Some(Completion::Opened { result, .. }) = completions.pop() {
            break result.expect("opens").0;
        }
    };
    let chunk = Bytes::from(vec![7; 1 << 20]);
    for position in (0..CIRCLE_BYTES + (8 << 20)).step_by(1 << 20) {
        let (file, chunks) = (file.clone(), vec![chunk.clone()]);
        ops.push(Op::Write { token, file, position, chunks });
        while completions.is_empty() {
            driver.turn(&mut ops, None, &mut completions);
        }
        completions.clear();
    }
    file
}

impl Server<'_> {
    /// True if a connection ended.
    fn on(&mut self, completion: Completion<u64>) -> bool {
        match completion {
            Completion::Accepted { socket, .. } => {
                let peer = Peer { partial: Vec::new(), frame_bytes: 0, owed: 0, sending: false };
                self.peers.insert(socket, peer);
                self.ops.push(Op::Receive { socket });
            }
            Completion::Received { socket, data } => self.received(socket, data),
            Completion::Filled { socket, buffer } => {
                let frame_bytes = self.peers[&socket].frame_bytes;
                let whole = buffer.freeze();
                self.frame(socket, whole.slice(..frame_bytes));
                self.begin(socket, &whole.slice(frame_bytes..));
            }
            Completion::Wrote { token, result, .. } => {
                result.expect("writes");
                let socket = self.writing.remove(&token.seq).expect("was written");
                self.answer(socket);
            }
            Completion::Sent { socket } => {
                if let Some(peer) = self.peers.get_mut(&socket) {
                    peer.sending = false;
                }
                self.flush(socket);
            }
            Completion::Closed { socket, .. } => {
                self.peers.remove(&socket);
                self.ops.push(Op::Close { socket });
                return true;
            }
            other => panic!("unexpected {other:?}"),
        }
        false
    }

    fn received(&mut self, socket: SocketId, data: Bytes) {
        match self.mode {
            "echo" => {
                self.messages += 1;
                self.ops.push(Op::Send { socket, chunks: vec![Chunk::Bytes(data)] });
            }
            "source" => {
                for _ in 0..data.len() / 4 {
                    self.messages += 1;
                    self.answer(socket);
                }
            }
            _ => {
                let peer = self.peers.get_mut(&socket).expect("accepted");
                let mut stream = std::mem::take(&mut peer.partial);
                stream.extend_from_slice(&data);
                self.begin(socket, &stream);
            }
        }
    }

    /// Sink: the start of a frame, and perhaps more.
    fn begin(&mut self, socket: SocketId, mut stream: &[u8]) {
        while stream.len() >= 4 {
            let frame_bytes = u32::from_be_bytes(stream[..4].try_into().expect("four")) as usize;
            let head = &stream[4..];
            if head.len() >= frame_bytes {
                self.frame(socket, Bytes::copy_from_slice(&head[..frame_bytes]));
                stream = &head[frame_bytes..];
                continue;
            }
            let mut buffer = self.pool.take(frame_bytes + 4);
            buffer.as_mut_vec().extend_from_slice(head);
            let bytes_min = frame_bytes - head.len();
            self.peers.get_mut(&socket).expect("accepted").frame_bytes = frame_bytes;
            let bytes_max = bytes_min + 4;
            self.ops.push(Op::ReceiveInto { socket, buffer, bytes_min, bytes_max });
            return;
        }
        self.peers.get_mut(&socket).expect("accepted").partial = stream.to_vec();
        self.ops.push(Op::Receive { socket });
    }

    fn frame(&mut self, socket: SocketId, frame: Bytes) {
        self.messages += 1;
        let Some(file) = &self.file else {
            self.answer(socket);
            return;
        };
        let length = frame.len() as u64;
        if self.position + length > CIRCLE_BYTES {
            self.position = 0;
        }
        self.seq = self.seq.wrapping_add(1);
        self.writing.insert(self.seq, socket);
        let token = Token { owner: 0, seq: self.seq };
        let (file, position, chunks) = (file.clone(), self.position, vec![frame]);
        self.ops.push(Op::Write { token, file, position, chunks });
        self.position += length;
    }

    fn answer(&mut self, socket: SocketId) {
        if let Some(peer) = self.peers.get_mut(&socket) {
            peer.owed += 1;
        }
        self.flush(socket);
    }

    fn flush(&mut self, socket: SocketId) {
        let Some(peer) = self.peers.get_mut(&socket) else { return };
        if peer.sending || peer.owed == 0 {
            return;
        }
        peer.sending = true;
        let owed = std::mem::take(&mut peer.owed);
        let mut chunks = Vec::new();
        if self.mode == "source" {
            for _ in 0..owed {
                let position = self.position;
                self.position = (self.position + u64::from(self.frame)) % CIRCLE_BYTES;
                let file = self.file.clone().expect("source needs dir=");
                chunks.push(Chunk::Bytes(Bytes::from_static(&[0; 64])));
                chunks.push(Chunk::File { file, position, length: self.frame });
            }
        } else {
            chunks.push(Chunk::Bytes(Bytes::from(vec![0; 4 * owed])));
        }
        self.ops.push(Op::Send { socket, chunks });
    }
}

/// Frames a client keeps in flight.
const WINDOW: u64 = 5;

fn client(mode: &str, addr: SocketAddr, options: &Options) {
    // A CPU of its own, if there is one.
    let _ = sys::pin_thread(1);
    let connections = number(options, "connections", 1);
    let mut streams: Vec<TcpStream> =
        (0..connections).map(|_| TcpStream::connect(addr).expect("connects")).collect();
    for stream in &streams {
        stream.set_nodelay(true).expect("a TCP socket");
    }
    let frame = number(options, "frame", 65536);
    let frames = number(options, "frames", 20_000);
    match mode {
        "echo" => {
            let bytes = usize::try_from(number(options, "bytes", 100)).expect("fits");
            let mut message = vec![1; bytes];
            for _ in 0..number(options, "rounds", 20_000) {
                for stream in &mut streams {
                    stream.write_all(&message).expect("sends");
                }
                for stream in &mut streams {
                    stream.read_exact(&mut message).expect("is answered");
                }
            }
        }
        "sink" => {
            let length = u32::try_from(frame).expect("fits").to_be_bytes();
            let mut wire = length.to_vec();
            wire.resize(4 + usize::try_from(frame).expect("fits"), 7);
            let stream = &mut streams[0];
            let mut answer = [0; 4];
            for sent in 0..frames {
                if sent >= WINDOW {
                    stream.read_exact(&mut answer).expect("is answered");
                }
                stream.write_all(&wire).expect("sends");
            }
            for _ in 0..WINDOW.min(frames) {
                stream.read_exact(&mut answer).expect("is answered");
            }
        }
        _ => {
            let stream = &mut streams[0];
            let reply = usize::try_from(frame).expect("fits") + 64;
            for _ in 0..WINDOW {
                stream.write_all(&[0; 4]).expect("sends");
            }
            for _ in 0..frames {
                let mut rest = reply;
                while rest > 0 {
                    let got = sys::receive_discard(stream.as_fd(), rest).expect("is answered");
                    assert!(got > 0, "the server closed");
                    rest -= got;
                }
                stream.write_all(&[0; 4]).expect("sends");
            }
        }
    }
}

fn mail(config: DriverConfig, rounds: u64) {
    let config = DriverConfig { shards: 2, ..config };
    let start = sys::mono();
    let running = start_shards(&config, |shard| {
        move |mut driver: Driver<u64>| {
            let (mut ops, mut completions) = (Vec::new(), Vec::new());
            if shard == ShardId(0) {
                ops.push(Op::Mail { to: ShardId(1), mail: 0 });
            }
            let mut count = 0;
            while count < rounds {
                driver.turn(&mut ops, None, &mut completions);
                for completion in completions.drain(..) {
                    let Completion::Mail { from, mail } = completion else {
                        panic!("unexpected {completion:?}");
                    };
                    count += 1;
                    ops.push(Op::Mail { to: from, mail: mail + 1 });
                }
            }
            driver.turn(&mut ops, Some(sys::mono()), &mut completions);
        }
    })
    .expect("starts");
    println!("{}", running.report().why);
    let counters = running.counters().to_vec();
    running.join().expect("ends");
    let spent = counters[0].values().plus(&counters[1].values());
    let (hops, wall) = (rounds * 2, sys::mono().since(start));
    println!(
        "mail: {:.2} µs, {:.2} calls, {:.2} wake-ups per hop",
        wall as f64 / 1e3 / hops as f64,
        spent.syscalls() as f64 / hops as f64,
        spent.wakes_sent as f64 / hops as f64,
    );
}
