//! Fetch requests over data that the generator itself produced, so that offsets are known.

use std::io::{self, IoSlice, Read as _};
use std::net::TcpStream;
use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result, bail, ensure};
use clap::ValueEnum;
use millrace_net::header::request_frame;
use millrace_net::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use millrace_uring::sys::{self, More};

use super::Plan;
use super::produce::field_i32;

/// What becomes of fetched bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Consume {
    /// The kernel drops them: the cheapest consumer there is.
    Discard,
    /// They are copied out of the socket, as a real consumer does.
    Copy,
}

/// What is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchShape {
    /// Where from.
    pub topic: String,
    /// Its partitions; connection `n` reads partition `n` modulo this.
    pub partitions: i32,
    /// Bytes one request asks for; a multiple of the batches' length.
    pub fetch_bytes: u32,
    /// Length of each batch in the log.
    pub batch_bytes: u32,
    /// Records in each batch.
    pub batch_records: i32,
    /// Batches in each partition.
    pub batches: u32,
    /// What becomes of the bytes.
    pub consume: Consume,
}

/// The last version that names topics instead of using ids.
const VERSION: i16 = 12;
/// A marker offset, looked for in the built request to find where offsets go.
const OFFSET_MARK: i64 = 0x7a5a_5a5a_5a5a_5a5a;
/// What stands in an answer before the topic's name: length, correlation id, tags, throttle time,
/// error, session, topic count, the name's length.
const NAME_AT: usize = 4 + 4 + 1 + 4 + 2 + 4 + 1 + 1;
/// Behind the name: partition count, index; then the error code.
const ERROR_BEHIND_NAME: usize = 1 + 4;
/// Behind the error code: three offsets, aborted transactions, preferred replica; then the records'
/// length.
const LENGTH_BEHIND_ERROR: usize = 2 + 8 + 8 + 8 + 1 + 4;
/// The least that follows: the length of no records and three tag sections.
const TAIL_BYTES: usize = 4;

/// Fetches in a circle over what is there.
#[derive(Debug)]
pub struct FetchPlan {
    shape: FetchShape,
    scratch: Vec<u8>,
    head_bytes: usize,
    record_bytes: u64,
}

/// One connection's request and what it has received of the answer.
#[derive(Debug)]
pub struct FetchConnection {
    request: Vec<u8>,
    offset_at: usize,
    batch: u32,
    /// Bytes of the request that are still to be sent; requests queued behind it.
    unsent: usize,
    queued: usize,
    head: Vec<u8>,
    /// Bytes of the answer behind its head that are still to come.
    rest: usize,
}

impl FetchPlan {
    /// Checks the shape.
    pub fn new(shape: FetchShape) -> Result<Self> {
        ensure!(shape.fetch_bytes.is_multiple_of(shape.batch_bytes), "a fetch holds whole batches");
        ensure!(shape.batches * shape.batch_bytes >= shape.fetch_bytes, "less data than a fetch");
        let error_at = NAME_AT + shape.topic.len() + ERROR_BEHIND_NAME;
        let head_bytes = error_at + LENGTH_BEHIND_ERROR + TAIL_BYTES;
        Ok(Self { shape, scratch: vec![0; 256 * 1024], head_bytes, record_bytes: 0 })
    }

    fn request(&self, partition: i32) -> Vec<u8> {
        let bytes = i32::try_from(self.shape.fetch_bytes).unwrap_or(i32::MAX);
        let request = FetchRequest {
            replica_id: -1,
            max_wait_ms: 500,
            min_bytes: 1,
            max_bytes: bytes,
            session_id: 0,
            session_epoch: -1,
            topics: vec![FetchTopic {
                topic: self.shape.topic.clone(),
                partitions: vec![FetchPartition {
                    partition,
                    current_leader_epoch: -1,
                    fetch_offset: OFFSET_MARK,
                    last_fetched_epoch: -1,
                    log_start_offset: -1,
                    partition_max_bytes: bytes,
                    ..FetchPartition::default()
                }],
                ..FetchTopic::default()
            }],
            ..FetchRequest::default()
        };
        request_frame(&request, VERSION, 1, Some("bench"))
    }

