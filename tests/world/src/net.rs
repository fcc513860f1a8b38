//! Connections as data: two pipes and the socket at the server's end.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};

use bytes::BytesMut;
use millrace_io::{Chunk, CloseReason, ListenerId, PooledBuffer, ShardId, SocketId};

/// A model client's connection. Counts up, never used again.
///
/// The model of a stream: each direction is a pipe with a bounded window. Bytes leave the sender in
/// pieces of any size, arrive in order after any time, and are read in other pieces. Who does not
/// read stops the sender. A reset throws away what has not been read. Closing with unread bytes is
/// a reset; killing the process ends its connections either way. Bytes that were on the way to the
/// client at that moment may arrive or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u32);

/// All connections of the machine.
#[derive(Debug)]
pub(crate) struct Net {
    pub(crate) links: BTreeMap<ClientId, Link>,
    next_client: u32,
    /// Per shard: the socket table.
    tables: Vec<Vec<Slot>>,
    /// Clients with something new: bytes or an end. No duplicates.
    pub(crate) news: VecDeque<ClientId>,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    client: Option<ClientId>,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) listener: ListenerId,
    pub(crate) peer: SocketAddr,
    pub(crate) to_server: Pipe,
    pub(crate) to_client: Pipe,
    pub(crate) server: Server,
    /// The client still wants what arrives.
    pub(crate) client_reads: bool,
    /// How the client sees the connection end, after the bytes that arrived before.
    pub(crate) client_end: Option<CloseReason>,
}

/// The server's end.
#[derive(Debug)]
pub(crate) enum Server {
    /// In a backlog, or on the way to another shard.
    Waiting,
    /// On a shard.
    Open(Socket),
    /// Closed by the shard, or its process is dead.
    Gone,
}

/// A socket on a shard.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) shard: ShardId,
    pub(crate) id: SocketId,
    pub(crate) mode: Mode,
    /// What is still to be sent; `None` if no send is pending.
    pub(crate) sending: Option<VecDeque<Chunk>>,
    /// Bytes in completions that the shard has not seen yet.
    pub(crate) taken_bytes: usize,
    /// The shard was told, or is about to be told, that the connection ended.
    pub(crate) told_closed: bool,
    /// The end that the shard learns of when it next uses the socket.
    pub(crate) broken: Option<CloseReason>,
}

/// What the shard wants of the bytes that arrive.
#[derive(Debug)]
pub(crate) enum Mode {
    Stopped,
    Receiving,
    Into { buffer: PooledBuffer, bytes_min: usize, bytes_max: usize },
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    /// With the sender, waiting for the window.
    pub(crate) unsent: BytesMut,
    /// Bytes on the way.
    pub(crate) wire_bytes: usize,
    /// With the receiver, unread.
    pub(crate) arrived: BytesMut,
    /// Bounds what is on the way and unread, bytes.
    pub(crate) window_bytes: usize,
    /// When the last piece on the way arrives.
    pub(crate) until: u64,
    pub(crate) fin: Fin,
}

/// How far the end of a pipe has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fin {
    #[default]
    None,
    /// The sender has no more than what is unsent.
    Wanted,
    /// On the way.
    Sent,
    /// The receiver has everything.
    Arrived,
}

impl Pipe {
    pub(crate) fn new(window_bytes: usize) -> Self {
        Self { window_bytes, ..Self::default() }
    }

    /// Bytes that may go on the way now.
    pub(crate) fn room_bytes(&self) -> usize {
        self.window_bytes.saturating_sub(self.wire_bytes + self.arrived.len())
    }
}

impl Link {
    pub(crate) const fn socket_mut(&mut self) -> Option<&mut Socket> {
        match &mut self.server {
            Server::Open(socket) => Some(socket),
            Server::Waiting | Server::Gone => None,
        }
    }
}

impl Net {
    pub(crate) fn new(shards: u16) -> Self {
        Self {
            links: BTreeMap::new(),
            next_client: 0,
            tables: (0..shards).map(|_| Vec::new()).collect(),
            news: VecDeque::new(),
        }
    }

    /// A new connection, not accepted yet.
    pub(crate) fn connect(&mut self, listener: ListenerId, window_bytes: usize) -> ClientId {
        let id = ClientId(self.next_client);
        self.next_client += 1;
        // Ports are reused after 60,000 connections, as they are in life.
        let port = u16::try_from(id.0 % 60_000 + 1024).expect("below 61,024");
        let link = Link {
            listener,
            peer: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            to_server: Pipe::new(window_bytes),
            to_client: Pipe::new(window_bytes),
            server: Server::Waiting,
            client_reads: true,
            client_end: None,
        };
        self.links.insert(id, link);
        id
    }

    /// A slot in the shard's table.
    pub(crate) fn take_slot(&mut self, shard: ShardId, client: ClientId) -> SocketId {
        let table = &mut self.tables[usize::from(shard.0)];
        let free = table.iter().position(|slot| slot.client.is_none());
        let index = free.unwrap_or_else(|| {
            table.push(Slot { generation: 0, client: None });
            table.len() - 1
        });
        let slot = &mut table[index];
        slot.generation += 1;
        slot.client = Some(client);
        let index = u32::try_from(index).expect("far fewer sockets");
        SocketId { slot: index, generation: slot.generation }
    }

    /// Frees the slot.
    pub(crate) fn free_slot(&mut self, shard: ShardId, socket: SocketId) {
        self.tables[usize::from(shard.0)][socket.slot as usize].client = None;
    }

    /// The connection behind a shard's socket, if it is still that one.
    pub(crate) fn client_of(&self, shard: ShardId, socket: SocketId) -> Option<ClientId> {
        let slot = self.tables[usize::from(shard.0)].get(socket.slot as usize)?;
        slot.client.filter(|_| slot.generation == socket.generation)
    }

    /// All sockets are gone with the process.
    pub(crate) fn clear_tables(&mut self) {
        for table in &mut self.tables {
            table.clear();
        }
    }

    pub(crate) fn add_news(&mut self, client: ClientId) {
        if !self.news.contains(&client) {
            self.news.push_back(client);
        }
    }

    /// Forgets the connection if both ends are through with it.
    pub(crate) fn forget_if_over(&mut self, client: ClientId) {
        let over = self
            .links
            .get(&client)
            .is_some_and(|link| matches!(link.server, Server::Gone) && !link.client_reads);
        if over {
            self.links.remove(&client);
            self.news.retain(|&other| other != client);
        }
    }
}
