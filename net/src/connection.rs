//! One connection: bytes into frames, replies out in request order.
//!
//! Not here: what a frame means, time-outs, quotas. Imports the seam only.
//!
//! Receiving has two modes. Small frames are cut out of what the driver's receive pool delivers,
//! without a copy where a frame lies in one piece. A frame that is larger than
//! [`BULK_BYTES_MIN`] and not whole yet is received straight into a buffer of its own size, plus
//! four bytes: those are the next frame's length, so a stream of large frames never goes through
//! the pool again.
//!
//! ```text
//!            Received               partial, larger than BULK_BYTES_MIN
//!  Pooled ───────────────▶ Pooled ───────────────────────────────────▶ Bulk
//!     ▲                                                                 │ Filled
//!     └───────────── next length unknown, or small ─────────────────────┤
//!                                                    next length large ─┴─▶ Bulk
//! ```
//!
//! Sending: each request that owes a reply takes a slot, in order. The longest prefix of slots that
//! are ready leaves in one send; one send is under way at a time.
//!
//! Invariants: frames come out in the order of the bytes; replies go out in the order of the slots;
//! memory held for a partial frame is at most the frame, and for frames above
//! [`BULK_STEP_BYTES`] at most twice what has arrived.

use std::collections::VecDeque;

use bytes::Bytes;
use millrace_io::{BufferPool, Chunk, Op, PooledBuffer, SocketId};

/// A frame's length prefix, bytes.
const PREFIX_BYTES: usize = 4;

/// A partial frame that is larger than this gets a buffer of its own, and those that follow it are
/// received without a copy. Below it, the copy out of the pool is cheaper than a receive operation.
const BULK_BYTES_MIN: usize = 16 * 1024;

/// A frame larger than this gets its memory in steps, as its bytes arrive: a peer must send bytes
/// to make us hold memory. Ordinary batches (`max.message.bytes` is 1 MiB) fit in one step.
const BULK_STEP_BYTES: usize = 4 * 1024 * 1024;

/// The same for a connection that has not finished a large frame yet. Where memory comes in huge
/// pages, the first byte of a buffer may cost 2 MiB, so a claim alone must get a small buffer.
const BULK_STEP_BYTES_UNPROVEN: usize = 128 * 1024 - PREFIX_BYTES;

/// Replies whose bytes together are at most this are copied into one buffer and leave as one
/// piece; above it each stays where it is.
const COALESCE_BYTES_MAX: usize = 64 * 1024;

/// Replies handed to one send, at most: bounds the vector the driver has to walk.
const SEND_REPLIES_MAX: usize = 1024;

/// Why a connection's bytes cannot be frames. The connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The length is negative.
    Negative(i32),
    /// The length exceeds `socket.request.max.bytes`.
    TooLarge {
        /// The length as claimed, bytes.
        length: usize,
        /// The bound, bytes.
        length_max: usize,
    },
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Negative(length) => write!(f, "frame length {length} is negative"),
            Self::TooLarge { length, length_max } => {
                write!(f, "frame of {length} bytes exceeds socket.request.max.bytes = {length_max}")
            }
        }
    }
}

/// The place of a reply in its connection's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReplySlot(pub u64);

#[derive(Debug)]
enum Slot {
    /// The request is being worked on.
    Waiting,
    /// The reply, prefix and header included.
    Ready(Vec<Chunk>),
}

/// How the connection receives at the moment.
#[derive(Debug)]
enum Receiving {
    /// From the pool; holds the start of a frame that is not whole yet, prefix included.
    Pooled(Option<PooledBuffer>),
    /// Into a buffer of its own; `frame_bytes` is the frame's whole length. The buffer itself is
    /// with the driver.
    Bulk { frame_bytes: usize },
}

/// One connection's state. The owner passes what arrives in, and emits the ops that come out.
#[derive(Debug)]
pub struct Connection {
    socket: SocketId,
    receiving: Receiving,
    /// Whether the driver has been told to deliver, and nothing stopped it since.
    armed: bool,
    /// Whether the owner wants no more requests for now.
    paused: bool,
    /// A large frame has come whole: the peer means the lengths that it claims.
    is_proven: bool,
    /// What to do once the pause ends: a bulk receive that was held back.
    held_back: Option<PooledBuffer>,
    slots: VecDeque<Slot>,
    /// Number of the first slot in `slots`.
    first_slot: u64,
    sending: bool,
    /// Bytes in memory of replies that are ready, and of those in the send under way.
    ready_bytes: usize,
    sending_bytes: usize,
    frame_bytes_max: usize,
}