    /// Reads the head of an answer: how much follows, and how many batches it brings.
    fn on_head(&mut self, connection: &mut FetchConnection) -> Result<()> {
        let head = &connection.head;
        let frame_bytes = 4 + usize::try_from(field_i32(head, 0)?).context("length")?;
        let error_at = NAME_AT + self.shape.topic.len() + ERROR_BEHIND_NAME;
        let code = &head[error_at..error_at + 2];
        ensure!(code == [0, 0], "the server answers with error code {}", i16::from(code[1]));
        let mut records = millrace_wire::Reader::new(&head[error_at + LENGTH_BEHIND_ERROR..]);
        let records = records.uvarint()?.saturating_sub(1);
        ensure!(
            records.is_multiple_of(self.shape.batch_bytes),
            "{records} bytes are no whole batches"
        );
        connection.rest = frame_bytes.checked_sub(self.head_bytes).context("a short answer")?;
        let batches = records / self.shape.batch_bytes;
        // At the end of the log, or with a rest too short for a full answer: from the front again.
        connection.batch += batches;
        let per_fetch = self.shape.fetch_bytes / self.shape.batch_bytes;
        if batches == 0 || connection.batch + per_fetch > self.shape.batches {
            connection.batch = 0;
        }
        self.record_bytes += u64::from(records);
        Ok(())
    }
}

impl Plan for FetchPlan {
    type Connection = FetchConnection;

    fn connect(&self, index: usize) -> FetchConnection {
        let partitions = usize::try_from(self.shape.partitions).unwrap_or(1).max(1);
        let partition = i32::try_from(index % partitions).unwrap_or(0);
        let request = self.request(partition);
        let mark = OFFSET_MARK.to_be_bytes();
        let offset_at =
            request.windows(8).position(|bytes| bytes == mark).expect("the request holds its mark");
        FetchConnection {
            request,
            offset_at,
            batch: 0,
            unsent: 0,
            queued: 0,
            head: Vec::with_capacity(self.head_bytes),
            rest: 0,
        }
    }

    fn queue(&mut self, connection: &mut FetchConnection) {
        connection.queued += 1;
    }

    fn send(&mut self, c: &mut FetchConnection, stream: &TcpStream) -> io::Result<bool> {
        loop {
            if c.unsent == 0 {
                if c.queued == 0 {
                    return Ok(true);
                }
                c.queued -= 1;
                let offset = i64::from(c.batch) * i64::from(self.shape.batch_records);
                c.request[c.offset_at..c.offset_at + 8].copy_from_slice(&offset.to_be_bytes());
                c.unsent = c.request.len();
            }
            let part = IoSlice::new(&c.request[c.request.len() - c.unsent..]);
            match sys::send_vectored(stream.as_fd(), &[part], More::Last) {
                Ok(count) => c.unsent -= count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    fn receive(
        &mut self,
        c: &mut FetchConnection,
        mut stream: &TcpStream,
    ) -> Result<Option<usize>> {
        let received = if c.rest == 0 {
            let (have, want) = (c.head.len(), self.head_bytes);
            c.head.resize(want, 0);
            let received = stream.read(&mut c.head[have..]);
            c.head.truncate(have + received.as_ref().copied().unwrap_or(0));
            received
        } else if self.shape.consume == Consume::Discard {
            sys::receive_discard(stream.as_fd(), c.rest)
        } else {
            let length = c.rest.min(self.scratch.len());
            stream.read(&mut self.scratch[..length])
        };
        let count = match received {
            Ok(0) => bail!("the server closed a connection"),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if c.rest > 0 {
            c.rest -= count;
        } else if c.head.len() == self.head_bytes {
            self.on_head(c)?;
        } else {
            return Ok(Some(0));
        }
        if c.rest > 0 {
            return Ok(Some(0));
        }
        c.head.clear();
        Ok(Some(1))
    }

    fn record_bytes(&self) -> u64 {
        self.record_bytes
    }
}
