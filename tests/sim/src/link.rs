//! A client's connection: requests out, responses in, in order.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};
use millrace_io::ListenerId;
use millrace_net::{Request, header};
use millrace_world::{ClientId, World};

/// One connection of a model client.
#[derive(Debug)]
pub struct Link {
    client: ClientId,
    arrived: BytesMut,
    next_correlation: i32,
    /// Requests that wait for a response, oldest first.
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    correlation: i32,
    version: i16,
    /// When it was sent, ns of the world's time.
    sent: u64,
}

impl Link {
    /// Connects.
    pub fn connect<M>(world: &mut World<M>) -> Self {
        Self {
            client: world.connect(ListenerId(0)),
            arrived: BytesMut::new(),
            next_correlation: 1,
            waiting: VecDeque::new(),
        }
    }

    /// The world's name for it.
    pub const fn client(&self) -> ClientId {
        self.client
    }

    /// Sends a request whose response will come through [`Link::receive`].
    pub fn send<M, R: Request>(&mut self, world: &mut World<M>, request: &R, version: i16) {
        let correlation = self.send_only(world, request, version);
        self.waiting.push_back(Waiting { correlation, version, sent: world.time() });
    }

    /// Sends a request that gets no response. Returns its correlation id.
    pub fn send_only<M, R: Request>(
        &mut self,
        world: &mut World<M>,
        request: &R,
        version: i16,
    ) -> i32 {
        let correlation = self.next_correlation;
        self.next_correlation += 1;
        let frame = header::request_frame(request, version, correlation, Some("sim"));
        world.client_send(self.client, &frame);
        correlation
    }

    /// Takes what arrived and returns the next whole response, without its length.
    pub fn receive<M>(&mut self, world: &mut World<M>) -> Option<Bytes> {
        let bytes = world.client_receive(self.client);
        self.arrived.extend_from_slice(&bytes);
        let length = self.arrived.get(..4)?.try_into().map(i32::from_be_bytes).ok()?;
        let length = usize::try_from(length).ok()?;
        if self.arrived.len() < 4 + length {
            return None;
        }
        self.arrived.advance(4);
        Some(self.arrived.split_to(length).freeze())
    }

    /// Reads the response to the oldest request, which was an `R`.
    pub fn take<R: Request>(&mut self, frame: &[u8]) -> Result<R::Response, String> {
        let Some(waiting) = self.waiting.pop_front() else {
            return Err("a response that nobody asked for".to_owned());
        };
        let (correlation, response) = header::read_response::<R>(frame, waiting.version)
            .map_err(|error| format!("{:?} v{}: {error}", R::KEY, waiting.version))?;
        if correlation != waiting.correlation {
            let expected = waiting.correlation;
            return Err(format!("response {correlation} came where {expected} was due"));
        }
        Ok(response)
    }

    /// Whether the connection has ended.
    pub fn has_ended<M>(&self, world: &World<M>) -> bool {
        world.client_end(self.client).is_some()
    }

    /// When the oldest request without a response was sent, ns of the world's time.
    pub fn waits_since(&self) -> Option<u64> {
        self.waiting.front().map(|waiting| waiting.sent)
    }

    /// Requests without a response.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}