impl Connection {
    /// A new connection on `socket` that accepts frames up to `frame_bytes_max` bytes.
    pub const fn new(socket: SocketId, frame_bytes_max: usize) -> Self {
        Self {
            socket,
            receiving: Receiving::Pooled(None),
            armed: false,
            paused: false,
            is_proven: false,
            held_back: None,
            slots: VecDeque::new(),
            first_slot: 0,
            sending: false,
            ready_bytes: 0,
            sending_bytes: 0,
            frame_bytes_max,
        }
    }

    /// The driver's name for it.
    pub const fn socket(&self) -> SocketId {
        self.socket
    }

    /// Requests that are being worked on or whose reply has not left.
    pub fn in_flight(&self) -> usize {
        self.slots.len()
    }

    /// Bytes of replies that are held in memory because the peer has not taken them.
    pub const fn unsent_bytes(&self) -> usize {
        self.ready_bytes + self.sending_bytes
    }

    /// True while a send is under way.
    pub const fn is_sending(&self) -> bool {
        self.sending
    }

    /// True when receiving is paused by the owner.
    pub const fn is_paused(&self) -> bool {
        self.paused
    }

    /// Starts receiving.
    pub fn start<M>(&mut self, ops: &mut Vec<Op<M>>) {
        assert!(!self.armed, "a connection starts once");
        self.armed = true;
        ops.push(Op::Receive { socket: self.socket });
    }

    /// Takes what the pool delivered; whole frames, without their prefix, are appended to `frames`.
    pub fn on_received<M>(
        &mut self,
        data: Bytes,
        pool: &BufferPool,
        frames: &mut Vec<Bytes>,
        ops: &mut Vec<Op<M>>,
    ) -> Result<(), FrameError> {
        let partial = match &mut self.receiving {
            Receiving::Pooled(partial) => partial.take(),
            Receiving::Bulk { .. } => unreachable!("pooled bytes arrive during a bulk receive"),
        };
        let rest = match partial {
            None => data,
            Some(partial) => match self.join(partial, data, pool, frames, ops)? {
                Some(rest) => rest,
                None => return Ok(()),
            },
        };
        self.cut(rest, pool, frames, ops)
    }

    /// Completes a partial frame with the front of `data`. Returns what follows the frame, or
    /// nothing if the frame is still partial.
    fn join<M>(
        &mut self,
        mut partial: PooledBuffer,
        mut data: Bytes,
        pool: &BufferPool,
        frames: &mut Vec<Bytes>,
        ops: &mut Vec<Op<M>>,
    ) -> Result<Option<Bytes>, FrameError> {
        if partial.len() < PREFIX_BYTES {
            let missing = (PREFIX_BYTES - partial.len()).min(data.len());
            partial.as_mut_vec().extend_from_slice(&data.split_to(missing));
        }
        if let Some(length) = self.frame_length(&partial)? {
            let whole = PREFIX_BYTES + length;
            if partial.len() == PREFIX_BYTES && length > BULK_BYTES_MIN {
                // Only a part of the prefix was there. Now the size is known, and is but a claim.
                if data.len() >= length {
                    frames.push(data.split_to(length));
                    return Ok(Some(data));
                }
                self.receive_bulk(&data, length, pool, ops);
                return Ok(None);
            }
            if partial.as_mut_vec().capacity() < whole {
                let mut larger = pool.take(whole);
                larger.as_mut_vec().extend_from_slice(&partial);
                partial = larger;
            }
            let missing = (whole - partial.len()).min(data.len());
            partial.as_mut_vec().extend_from_slice(&data.split_to(missing));
            if partial.len() == whole {
                frames.push(partial.freeze().slice(PREFIX_BYTES..));
                return Ok(Some(data));
            }
        }
        debug_assert!(data.is_empty(), "a partial frame takes all there is");
        self.receiving = Receiving::Pooled(Some(partial));
        Ok(None)
    }

