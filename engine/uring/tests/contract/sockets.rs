//! Claims about connections.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;

use bytes::{Bytes, BytesMut};
use millrace_io::{
    BufferPool, Chunk, CloseReason, Completion, IoErrorKind, Op, OpenMode, SocketId,
};
use millrace_uring::Backend;

use super::rig::{Rig, config, pattern};

pub(crate) fn small_messages_echo(backend: Backend) {
    let mut rig = Rig::new(backend);
    let addr = rig.listen();
    let (mut client, socket) = rig.connect(addr);
    rig.ops.push(Op::Receive { socket });
    for round in 0..200_u32 {
        let message = round.to_be_bytes();
        client.write_all(&message).expect("sends");
        let mut got = Vec::new();
        while got.len() < 4 {
            got.extend_from_slice(&received(&mut rig, socket));
        }
        assert_eq!(got, message);
        rig.ops.push(Op::Send { socket, chunks: vec![Chunk::Bytes(got.into())] });
        rig.sent(socket);
        let mut back = [0; 4];
        client.read_exact(&mut back).expect("answers");
        assert_eq!(back, message);
    }
}

fn received(rig: &mut Rig, socket: SocketId) -> Bytes {
    rig.until("Received", |completion| match completion {
        Completion::Received { socket: s, data } if *s == socket => Some(data.clone()),
        _ => None,
    })
}

pub(crate) fn many_connections_echo(backend: Backend) {
    let mut rig = Rig::new(backend);
    let addr = rig.listen();
    let mut clients: Vec<(TcpStream, SocketId)> = (0..64).map(|_| rig.connect(addr)).collect();
    for (_, socket) in &clients {
        rig.ops.push(Op::Receive { socket: *socket });
    }
    for round in 0..20_u8 {
        for (client, _) in &mut clients {
            client.write_all(&[round; 100]).expect("sends");
        }
        let mut bytes = 0;
        let mut sent = 0;
        let mut sending = std::collections::BTreeMap::<SocketId, usize>::new();
        while bytes < 6400 || sent < sending.len() {
            match rig.next() {
                Completion::Received { socket, data } => {
                    bytes += data.len();
                    *sending.entry(socket).or_default() += data.len();
                    if sending[&socket] == 100 {
                        let chunks = vec![Chunk::Bytes(Bytes::from(vec![round; 100]))];
                        rig.ops.push(Op::Send { socket, chunks });
                    }
                }
                Completion::Sent { .. } => sent += 1,
                other => panic!("unexpected {other:?}"),
            }
        }
        for (client, _) in &mut clients {
            let mut back = [0; 100];
            client.read_exact(&mut back).expect("answers");
            assert_eq!(back, [round; 100]);
        }
    }
}

/// Takes frames (a big-endian length and so many bytes) off a connection as the broker does: small
/// ones out of pooled buffers, the rest of large ones straight into a buffer of their own, with the
/// next length behind it.
pub(crate) struct Framer {
    socket: SocketId,
    pool: BufferPool,
    partial: BytesMut,
    pub(crate) frames: Vec<Vec<u8>>,
    bulk_above: usize,
    in_bulk: bool,
}

impl Framer {
    pub(crate) fn new(socket: SocketId, bulk_above: usize) -> Self {
        Self {
            socket,
            pool: BufferPool::new(1 << 26),
            partial: BytesMut::new(),
            frames: Vec::new(),
            bulk_above,
            in_bulk: false,
        }
    }

    pub(crate) fn on(&mut self, completion: Completion<u64>) -> Option<Op<u64>> {
        match completion {
            Completion::Received { socket, data } => {
                assert_eq!(socket, self.socket);
                assert!(!self.in_bulk, "a delivery beside ReceiveInto");
                self.partial.extend_from_slice(&data);
            }
            Completion::Filled { socket, buffer } => {
                assert_eq!(socket, self.socket);
                self.in_bulk = false;
                self.partial = BytesMut::from(&buffer[..]);
                let next = self.parse();
                return Some(next.unwrap_or(Op::Receive { socket }));
            }
            other => panic!("unexpected {other:?}"),
        }
        self.parse()
    }

