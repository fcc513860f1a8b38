//! Many clients that send, stall, break off and reset at random, and a server that stops, resumes
//! and closes at random: whoever stays to the end gets every byte, and nothing is left over.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use millrace_io::{Chunk, Completion, FileRef, Op, OpenMode, SocketId};
use millrace_uring::{Backend, DriverConfig};

use super::rig::{PATIENCE_MS, Rig, config, pattern};
use super::sockets::{Framer, framed};

const CLIENTS: u64 = 24;
const FILE_BYTES: usize = 700_000;

/// What is in the server's file.
fn content() -> &'static [u8] {
    static CONTENT: OnceLock<Vec<u8>> = OnceLock::new();
    CONTENT.get_or_init(|| pattern(FILE_BYTES, 42))
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// What a client asks: an echo, or (nine bytes that begin with 1) a range of the file.
fn request(dice: &mut Dice) -> (Vec<u8>, Vec<u8>) {
    let length = [0, 1, 100, 3_000, 20_000, 150_000][usize::try_from(dice.roll(6)).expect("small")];
    if dice.roll(3) == 0 {
        let position = u32::try_from(dice.roll(200_000)).expect("small");
        let length = u32::try_from(length * 3).expect("small");
        let mut ask = vec![1];
        ask.extend_from_slice(&position.to_be_bytes());
        ask.extend_from_slice(&length.to_be_bytes());
        let range = position as usize..(position + length) as usize;
        let answer = content()[range].to_vec();
        return (ask, answer);
    }
    let mut echo = pattern(length, dice.roll(1000) + 1);
    echo.insert(0, 0);
    (echo.clone(), echo)
}

/// True if the client stayed to the end and all was right.
fn client(addr: SocketAddr, seed: u64) -> bool {
    let mut dice = Dice(seed | 1);
    let leaves = dice.roll(3) == 0;
    let mut stream = TcpStream::connect(addr).expect("connects");
    stream.set_nodelay(true).expect("a TCP socket");
    stream.set_read_timeout(Some(Duration::from_millis(PATIENCE_MS))).expect("not zero");
    let rounds = 4 + dice.roll(12);
    for round in 0..rounds {
        let requests: Vec<_> = (0..=dice.roll(4)).map(|_| request(&mut dice)).collect();
        let wire = framed(&requests.iter().map(|(ask, _)| ask.clone()).collect::<Vec<_>>());
        let mut rest = &wire[..];
        let mut reader = stream.try_clone().expect("clones");
        let answers: Vec<_> = requests.into_iter().map(|(_, answer)| answer).collect();
        let read = thread::spawn(move || {
            for answer in framed(&answers).chunks(50_000) {
                let mut got = vec![0; answer.len()];
                if reader.read_exact(&mut got).is_err() {
                    return false;
                }
                assert!(got == answer, "wrong bytes");
            }
            true
        });
        while !rest.is_empty() {
            let cut = usize::try_from(1 + dice.roll(rest.len() as u64)).expect("small");
            if stream.write_all(&rest[..cut]).is_err() {
                break;
            }
            rest = &rest[cut..];
            if leaves && round > 2 && dice.roll(4) == 0 {
                if dice.roll(2) == 0 {
                    let linger = Some(Duration::ZERO);
                    socket2::SockRef::from(&stream).set_linger(linger).expect("sets");
                }
                let _ = stream.shutdown(std::net::Shutdown::Both);
                let _ = read.join();
                return false;
            }
        }
        if !read.join().expect("right bytes") {
            return false;
        }
    }
    true
}

struct Conn {
    framer: Framer,
    sending: bool,
    outbox: Vec<Chunk>,
    /// Is closed by the server after so many frames.
    frames_max: usize,
}

impl Conn {
    fn answer(&mut self, file: &FileRef) {
        for frame in std::mem::take(&mut self.framer.frames) {
            self.frames_max = self.frames_max.saturating_sub(1);
            if frame.first() == Some(&1) {
                let field = |at: usize| {
                    u32::from_be_bytes(frame[at..at + 4].try_into().expect("four bytes"))
                };
                let (position, length) = (u64::from(field(1)), field(5));
                self.outbox.push(Chunk::Bytes(Bytes::copy_from_slice(&length.to_be_bytes())));
                self.outbox.push(Chunk::File { file: file.clone(), position, length });
            } else {
                self.outbox.push(Chunk::Bytes(framed(&[frame]).into()));
            }
        }
    }
}

