//! A real driver as a rig: a temporary folder, loopback sockets, both shards on one thread.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use millrace_io::{BufferPool, Now, Op, ShardId};
use millrace_uring::{Backend, Driver, DriverConfig, Mesh, sys};

use crate::rig::{Completions, Rig};

pub(crate) struct DriverRig {
    drivers: Vec<Driver<u32>>,
    listener: SocketAddr,
    clients: Vec<Client>,
    pool: BufferPool,
    folder: tempfile::TempDir,
    /// Keeps what the shards share.
    _mesh: Mesh<u32>,
}

struct Client {
    /// `None` after a reset.
    stream: Option<TcpStream>,
    has_ended: bool,
}

impl DriverRig {
    pub(crate) fn new(backend: Backend, shards: u16) -> Self {
        let config = DriverConfig { shards, backend, ..DriverConfig::default() };
        let mut mesh = Mesh::new(&config).expect("descriptors and threads");
        let seats = mesh.take_seats().into_iter();
        let mut drivers: Vec<_> = seats.map(|seat| seat.into_driver().expect("a driver")).collect();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (_, listener) = drivers[0].listen(address).expect("a free port");
        Self {
            drivers,
            listener,
            clients: Vec::new(),
            pool: BufferPool::new(1 << 20),
            folder: tempfile::tempdir().expect("a folder"),
            _mesh: mesh,
        }
    }
}

impl Rig for DriverRig {
    fn turn(
        &mut self,
        shard: ShardId,
        ops: &mut Vec<Op<u32>>,
        wait_ms: u64,
        completions: &mut Completions,
    ) -> Now {
        let deadline = sys::mono().plus_ms(wait_ms);
        // A driver does not wait if it is given completions that are still to be seen.
        let mut new = Vec::new();
        let now = self.drivers[usize::from(shard.0)].turn(ops, Some(deadline), &mut new);
        completions.append(&mut new);
        now
    }

    fn root(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn pool(&self) -> BufferPool {
        self.pool.clone()
    }

    fn connect(&mut self) -> usize {
        let stream = TcpStream::connect_timeout(&self.listener, Duration::from_secs(5));
        let stream = stream.expect("the kernel connects before the driver accepts");
        stream.set_nonblocking(true).expect("a socket can do without blocking");
        self.clients.push(Client { stream: Some(stream), has_ended: false });
        self.clients.len() - 1
    }

    fn client_send(&mut self, client: usize, bytes: &[u8]) -> usize {
        let Some(stream) = &mut self.clients[client].stream else { return bytes.len() };
        match stream.write(bytes) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            // Closed by the other side: as good as sent.
            Err(_) => bytes.len(),
        }
    }

    fn client_receive(&mut self, client: usize) -> Vec<u8> {
        let client = &mut self.clients[client];
        let (mut got, mut piece) = (Vec::new(), vec![0; 65_536]);
        let Some(stream) = &mut client.stream else { return got };
        while got.len() < 1 << 20 {
            match stream.read(&mut piece) {
                Ok(0) => {
                    client.has_ended = true;
                    break;
                }
                Ok(count) => got.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {
                    client.has_ended = true;
                    break;
                }
            }
        }
        got
    }

    fn client_ended(&mut self, client: usize) -> bool {
        self.clients[client].has_ended
    }

    fn client_finish(&mut self, client: usize) {
        if let Some(stream) = &self.clients[client].stream {
            stream.shutdown(Shutdown::Write).expect("it is connected");
        }
    }

    fn client_reset(&mut self, client: usize) {
        if let Some(stream) = self.clients[client].stream.take() {
            let socket = socket2::Socket::from(stream);
            socket.set_linger(Some(Duration::ZERO)).expect("a socket can be told to linger");
        }
    }
}
