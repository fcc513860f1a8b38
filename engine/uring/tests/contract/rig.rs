//! One driver under test, driven from the test's own thread.

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use millrace_io::{Completion, FileRef, Op, OpenMode, SocketId, Token};
use millrace_uring::{Backend, Driver, DriverConfig, Mesh, sys};

/// A claim that takes longer has failed.
pub(crate) const PATIENCE_MS: u64 = 20_000;

pub(crate) struct Rig {
    pub(crate) driver: Driver<u64>,
    pub(crate) ops: Vec<Op<u64>>,
    pub(crate) inbox: VecDeque<Completion<u64>>,
    seq: u32,
}

pub(crate) fn config(backend: Backend) -> DriverConfig {
    DriverConfig { backend, ..DriverConfig::default() }
}

impl Rig {
    pub(crate) fn new(backend: Backend) -> Self {
        Self::with(&config(backend))
    }

    pub(crate) fn with(config: &DriverConfig) -> Self {
        let mut mesh = Mesh::new(config).expect("a mesh");
        let seat = mesh.take_seats().remove(0);
        Self {
            driver: seat.into_driver().expect("a driver"),
            ops: Vec::new(),
            inbox: VecDeque::new(),
            seq: 0,
        }
    }

    pub(crate) fn token(&mut self) -> Token {
        self.seq += 1;
        Token { owner: 7, seq: self.seq }
    }

    /// One turn; waits at most `ms`.
    pub(crate) fn turn(&mut self, ms: u64) {
        let deadline = sys::mono().plus_ms(ms);
        let mut completions = Vec::new();
        self.driver.turn(&mut self.ops, Some(deadline), &mut completions);
        assert!(self.ops.is_empty(), "a turn takes all ops");
        self.inbox.extend(completions);
    }

    /// Turns until `pick` takes a completion; others stay in the inbox.
    pub(crate) fn until<T>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(&Completion<u64>) -> Option<T>,
    ) -> T {
        let end = sys::mono().plus_ms(PATIENCE_MS);
        loop {
            for index in 0..self.inbox.len() {
                if let Some(found) = pick(&self.inbox[index]) {
                    self.inbox.remove(index);
                    return found;
                }
            }
            assert!(sys::mono() < end, "no {what}; there is {:?}", self.inbox);
            self.turn(PATIENCE_MS);
        }
    }

    /// The next completion, waiting for it.
    pub(crate) fn next(&mut self) -> Completion<u64> {
        while self.inbox.is_empty() {
            let start = sys::mono();
            self.turn(PATIENCE_MS);
            assert!(
                !self.inbox.is_empty() || sys::mono() < start.plus_ms(PATIENCE_MS),
                "nothing happens"
            );
        }
        self.inbox.pop_front().expect("not empty")
    }

    pub(crate) fn open(&mut self, path: PathBuf, mode: OpenMode) -> (FileRef, u64) {
        let token = self.token();
        self.ops.push(Op::Open { token, path, mode });
        self.until("Opened", |completion| match completion {
            Completion::Opened { token: t, result } if *t == token => Some(result.clone()),
            _ => None,
        })
        .expect("opens")
    }

    pub(crate) fn done(&mut self, token: Token) -> Result<(), millrace_io::IoError> {
        self.until("Done", |completion| match completion {
            Completion::Done { token: t, result } if *t == token => Some(*result),
            _ => None,
        })
    }

    pub(crate) fn read(
        &mut self,
        file: &FileRef,
        position: u64,
        length: u32,
    ) -> Result<bytes::Bytes, millrace_io::IoError> {
        let token = self.token();
        self.ops.push(Op::Read { token, file: file.clone(), position, length });
        self.read_result(token)
    }

    pub(crate) fn read_result(
        &mut self,
        token: Token,
    ) -> Result<bytes::Bytes, millrace_io::IoError> {
        self.until("Read", |completion| match completion {
            Completion::Read { token: t, result } if *t == token => Some(result.clone()),
            _ => None,
        })
    }

    pub(crate) fn write(
        &mut self,
        file: &FileRef,
        position: u64,
        chunks: Vec<bytes::Bytes>,
    ) -> Result<(), millrace_io::IoError> {
        let token = self.token();
        let count = chunks.len();
        self.ops.push(Op::Write { token, file: file.clone(), position, chunks });
        self.until("Wrote", |completion| match completion {
            Completion::Wrote { token: t, chunks, result } if *t == token => {
                assert_eq!(chunks.len(), count, "the chunks come back");
                Some(*result)
            }
            _ => None,
        })
    }

    pub(crate) fn listen(&mut self) -> SocketAddr {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        self.driver.listen(any).expect("listens").1
    }

    /// A client and the driver's end of its connection.
    pub(crate) fn connect(&mut self, addr: SocketAddr) -> (TcpStream, SocketId) {
        let client = TcpStream::connect(addr).expect("connects");
        client.set_nodelay(true).expect("a TCP socket");
        let patience = Some(Duration::from_millis(PATIENCE_MS));
        client.set_read_timeout(patience).expect("not zero");
        client.set_write_timeout(patience).expect("not zero");
        let own = client.local_addr().expect("bound");
        let socket = self.until("Accepted", |completion| match completion {
            Completion::Accepted { socket, peer, local, .. } if *peer == own => {
                assert_eq!(*local, addr);
                Some(*socket)
            }
            _ => None,
        });
        (client, socket)
    }

    pub(crate) fn sent(&mut self, socket: SocketId) {
        self.until("Sent", |completion| match completion {
            Completion::Sent { socket: s } if *s == socket => Some(()),
            _ => None,
        });
    }
}

/// Bytes that tell their place: no two ranges of a stream are alike by accident.
pub(crate) fn pattern(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
