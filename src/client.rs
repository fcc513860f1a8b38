//! A client's connection as the broker sees it: which requests run, which wait, how much it holds.
//!
//! Kafka runs one request of a connection at a time. Here Produce requests of one connection
//! overlap, because nothing a client can observe depends on it but speed: they reach each
//! partition's log in order, and replies leave in order anyway. Every other request waits until
//! those before it are answered, and those behind it wait for it.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;
use millrace_io::{Mono, SocketId};
use millrace_net::Connection;

use crate::slab::Key;

/// Requests of one connection that may be received and not answered. More are left in the socket.
pub const REQUESTS_IN_FLIGHT_MAX: usize = 256;

/// Bytes of requests of one connection that may be received and not answered, unless it is one
/// request alone.
pub const BYTES_IN_FLIGHT_MAX: usize = 64 << 20;

/// Bytes of replies that a connection may leave with us; above it no further request runs. Kafka
/// runs none until the last reply is written.
pub const UNSENT_BYTES_MAX: usize = 1 << 20;

/// What a connection's requests are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// None runs.
    Idle,
    /// So many Produce requests run.
    Produce(u32),
    /// One request of another kind runs. If it waits for something, this is where.
    Exclusive(Option<Key>),
}

/// One client's connection.
#[derive(Debug)]
pub struct Client {
    /// Frames in, replies out.
    pub connection: Connection,
    /// Which listener it came through, by index into the configured ones.
    pub listener: u16,
    /// Its address.
    pub peer: SocketAddr,
    /// The address of ours that it connected to.
    pub local: SocketAddr,
    /// When it last sent or was sent something.
    pub last_active: Mono,
    /// What its requests are doing.
    pub busy: Busy,
    /// Name and version of its software, as it told in ApiVersions.
    pub software: Option<(String, String)>,
    /// When the send under way began.
    pub send_began: Mono,
    /// Frames, and when each was received.
    waiting: VecDeque<(Mono, Bytes)>,
    bytes_in_flight: usize,
    /// Its requests wait until then: it used more than its quota.
    pub throttled_until: Option<Mono>,
    /// The name it gave itself last.
    calls_itself: Option<Box<str>>,
    /// It is to be closed once what is ready has been sent.
    pub closing: bool,
}

impl Client {
    /// A new connection.
    pub const fn new(
        connection: Connection,
        listener: u16,
        peer: SocketAddr,
        local: SocketAddr,
        now: Mono,
    ) -> Self {
        Self {
            connection,
            listener,
            peer,
            local,
            last_active: now,
            busy: Busy::Idle,
            software: None,
            send_began: now,
            waiting: VecDeque::new(),
            bytes_in_flight: 0,
            throttled_until: None,
            calls_itself: None,
            closing: false,
        }
    }

    /// The driver's name for the connection.
    pub const fn socket(&self) -> SocketId {
        self.connection.socket()
    }

    /// The name it gave itself in the request that runs.
    pub fn client_id(&self) -> Option<&str> {
        self.calls_itself.as_deref()
    }

    /// Remembers the name that it gives itself.
    pub fn set_client_id(&mut self, client_id: Option<&str>) {
        if self.calls_itself.as_deref() != client_id {
            self.calls_itself = client_id.map(Box::from);
        }
    }

    /// Queues a frame.
    pub fn enqueue(&mut self, now: Mono, frame: Bytes) {
        self.bytes_in_flight += frame.len();
        self.waiting.push_back((now, frame));
    }

    /// True if there is too much of this connection to take in more.
    pub fn is_saturated(&self) -> bool {
        let requests = self.waiting.len() + self.connection.in_flight();
        requests >= REQUESTS_IN_FLIGHT_MAX || self.bytes_in_flight > BYTES_IN_FLIGHT_MAX
    }

    /// Bytes of requests that are received and not answered.
    pub const fn bytes_in_flight(&self) -> usize {
        self.bytes_in_flight
    }

    /// Bytes of requests that have not begun to run.
    pub fn unstarted_bytes(&self) -> usize {
        self.waiting.iter().map(|(_, frame)| frame.len()).sum()
    }

    /// Takes the next frame that may run now, with the time it was received.
    pub fn next_runnable(&mut self) -> Option<(Mono, Bytes)> {
        if self.closing
            || self.throttled_until.is_some()
            || self.connection.unsent_bytes() > UNSENT_BYTES_MAX
        {
            return None;
        }
        let overlaps = match self.busy {
            Busy::Idle => true,
            Busy::Produce(_) => self.waiting.front().is_some_and(|(_, frame)| is_produce(frame)),
            Busy::Exclusive(_) => false,
        };
        if !overlaps {
            return None;
        }
        let (received, frame) = self.waiting.pop_front()?;
        self.busy = match self.busy {
            Busy::Produce(count) => Busy::Produce(count + 1),
            Busy::Idle | Busy::Exclusive(_) if is_produce(&frame) => Busy::Produce(1),
            Busy::Idle | Busy::Exclusive(_) => Busy::Exclusive(None),
        };
        Some((received, frame))
    }

    /// A request of `frame_bytes` bytes has been answered, or owes no answer.
    pub fn finish(&mut self, frame_bytes: usize) {
        self.bytes_in_flight -= frame_bytes;
        self.busy = match self.busy {
            Busy::Produce(count) if count > 1 => Busy::Produce(count - 1),
            Busy::Produce(_) | Busy::Exclusive(_) => Busy::Idle,
            Busy::Idle => unreachable!("a request ends on a connection where none runs"),
        };
    }
}

/// The API key of Produce is 0, in the frame's first two bytes.
fn is_produce(frame: &[u8]) -> bool {
    frame.starts_with(&[0, 0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        let address = SocketAddr::from(([127, 0, 0, 1], 9092));
        let socket = SocketId { slot: 0, generation: 0 };
        Client::new(Connection::new(socket, 1 << 20), 0, address, address, Mono(0))
    }

    const PRODUCE: &[u8] = &[0, 0, 0, 9];
    const FETCH: &[u8] = &[0, 1, 0, 12];

    #[test]
    fn produce_requests_overlap_and_everything_else_runs_alone() {
        let mut client = client();
        for frame in [PRODUCE, PRODUCE, FETCH, PRODUCE] {
            client.enqueue(Mono(0), Bytes::from_static(frame));
        }
        assert!(client.next_runnable().is_some());
        assert!(client.next_runnable().is_some());
        assert_eq!(client.busy, Busy::Produce(2));
        assert!(client.next_runnable().is_none(), "fetch waits for both");
        client.finish(4);
        assert!(client.next_runnable().is_none());
        client.finish(4);
        assert_eq!(client.next_runnable().map(|(_, frame)| frame).as_deref(), Some(FETCH));
        assert!(client.next_runnable().is_none(), "produce waits for fetch");
        client.finish(4);
        assert_eq!(client.next_runnable().map(|(_, frame)| frame).as_deref(), Some(PRODUCE));
        client.finish(4);
        assert_eq!((client.busy, client.bytes_in_flight()), (Busy::Idle, 0));
    }

    #[test]
    fn a_connection_is_saturated_by_requests_or_by_bytes() {
        let mut client = client();
        for _ in 0..REQUESTS_IN_FLIGHT_MAX {
            assert!(!client.is_saturated());
            client.enqueue(Mono(0), Bytes::from_static(FETCH));
        }
        assert!(client.is_saturated());
    }
}
