//! Produce requests, built once and sent round and round.

use std::fs::File;
use std::io::{self, IoSlice, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use millrace_net::header::request_frame;
use millrace_net::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use millrace_uring::sys::{self, More};

use super::Plan;
use super::batch::{BatchShape, build_batch};

/// What is produced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProduceShape {
    /// Where to.
    pub topic: String,
    /// Its partitions, used in turn.
    pub partitions: i32,
    /// Each request holds one batch of this shape.
    pub batch: BatchShape,
    /// 1 or -1.
    pub acks: i16,
}

/// The last version that names topics instead of using ids, so that baselines and brokers get the
/// same bytes.
const VERSION: i16 = 12;
/// All frames together, about; enough that they do not sit in the second-level cache.
const BLOB_BYTES: usize = 16 << 20;
/// The most different frames.
const FRAMES_MAX: usize = 1024;
/// Frames from here on are pushed from a memory file.
const SENDFILE_BYTES: usize = 32 * 1024;
/// What stands in an answer before the topic's name: length, correlation id, tags, topic count and
/// the name's length.
const NAME_AT: usize = 4 + 4 + 1 + 1 + 1;

/// Frames in one piece of memory, sent one after the other, again and again.
#[derive(Debug)]
pub struct ProducePlan {
    blob: Vec<u8>,
    /// The same bytes as a memory file, if frames are large.
    file: Option<File>,
    /// End of each frame in the blob.
    ends: Vec<usize>,
    batch_bytes: usize,
    /// Where an answer holds its error code.
    error_at: usize,
    answered: u64,
}

/// One connection's place in the blob, and what it has received of an answer.
#[derive(Debug)]
pub struct ProduceConnection {
    /// The frame that is queued next.
    next: usize,
    /// Frames queued and not sent whole.
    queued: usize,
    /// Bytes of the blob up to which was sent.
    sent: usize,
    /// The frame whose answer is due.
    due: usize,
    input: Vec<u8>,
    filled: usize,
}

impl ProducePlan {
    /// Builds the frames.
    pub fn new(shape: &ProduceShape) -> Result<Self> {
        let mut blob = Vec::new();
        let mut ends = Vec::new();
        let partitions = usize::try_from(shape.partitions).context("partitions")?.max(1);
        let mut batch_bytes = 0;
        let mut index = 0_i32;
        // Whole rounds of all partitions, so that going round keeps the order.
        while ends.len() < FRAMES_MAX && blob.len() < BLOB_BYTES || ends.len() % partitions != 0 {
            let (batch, _) = build_batch(shape.batch, 0x9e37_79b9 * (index as u64 + 1));
            batch_bytes = batch.len();
            let request = ProduceRequest {
                transactional_id: None,
                acks: shape.acks,
                timeout_ms: 30_000,
                topic_data: vec![TopicProduceData {
                    name: shape.topic.clone(),
                    partition_data: vec![PartitionProduceData {
                        index: index % shape.partitions.max(1),
                        records: Some(Bytes::from(batch)),
                    }],
                    ..TopicProduceData::default()
                }],
            };
            blob.extend_from_slice(&request_frame(&request, VERSION, index, Some("bench")));
            ends.push(blob.len());
            index += 1;
        }
        let file = if batch_bytes >= SENDFILE_BYTES { Some(memory_file(&blob)?) } else { None };
        // Behind the name: the partition count and the partition's index.
        let error_at = NAME_AT + shape.topic.len() + 1 + 4;
        Ok(Self { blob, file, ends, batch_bytes, error_at, answered: 0 })
    }

    /// Bytes of one batch.
    pub const fn batch_bytes(&self) -> usize {
        self.batch_bytes
    }

    /// Changes the last byte of every record batch, so that its CRC is wrong. For tests.
    pub fn damage(&mut self) {
        for end in &self.ends {
            // The last bytes are the tags of partition, topic and request; before them, a record.
            self.blob[end - 6] ^= 1;
        }
        self.file = None;
    }