pub(crate) fn a_storm_leaves_nothing_behind(backend: Backend) {
    for seed in 1..=4 {
        storm(backend, seed);
    }
}

fn storm(backend: Backend, seed: u64) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut rig = Rig::with(&DriverConfig {
        receive_buffer_bytes: 8192,
        receive_buffer_count: 16,
        send_buffer_bytes: Some(32 * 1024),
        ..config(backend)
    });
    let (file, _) = rig.open(dir.path().join("log"), OpenMode::Create);
    assert_eq!(rig.write(&file, 0, vec![Bytes::from_static(content())]), Ok(()));
    let addr = rig.listen();
    let clients: Vec<_> =
        (0..CLIENTS).map(|i| thread::spawn(move || client(addr, seed * 1000 + i * 7919))).collect();
    let mut dice = Dice(seed);
    let mut conns: BTreeMap<SocketId, Conn> = BTreeMap::new();
    let mut paused: Vec<SocketId> = Vec::new();
    let (mut ended, mut cut_off) = (0, 0);
    while ended < CLIENTS {
        for socket in paused.drain(..) {
            rig.ops.push(Op::Receive { socket });
        }
        match rig.next() {
            Completion::Accepted { socket, .. } => {
                let frames_max = if dice.roll(6) == 0 { 5 } else { usize::MAX };
                let framer = Framer::new(socket, 4000);
                let conn = Conn { framer, sending: false, outbox: Vec::new(), frames_max };
                conns.insert(socket, conn);
                rig.ops.push(Op::Receive { socket });
            }
            Completion::Sent { socket } => {
                conns.get_mut(&socket).expect("not after Close").sending = false;
                send(&mut rig, &mut conns, socket);
            }
            Completion::Closed { socket, .. } => {
                conns.remove(&socket).expect("not after Close");
                rig.ops.push(Op::Close { socket });
                // An end and a broken send may be told in one turn.
                rig.inbox.retain(|other| socket_of(other) != Some(socket));
                ended += 1;
            }
            completion @ (Completion::Received { socket, .. }
            | Completion::Filled { socket, .. }) => {
                let conn = conns.get_mut(&socket).expect("not after Close");
                let op = conn.framer.on(completion);
                if op.is_none() && dice.roll(4) == 0 {
                    rig.ops.push(Op::ReceiveStop { socket });
                    paused.push(socket);
                }
                rig.ops.extend(op);
                conn.answer(&file);
                if conn.frames_max == 0 {
                    conns.remove(&socket);
                    rig.ops.push(Op::Close { socket });
                    // What this turn brought already may still speak of it.
                    rig.inbox.retain(|other| socket_of(other) != Some(socket));
                    ended += 1;
                    cut_off += 1;
                    continue;
                }
                send(&mut rig, &mut conns, socket);
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    let stayed = clients.into_iter().map(|it| it.join().expect("right bytes")).filter(|ok| *ok);
    let stayed = stayed.count() as u64;
    assert!(stayed > 0 && stayed + cut_off <= CLIENTS, "{stayed} stayed, {cut_off} cut off");
    rig.turn(0);
    rig.turn(0);
    assert_eq!(rig.driver.socket_count(), 0);
}

fn socket_of(completion: &Completion<u64>) -> Option<SocketId> {
    match completion {
        Completion::Received { socket, .. }
        | Completion::Filled { socket, .. }
        | Completion::Sent { socket }
        | Completion::Closed { socket, .. } => Some(*socket),
        _ => None,
    }
}

fn send(rig: &mut Rig, conns: &mut BTreeMap<SocketId, Conn>, socket: SocketId) {
    let conn = conns.get_mut(&socket).expect("it is open");
    if !conn.sending && !conn.outbox.is_empty() {
        conn.sending = true;
        rig.ops.push(Op::Send { socket, chunks: std::mem::take(&mut conn.outbox) });
    }
}