    /// Cuts off whole frames; asks for a bulk receive if a large one has begun.
    fn parse(&mut self) -> Option<Op<u64>> {
        while self.partial.len() >= 4 {
            let length: [u8; 4] = self.partial[..4].try_into().expect("four bytes");
            let length = u32::from_be_bytes(length) as usize;
            if self.partial.len() >= 4 + length {
                let frame = self.partial.split_to(4 + length);
                self.frames.push(frame[4..].to_vec());
            } else if length > self.bulk_above {
                let mut buffer = self.pool.take(4 + length + 4);
                buffer.as_mut_vec().extend_from_slice(&self.partial);
                let rest = 4 + length - self.partial.len();
                self.partial.clear();
                self.in_bulk = true;
                return Some(Op::ReceiveInto {
                    socket: self.socket,
                    buffer,
                    bytes_min: rest,
                    bytes_max: rest + 4,
                });
            } else {
                break;
            }
        }
        None
    }
}

pub(crate) fn framed(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut stream = Vec::new();
    for frame in frames {
        let length = u32::try_from(frame.len()).expect("small");
        stream.extend_from_slice(&length.to_be_bytes());
        stream.extend_from_slice(frame);
    }
    stream
}

pub(crate) fn frames_arrive_exactly_at_every_split(backend: Backend) {
    let mut rig = Rig::new(backend);
    let addr = rig.listen();
    let frames: Vec<Vec<u8>> =
        [3, 20, 0, 33, 40, 1].iter().map(|&length| pattern(length, length as u64)).collect();
    let stream = framed(&frames);
    // Frames above 16 bytes are received in bulk; the stream is cut at each byte.
    for split in 0..=stream.len() {
        let (mut client, socket) = rig.connect(addr);
        let mut framer = Framer::new(socket, 16);
        rig.ops.push(Op::Receive { socket });
        client.write_all(&stream[..split]).expect("sends");
        // Some turns without waiting, so that the driver is in every state when the rest comes.
        for _ in 0..split % 5 {
            rig.turn(0);
            while let Some(completion) = rig.inbox.pop_front() {
                let op = framer.on(completion);
                rig.ops.extend(op);
            }
        }
        client.write_all(&stream[split..]).expect("sends");
        while framer.frames.len() < frames.len() {
            let completion = rig.next();
            let op = framer.on(completion);
            rig.ops.extend(op);
        }
        assert_eq!(framer.frames, frames, "cut at {split}");
        rig.ops.push(Op::Close { socket });
    }
}

pub(crate) fn bulk_frames_arrive_exactly(backend: Backend) {
    let mut rig = Rig::new(backend);
    let addr = rig.listen();
    let lengths = [1_000_000, 10, 70_000, 1_000_000, 65_000, 0, 3_000_000, 100, 100, 66_000];
    let frames: Vec<Vec<u8>> =
        (0..30).map(|index| pattern(lengths[index % lengths.len()], index as u64)).collect();
    let stream = framed(&frames);
    let (mut client, socket) = rig.connect(addr);
    let writer = thread::spawn(move || client.write_all(&stream).map(|()| client));
    let mut framer = Framer::new(socket, 32_768);
    rig.ops.push(Op::Receive { socket });
    while framer.frames.len() < frames.len() {
        let completion = rig.next();
        let op = framer.on(completion);
        rig.ops.extend(op);
    }
    assert!(framer.frames == frames, "the frames differ");
    drop(writer.join().expect("the writer does not panic").expect("sends"));
}

pub(crate) fn stopped_sockets_deliver_nothing_and_resume(backend: Backend) {
    let mut rig = Rig::with(&millrace_uring::DriverConfig {
        // Few buffers, so that the pool runs dry too.
        receive_buffer_bytes: 4096,
        receive_buffer_count: 4,
        ..config(backend)
    });
    let addr = rig.listen();
    let content = pattern(8_000_000, 9);
    let (mut client, socket) = rig.connect(addr);
    let stream = content.clone();
    let writer = thread::spawn(move || client.write_all(&stream).map(|()| client));
    let mut got = Vec::new();
    let mut held = Vec::new();
    while got.len() < content.len() {
        rig.ops.push(Op::Receive { socket });
        let data = received(&mut rig, socket);
        got.extend_from_slice(&data);
        // Held for a while, as a slow disk would: what is not given back cannot be filled.
        held.push(data);
        if held.len() == 3 {
            held.clear();
        }
        rig.ops.push(Op::ReceiveStop { socket });
        rig.turn(0);
        while let Some(completion) = rig.inbox.pop_front() {
            let Completion::Received { data, .. } = completion else {
                panic!("unexpected {completion:?}");
            };
            got.extend_from_slice(&data);
        }
    }
    assert!(got == content, "the bytes differ");
    drop(held);
    drop(writer.join().expect("the writer does not panic").expect("sends"));
    // Stopped for good: at most what was taken before the stop comes, then silence.
    let (mut client, socket) = rig.connect(addr);
    rig.ops.push(Op::Receive { socket });
    client.write_all(&[1; 10]).expect("sends");
    assert_eq!(received(&mut rig, socket).len(), 10);
    rig.ops.push(Op::ReceiveStop { socket });
    rig.turn(0);
    client.write_all(&[2; 10]).expect("sends");
    rig.turn(50);
    assert!(rig.inbox.is_empty(), "stopped, and yet {:?}", rig.inbox);
    rig.ops.push(Op::Receive { socket });
    assert_eq!(received(&mut rig, socket), &[2; 10][..]);
}