    fn check(&self, connection: &ProduceConnection, answer: &[u8]) -> Result<()> {
        let correlation_id = field_i32(answer, 4)?;
        let due = i32::try_from(connection.due).context("frames")?;
        ensure!(correlation_id == due, "answer to {correlation_id}, {due} is due");
        let code = answer.get(self.error_at..self.error_at + 2).context("a short answer")?;
        ensure!(code == [0, 0], "the server answers with error code {}", i16::from(code[1]));
        Ok(())
    }
}

/// A file without a name in memory.
fn memory_file(bytes: &[u8]) -> Result<File> {
    let mut file = tempfile::tempfile_in("/dev/shm").or_else(|_| tempfile::tempfile())?;
    file.write_all(bytes)?;
    Ok(file)
}

/// A big-endian integer at a fixed place.
pub(super) fn field_i32(frame: &[u8], at: usize) -> Result<i32> {
    let bytes = frame.get(at..at + 4).and_then(|bytes| bytes.first_chunk());
    Ok(i32::from_be_bytes(*bytes.context("a short answer")?))
}

impl Plan for ProducePlan {
    type Connection = ProduceConnection;

    fn connect(&self, index: usize) -> ProduceConnection {
        // Connections start at different frames, so that they do not all meet at one partition.
        let first = index % self.ends.len();
        let sent = if first == 0 { 0 } else { self.ends[first - 1] };
        let input = vec![0; 64 * 1024];
        ProduceConnection { next: first, queued: 0, sent, due: first, input, filled: 0 }
    }

    fn queue(&mut self, connection: &mut ProduceConnection) {
        connection.next = (connection.next + 1) % self.ends.len();
        connection.queued += 1;
    }

    fn send(&mut self, c: &mut ProduceConnection, stream: &TcpStream) -> io::Result<bool> {
        while c.queued > 0 {
            // Up to where the queued frames lie in one piece.
            let in_piece = if c.next == 0 { self.ends.len() } else { c.next }.min(self.ends.len());
            let first = (c.next + self.ends.len() - c.queued % self.ends.len()) % self.ends.len();
            let end = if in_piece > first { self.ends[in_piece - 1] } else { self.blob.len() };
            let length = end - c.sent;
            let sent = match &self.file {
                Some(file) => sys::sendfile(stream.as_fd(), file.as_fd(), c.sent as u64, length),
                None => {
                    let part = IoSlice::new(&self.blob[c.sent..end]);
                    sys::send_vectored(stream.as_fd(), &[part], More::Last)
                }
            };
            match sent {
                Ok(count) => c.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
            let mut at = first;
            while c.queued > 0 && c.sent >= self.ends[at] {
                c.queued -= 1;
                at += 1;
                if at == self.ends.len() {
                    c.sent = 0;
                    break;
                }
            }
        }
        Ok(true)
    }

    fn receive(&mut self, c: &mut ProduceConnection, stream: &TcpStream) -> Result<Option<usize>> {
        match (&*stream).read(&mut c.input[c.filled..]) {
            Ok(0) => bail!("the server closed a connection"),
            Ok(count) => c.filled += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let (mut start, mut answers) = (0, 0);
        while c.filled - start >= 4 {
            let bytes = 4 + usize::try_from(field_i32(&c.input, start)?).context("length")?;
            ensure!(bytes <= c.input.len(), "an answer of {bytes} bytes");
            if c.filled - start < bytes {
                break;
            }
            self.check(c, &c.input[start..start + bytes])?;
            c.due = (c.due + 1) % self.ends.len();
            start += bytes;
            answers += 1;
        }
        c.input.copy_within(start..c.filled, 0);
        c.filled -= start;
        self.answered += answers as u64;
        Ok(Some(answers))
    }

    fn record_bytes(&self) -> u64 {
        self.answered * self.batch_bytes as u64
    }
}