    /// Cuts whole frames off the front of `data` and keeps, or receives in bulk, what is left.
    fn cut<M>(
        &mut self,
        mut data: Bytes,
        pool: &BufferPool,
        frames: &mut Vec<Bytes>,
        ops: &mut Vec<Op<M>>,
    ) -> Result<(), FrameError> {
        while let Some(length) = self.frame_length(&data)? {
            if data.len() < PREFIX_BYTES + length {
                break;
            }
            frames.push(data.slice(PREFIX_BYTES..PREFIX_BYTES + length));
            data = data.slice(PREFIX_BYTES + length..);
        }
        if data.is_empty() {
            return Ok(());
        }
        let length = self.frame_length(&data)?;
        if let Some(length) = length.filter(|length| *length > BULK_BYTES_MIN) {
            self.receive_bulk(&data[PREFIX_BYTES..], length, pool, ops);
            return Ok(());
        }
        // The whole frame's size if it is known, so that the rest is appended without moving.
        let mut partial = pool.take(length.map_or(data.len(), |length| PREFIX_BYTES + length));
        partial.as_mut_vec().extend_from_slice(&data);
        self.receiving = Receiving::Pooled(Some(partial));
        Ok(())
    }

    /// Takes a filled bulk buffer; the frame it completes is appended to `frames`.
    pub fn on_filled<M>(
        &mut self,
        buffer: PooledBuffer,
        pool: &BufferPool,
        frames: &mut Vec<Bytes>,
        ops: &mut Vec<Op<M>>,
    ) -> Result<(), FrameError> {
        let Receiving::Bulk { frame_bytes } = self.receiving else {
            unreachable!("a bulk buffer arrives without a bulk receive")
        };
        if buffer.len() < frame_bytes {
            // A step of a very large frame: what has arrived pays for twice as much.
            let mut larger = pool.take((buffer.len() * 2).min(frame_bytes + PREFIX_BYTES));
            larger.as_mut_vec().extend_from_slice(&buffer);
            drop(buffer);
            self.receive_rest(larger, frame_bytes, ops);
            return Ok(());
        }
        self.is_proven = true;
        let whole = buffer.freeze();
        let next = whole.slice(frame_bytes..);
        frames.push(whole.slice(..frame_bytes));
        self.receiving = Receiving::Pooled(None);
        match self.frame_length(&next)? {
            Some(length) if length > BULK_BYTES_MIN => {
                self.receive_bulk(&[], length, pool, ops);
            }
            _ => {
                if !next.is_empty() {
                    let mut partial = pool.take(PREFIX_BYTES);
                    partial.as_mut_vec().extend_from_slice(&next);
                    self.receiving = Receiving::Pooled(Some(partial));
                }
                self.rearm(ops);
            }
        }
        Ok(())
    }

    /// Receives a frame of `frame_bytes` into its own buffer; `head` is what has arrived of it.
    fn receive_bulk<M>(
        &mut self,
        head: &[u8],
        frame_bytes: usize,
        pool: &BufferPool,
        ops: &mut Vec<Op<M>>,
    ) {
        let step = if self.is_proven { BULK_STEP_BYTES } else { BULK_STEP_BYTES_UNPROVEN };
        let step = frame_bytes.min(step.max(2 * head.len()));
        let mut buffer = pool.take(step + PREFIX_BYTES);
        buffer.as_mut_vec().extend_from_slice(head);
        self.receive_rest(buffer, frame_bytes, ops);
    }

    /// Goes on receiving a frame into `buffer`, as far as the buffer's capacity and the frame go.
    fn receive_rest<M>(&mut self, buffer: PooledBuffer, frame_bytes: usize, ops: &mut Vec<Op<M>>) {
        self.receiving = Receiving::Bulk { frame_bytes };
        self.armed = false;
        if self.paused {
            self.held_back = Some(buffer);
        } else {
            self.emit_bulk(buffer, frame_bytes, ops);
        }
    }

    fn emit_bulk<M>(&self, mut buffer: PooledBuffer, frame_bytes: usize, ops: &mut Vec<Op<M>>) {
        let arrived = buffer.len();
        let room = buffer.as_mut_vec().capacity() - arrived;
        let missing = frame_bytes - arrived;
        let (bytes_min, bytes_max) = if missing > room {
            (room, room)
        } else {
            (missing, (missing + PREFIX_BYTES).min(room))
        };
        ops.push(Op::ReceiveInto { socket: self.socket, buffer, bytes_min, bytes_max });
    }