pub(crate) fn held_buffers_do_not_stop_the_rest(backend: Backend) {
    let mut rig = Rig::with(&millrace_uring::DriverConfig {
        receive_buffer_bytes: 8192,
        receive_buffer_count: 4,
        ..config(backend)
    });
    let addr = rig.listen();
    let (mut client, socket) = rig.connect(addr);
    rig.ops.push(Op::Receive { socket });
    let mut held = Vec::new();
    let content = pattern(300_000, 11);
    for part in content.chunks(8192) {
        client.write_all(part).expect("sends");
        let mut bytes = 0;
        while bytes < part.len() {
            // Never let go of: far more than the pool has.
            let data = received(&mut rig, socket);
            bytes += data.len();
            held.push(data);
        }
    }
    assert!(held.concat() == content, "the bytes differ");
}

pub(crate) fn files_are_sent_past_full_buffers(backend: Backend) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut rig = Rig::with(&millrace_uring::DriverConfig {
        send_buffer_bytes: Some(64 * 1024),
        ..config(backend)
    });
    let (file, _) = rig.open(dir.path().join("log"), OpenMode::Create);
    let content = Bytes::from(pattern(6_000_000, 4));
    assert_eq!(rig.write(&file, 0, vec![content.clone()]), Ok(()));
    let addr = rig.listen();
    let (mut client, socket) = rig.connect(addr);
    let chunks = vec![
        Chunk::Bytes(Bytes::from_static(b"head")),
        Chunk::File { file: file.clone(), position: 1000, length: 5_000_000 },
        Chunk::Bytes(Bytes::new()),
        Chunk::Bytes(Bytes::from_static(b"mid")),
        Chunk::File { file: file.clone(), position: 7, length: 13 },
        Chunk::File { file, position: 7, length: 0 },
        Chunk::Bytes(content.slice(..300_000)),
    ];
    let total: usize = chunks.iter().map(Chunk::len).sum();
    rig.ops.push(Op::Send { socket, chunks });
    let reader = thread::spawn(move || {
        let mut got = vec![0; total];
        client.read_exact(&mut got).map(|()| got)
    });
    rig.sent(socket);
    let got = reader.join().expect("the reader does not panic").expect("reads");
    let expected =
        [b"head", &content[1000..5_001_000], b"mid", &content[7..20], &content[..300_000]].concat();
    assert!(got == expected, "the bytes differ");
}

pub(crate) fn a_file_that_is_too_short_breaks_the_connection(backend: Backend) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut rig = Rig::new(backend);
    let (file, _) = rig.open(dir.path().join("log"), OpenMode::Create);
    assert_eq!(rig.write(&file, 0, vec![Bytes::from_static(b"0123456789")]), Ok(()));
    let addr = rig.listen();
    let (_client, socket) = rig.connect(addr);
    let chunks = vec![Chunk::File { file, position: 5, length: 50 }];
    rig.ops.push(Op::Send { socket, chunks });
    let reason = closed(&mut rig, socket);
    assert!(matches!(reason, CloseReason::Error(_)), "{reason:?}");
}

fn closed(rig: &mut Rig, socket: SocketId) -> CloseReason {
    rig.until("Closed", |completion| match completion {
        Completion::Closed { socket: s, reason } if *s == socket => Some(*reason),
        _ => None,
    })
}

