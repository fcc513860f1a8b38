//! The clients' end of connections.

use bytes::Bytes;
use millrace_io::{CloseReason, ListenerId, ShardId};

use super::sockets::NetEvent;
use super::{Event, World};
use crate::net::{ClientId, Fin, Server};

impl<M> World<M> {
    /// A client connects. Bytes may be sent at once. A listening shard that the seed picks accepts.
    pub fn connect(&mut self, listener: ListenerId) -> ClientId {
        let window_bytes = 1 << self.rng.between(12, 18);
        let client = self.net.connect(listener, window_bytes);
        let picked = self.rng.below(self.listening.into());
        let shard = ShardId(u16::try_from(picked).expect("below a u16"));
        let at = self.time + self.net_delay();
        self.schedule(at, Event::Net(NetEvent::Accept(client, shard)));
        client
    }

    /// Queues bytes for the server. Ignored once the connection has ended.
    pub fn client_send(&mut self, client: ClientId, bytes: &[u8]) {
        self.trace.number(u64::from(client.0));
        self.trace.bytes(bytes);
        let time = self.time;
        self.trace.line(format_args!("{time} client {} sends {}", client.0, bytes.len()));
        let Some(link) = self.net.links.get_mut(&client) else { return };
        if link.client_end.is_some() || link.to_server.fin != Fin::None {
            return;
        }
        link.to_server.unsent.extend_from_slice(bytes);
        self.pump_to_server(client);
    }

    /// Takes what arrived. A client that does not call this stops the server's sends.
    pub fn client_receive(&mut self, client: ClientId) -> Bytes {
        let Some(link) = self.net.links.get_mut(&client) else { return Bytes::new() };
        let bytes = link.to_client.arrived.split().freeze();
        if !bytes.is_empty() && matches!(link.server, Server::Open(_)) {
            let at = self.time + self.rng.between(1_000, 50_000);
            self.schedule(at, Event::Net(NetEvent::Pump(client)));
        }
        bytes
    }

    /// How the connection ended, once it has and everything that arrived before was taken.
    pub fn client_end(&self, client: ClientId) -> Option<CloseReason> {
        let Some(link) = self.net.links.get(&client) else { return Some(CloseReason::Eof) };
        link.client_end.filter(|_| link.to_client.arrived.is_empty())
    }

    /// The client sends no more but still reads (shutdown of the sending side).
    pub fn client_finish(&mut self, client: ClientId) {
        let Some(link) = self.net.links.get_mut(&client) else { return };
        if link.to_server.fin == Fin::None && link.client_end.is_none() {
            link.to_server.fin = Fin::Wanted;
            self.pump_to_server(client);
        }
    }

    /// The client closes. What it sent before still arrives; what it gets from now on is answered
    /// with a reset.
    pub fn client_close(&mut self, client: ClientId) {
        self.client_finish(client);
        if let Some(link) = self.net.links.get_mut(&client) {
            link.client_reads = false;
            link.to_client.arrived.clear();
        }
        let at = self.time + self.net_delay();
        self.schedule(at, Event::Net(NetEvent::Pump(client)));
        self.leave(client);
    }

    /// The client breaks the connection.
    pub fn client_reset(&mut self, client: ClientId) {
        let at = self.time + self.net_delay();
        self.schedule(at, Event::Net(NetEvent::Reset(client)));
        if let Some(link) = self.net.links.get_mut(&client) {
            link.client_reads = false;
            link.client_end.get_or_insert(CloseReason::Eof);
        }
        self.leave(client);
    }

    /// The network breaks the connection; both ends will see it.
    pub fn break_connection(&mut self, client: ClientId) {
        let at = self.time + self.net_delay();
        self.schedule(at, Event::Net(NetEvent::Reset(client)));
    }

    /// The client is through: no news for it any more.
    fn leave(&mut self, client: ClientId) {
        self.net.news.retain(|&other| other != client);
        self.net.forget_if_over(client);
    }
}