    fn rearm<M>(&mut self, ops: &mut Vec<Op<M>>) {
        self.armed = !self.paused;
        if self.armed {
            ops.push(Op::Receive { socket: self.socket });
        }
    }

    /// Stops taking requests in: nothing more is received, apart from what was under way.
    pub fn pause<M>(&mut self, ops: &mut Vec<Op<M>>) {
        if !self.paused {
            self.paused = true;
            if self.armed {
                self.armed = false;
                ops.push(Op::ReceiveStop { socket: self.socket });
            }
        }
    }

    /// Goes on after [`Self::pause`].
    pub fn resume<M>(&mut self, ops: &mut Vec<Op<M>>) {
        if !self.paused {
            return;
        }
        self.paused = false;
        match (&self.receiving, self.held_back.take()) {
            (Receiving::Bulk { frame_bytes }, Some(buffer)) => {
                self.emit_bulk(buffer, *frame_bytes, ops);
            }
            (Receiving::Bulk { .. }, None) => {}
            (Receiving::Pooled(_), _) => self.rearm(ops),
        }
    }

    /// The length that `data` starts with, if its four bytes are there.
    fn frame_length(&self, data: &[u8]) -> Result<Option<usize>, FrameError> {
        let Some(prefix) = data.first_chunk::<PREFIX_BYTES>() else {
            return Ok(None);
        };
        let claimed = i32::from_be_bytes(*prefix);
        let Ok(length) = usize::try_from(claimed) else {
            return Err(FrameError::Negative(claimed));
        };
        if length > self.frame_bytes_max {
            return Err(FrameError::TooLarge { length, length_max: self.frame_bytes_max });
        }
        Ok(Some(length))
    }

    /// Takes the next place in the order of replies.
    pub fn expect_reply(&mut self) -> ReplySlot {
        self.slots.push_back(Slot::Waiting);
        ReplySlot(self.first_slot + self.slots.len() as u64 - 1)
    }

    /// Puts a reply, prefix included, in its place. An empty one sends nothing and frees the place.
    pub fn reply(&mut self, slot: ReplySlot, chunks: Vec<Chunk>) {
        let index =
            slot.0.checked_sub(self.first_slot).and_then(|index| usize::try_from(index).ok());
        let place = index.and_then(|index| self.slots.get_mut(index));
        assert!(matches!(place, Some(Slot::Waiting)), "reply to {slot:?} which does not wait");
        if let Some(place) = place {
            self.ready_bytes += memory_bytes(&chunks);
            *place = Slot::Ready(chunks);
        }
    }

    /// Sends the longest ready prefix of replies, unless a send is under way. True if it sent.
    pub fn flush<M>(&mut self, pool: &BufferPool, ops: &mut Vec<Op<M>>) -> bool {
        if self.sending {
            return false;
        }
        let mut chunks = Vec::new();
        let mut replies = 0;
        while replies < SEND_REPLIES_MAX
            && let Some(Slot::Ready(ready)) = self.slots.front_mut()
        {
            chunks.append(ready);
            self.slots.pop_front();
            self.first_slot += 1;
            replies += 1;
        }
        if chunks.is_empty() {
            return false;
        }
        let bytes = memory_bytes(&chunks);
        self.ready_bytes -= bytes;
        self.sending_bytes = bytes;
        if chunks.len() > 1 {
            coalesce(&mut chunks, pool);
        }
        self.sending = true;
        ops.push(Op::Send { socket: self.socket, chunks });
        true
    }

    /// The send ended; more may go with [`Self::flush`].
    pub fn on_sent(&mut self) {
        assert!(self.sending, "a send ends that never began");
        self.sending = false;
        self.sending_bytes = 0;
    }
}

/// Bytes of a reply that lie in memory; ranges of files take none.
fn memory_bytes(chunks: &[Chunk]) -> usize {
    chunks.iter().filter(|chunk| matches!(chunk, Chunk::Bytes(_))).map(Chunk::len).sum()
}