pub(crate) fn sends_of_many_chunks_are_whole(backend: Backend) {
    let mut rig = Rig::new(backend);
    let addr = rig.listen();
    let (mut client, socket) = rig.connect(addr);
    let content = Bytes::from(pattern(9_000_000, 5));
    let reader = thread::spawn(move || {
        let mut got = vec![0; 9_000_000];
        client.read_exact(&mut got).map(|()| got)
    });
    for third in content.chunks(3_000_000) {
        let third = content.slice_ref(third);
        let chunks = third.chunks(1000).map(|part| Chunk::Bytes(content.slice_ref(part))).collect();
        rig.ops.push(Op::Send { socket, chunks });
        rig.sent(socket);
    }
    let got = reader.join().expect("the reader does not panic").expect("reads");
    assert!(got == content, "the bytes differ");
}

pub(crate) fn closed_sockets_are_silent(backend: Backend) {
    let mut rig = Rig::new(backend);
    let addr = rig.listen();
    // Closed while receiving in each way and while a send is stuck.
    for way in 0..3 {
        let (mut client, socket) = rig.connect(addr);
        match way {
            0 => rig.ops.push(Op::Receive { socket }),
            1 => {
                let buffer = BufferPool::new(0).take(1 << 20);
                let (bytes_min, bytes_max) = (1 << 20, 1 << 20);
                rig.ops.push(Op::ReceiveInto { socket, buffer, bytes_min, bytes_max });
            }
            _ => {
                let chunks = vec![Chunk::Bytes(Bytes::from(vec![0; 50_000_000]))];
                rig.ops.push(Op::Send { socket, chunks });
            }
        }
        rig.turn(0);
        rig.turn(0);
        client.write_all(b"too late").expect("sends");
        rig.ops.push(Op::Close { socket });
        // A second close, and ops on what is gone, are harmless.
        rig.turn(0);
        rig.ops.push(Op::Close { socket });
        rig.ops.push(Op::Receive { socket });
        rig.turn(20);
        assert!(rig.inbox.is_empty(), "closed, and yet {:?}", rig.inbox);
        let mut rest = Vec::new();
        // The client sees the end, by a reset if it had sent something unread.
        let _ = client.read_to_end(&mut rest);
        assert!(rest.len() < 50_000_000);
    }
    rig.turn(0);
    assert_eq!(rig.driver.socket_count(), 0, "all given back");
}

pub(crate) fn a_closing_peer_is_seen(backend: Backend) {
    let mut rig = Rig::new(backend);
    let addr = rig.listen();
    let (client, socket) = rig.connect(addr);
    rig.ops.push(Op::Receive { socket });
    rig.turn(0);
    drop(client);
    assert_eq!(closed(&mut rig, socket), CloseReason::Eof);
    // In the middle of a bulk receive too.
    let (mut client, socket) = rig.connect(addr);
    let buffer = BufferPool::new(0).take(1000);
    rig.ops.push(Op::ReceiveInto { socket, buffer, bytes_min: 1000, bytes_max: 1000 });
    client.write_all(&[1; 500]).expect("sends");
    rig.turn(0);
    drop(client);
    assert_eq!(closed(&mut rig, socket), CloseReason::Eof);
    assert!(rig.inbox.is_empty(), "told once, but {:?}", rig.inbox);
}

pub(crate) fn a_resetting_peer_is_seen(backend: Backend) {
    let mut rig = Rig::new(backend);
    let addr = rig.listen();
    let (client, socket) = rig.connect(addr);
    rig.ops.push(Op::Receive { socket });
    rig.turn(0);
    socket2::SockRef::from(&client).set_linger(Some(std::time::Duration::ZERO)).expect("sets");
    drop(client);
    match closed(&mut rig, socket) {
        CloseReason::Error(error) => assert_eq!(error.kind, IoErrorKind::Disconnected),
        CloseReason::Eof => panic!("a reset is not an end"),
    }
}

pub(crate) fn a_half_closed_peer_gets_its_reply(backend: Backend) {
    let mut rig = Rig::new(backend);
    let addr = rig.listen();
    let (mut client, socket) = rig.connect(addr);
    rig.ops.push(Op::Receive { socket });
    client.write_all(b"last words").expect("sends");
    client.shutdown(Shutdown::Write).expect("shuts down");
    assert_eq!(received(&mut rig, socket), &b"last words"[..]);
    assert_eq!(closed(&mut rig, socket), CloseReason::Eof);
    rig.ops.push(Op::Send { socket, chunks: vec![Chunk::Bytes(Bytes::from_static(b"bye"))] });
    rig.sent(socket);
    rig.ops.push(Op::Close { socket });
    rig.turn(0);
    let mut back = Vec::new();
    client.read_to_end(&mut back).expect("reads");
    assert_eq!(back, b"bye");
}