/// Joins neighbouring chunks of bytes while they are small, so that a send has few pieces.
fn coalesce(chunks: &mut Vec<Chunk>, pool: &BufferPool) {
    let mut joined: Vec<Chunk> = Vec::with_capacity(chunks.len());
    let mut run: Vec<Bytes> = Vec::new();
    let mut run_bytes = 0;
    for chunk in chunks.drain(..) {
        match chunk {
            Chunk::Bytes(bytes) if bytes.len() <= COALESCE_BYTES_MAX - run_bytes => {
                run_bytes += bytes.len();
                run.push(bytes);
            }
            Chunk::Bytes(_) | Chunk::File { .. } => {
                close_run(&mut run, &mut run_bytes, pool, &mut joined);
                joined.push(chunk);
            }
        }
    }
    close_run(&mut run, &mut run_bytes, pool, &mut joined);
    *chunks = joined;
}

fn close_run(
    run: &mut Vec<Bytes>,
    run_bytes: &mut usize,
    pool: &BufferPool,
    joined: &mut Vec<Chunk>,
) {
    if run.len() == 1 {
        joined.extend(run.drain(..).map(Chunk::Bytes));
    } else if !run.is_empty() {
        let mut buffer = pool.take(*run_bytes);
        for bytes in run.drain(..) {
            buffer.as_mut_vec().extend_from_slice(&bytes);
        }
        joined.push(Chunk::Bytes(buffer.freeze()));
    }
    *run_bytes = 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOCKET: SocketId = SocketId { slot: 1, generation: 1 };

    fn frame(length: usize, fill: u8) -> Vec<u8> {
        let mut bytes = i32::try_from(length).unwrap().to_be_bytes().to_vec();
        bytes.extend(std::iter::repeat_n(fill, length));
        bytes
    }

    /// Plays the driver: `stream` arrives in pieces of `piece` bytes, pooled or bulk as asked.
    fn receive_all(stream: &[u8], piece: usize) -> Vec<Bytes> {
        let pool = BufferPool::new(1 << 24);
        let mut connection = Connection::new(SOCKET, 100 << 20);
        let mut ops: Vec<Op<()>> = Vec::new();
        let mut frames = Vec::new();
        let mut at = 0;
        connection.start(&mut ops);
        while at < stream.len() {
            match ops.pop() {
                Some(Op::ReceiveInto { mut buffer, bytes_min, bytes_max, .. }) => {
                    let target = buffer.len() + bytes_min;
                    let take = bytes_max.min(stream.len() - at);
                    assert!(take >= bytes_min, "the stream ends inside a frame");
                    buffer.as_mut_vec().extend_from_slice(&stream[at..at + take]);
                    at += take;
                    assert!(buffer.len() >= target);
                    connection.on_filled(buffer, &pool, &mut frames, &mut ops).unwrap();
                }
                _ => {
                    let end = stream.len().min(at + piece);
                    let data = Bytes::copy_from_slice(&stream[at..end]);
                    at = end;
                    connection.on_received(data, &pool, &mut frames, &mut ops).unwrap();
                }
            }
        }
        frames
    }

    #[test]
    fn frames_come_out_whole_and_in_order_however_the_bytes_are_cut() {
        let lengths = [0, 1, 3, 200, 70_000, 5, 17_000, 20_000, 9_000_000, 100_000, 100_000, 4];
        let stream: Vec<u8> =
            lengths.iter().zip(0..).flat_map(|(length, fill)| frame(*length, fill)).collect();
        for piece in [1, 2, 3, 5, 7, 100, 4096, 16_384, 65_536, 1 << 20, 20 << 20] {
            let frames = receive_all(&stream, piece);
            assert_eq!(frames.iter().map(Bytes::len).collect::<Vec<_>>(), lengths, "piece {piece}");
            for (frame, fill) in frames.iter().zip(0_u8..) {
                assert!(frame.iter().all(|byte| *byte == fill), "piece {piece}, frame {fill}");
            }
        }
    }

    #[test]
    fn a_frame_in_one_piece_is_not_copied() {
        let pool = BufferPool::new(1 << 20);
        let mut connection = Connection::new(SOCKET, 1 << 20);
        let mut frames = Vec::new();
        let data = Bytes::from(frame(100, 7));
        connection.on_received::<()>(data.clone(), &pool, &mut frames, &mut Vec::new()).unwrap();
        assert_eq!(frames[0].as_ptr(), data[PREFIX_BYTES..].as_ptr());
    }

    #[test]
    fn lengths_outside_the_bounds_are_refused_before_any_memory_is_taken() {
        let pool = BufferPool::new(1 << 20);
        for (prefix, expected) in [
            (-1, FrameError::Negative(-1)),
            (1001, FrameError::TooLarge { length: 1001, length_max: 1000 }),
        ] {
            let mut connection = Connection::new(SOCKET, 1000);
            let data = Bytes::copy_from_slice(&i32::to_be_bytes(prefix));
            let result =
                connection.on_received::<()>(data, &pool, &mut Vec::new(), &mut Vec::new());
            assert_eq!(result, Err(expected));
        }
    }

    #[test]
    fn a_claimed_length_reserves_little_however_its_bytes_are_cut() {
        for pieces in [&[4][..], &[1, 3], &[3, 1], &[2, 10], &[20]] {
            let pool = BufferPool::new(1 << 20);
            let mut connection = Connection::new(SOCKET, 100 << 20);
            let mut ops: Vec<Op<()>> = Vec::new();
            let mut claim = i32::to_be_bytes(100 << 20).to_vec();
            claim.resize(20, 0);
            for piece in pieces {
                let data = Bytes::from(claim.drain(..*piece).collect::<Vec<u8>>());
                connection.on_received(data, &pool, &mut Vec::new(), &mut ops).unwrap();
            }
            let Some(Op::ReceiveInto { mut buffer, .. }) = ops.pop() else {
                panic!("no bulk receive after {pieces:?}")
            };
            let capacity = buffer.as_mut_vec().capacity();
            assert_eq!(capacity, BULK_STEP_BYTES_UNPROVEN + PREFIX_BYTES, "after {pieces:?}");
        }
    }

    fn text(text: &'static str) -> Vec<Chunk> {
        vec![Chunk::Bytes(Bytes::from_static(text.as_bytes()))]
    }

    fn sent(ops: &mut Vec<Op<()>>) -> Vec<u8> {
        match ops.pop() {
            Some(Op::Send { chunks, .. }) => chunks
                .iter()
                .flat_map(|chunk| match chunk {
                    Chunk::Bytes(bytes) => bytes.to_vec(),
                    Chunk::File { .. } => Vec::new(),
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn replies_leave_in_request_order_and_the_ready_prefix_leaves_in_one_send() {
        let pool = BufferPool::new(1 << 20);
        let mut connection = Connection::new(SOCKET, 1000);
        let mut ops: Vec<Op<()>> = Vec::new();
        let slots: Vec<_> = (0..4).map(|_| connection.expect_reply()).collect();
        connection.reply(slots[1], text("b"));
        assert!(!connection.flush(&pool, &mut ops), "the first is still waiting");
        connection.reply(slots[0], text("a"));
        assert!(connection.flush(&pool, &mut ops));
        assert_eq!(sent(&mut ops), b"ab");
        connection.reply(slots[2], text("c"));
        assert!(!connection.flush(&pool, &mut ops), "a send is under way");
        connection.on_sent();
        connection.reply(slots[3], Vec::new());
        assert!(connection.flush(&pool, &mut ops));
        assert_eq!(sent(&mut ops), b"c");
        assert_eq!(connection.in_flight(), 0);
    }

    #[test]
    fn a_paused_connection_asks_for_nothing_until_it_is_resumed() {
        let pool = BufferPool::new(1 << 24);
        let mut connection = Connection::new(SOCKET, 1 << 20);
        let mut ops: Vec<Op<()>> = Vec::new();
        connection.start(&mut ops);
        connection.pause(&mut ops);
        assert!(matches!(ops.pop(), Some(Op::ReceiveStop { .. })));
        // Bytes that were on their way start a bulk frame: held back.
        ops.clear();
        let head = Bytes::copy_from_slice(&frame(100_000, 1)[..1000]);
        connection.on_received(head, &pool, &mut Vec::new(), &mut ops).unwrap();
        assert!(ops.is_empty());
        connection.resume(&mut ops);
        assert!(matches!(ops.pop(), Some(Op::ReceiveInto { bytes_min: 99_004, .. })));
    }
}
