//! `source`: a canned Fetch header, then cached file bytes by `sendfile`.

use std::fs::File;
use std::io::{self, IoSlice, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use millrace_net::ApiKey;
use millrace_net::header::{RequestHeader, response_frame};
use millrace_net::messages::fetch::{
    FetchRequest, FetchResponse, FetchableTopicResponse, PartitionData,
};
use millrace_uring::sys::{self, More};
use millrace_wire::Reader;

use super::Options;
use super::frames::Inbox;

/// What a `source` serves.
#[derive(Clone, Debug)]
pub struct SourceOptions {
    /// The folder of its file.
    pub dir: std::path::PathBuf,
    /// Record bytes of one answer.
    pub fetch_bytes: u32,
}

impl SourceOptions {
    pub(super) fn of(options: &Options) -> Self {
        Self { dir: options.dir.clone(), fetch_bytes: options.fetch_bytes }
    }
}

/// Length of the file whose bytes go out, all of it in the page cache.
const FILE_BYTES: u64 = 256 << 20;
/// What one write of it holds while the file is made.
const CHUNK_BYTES: usize = 1 << 20;

fn cached_file(dir: &Path) -> io::Result<File> {
    std::fs::create_dir_all(dir)?;
    let path = dir.join("source.log");
    let mut file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
    let chunk = vec![0x5a; CHUNK_BYTES];
    for _ in 0..FILE_BYTES / CHUNK_BYTES as u64 {
        file.write_all(&chunk)?;
    }
    Ok(file)
}

/// What stands before and behind the records of an answer.
struct Envelope {
    head: Vec<u8>,
    tail: Vec<u8>,
}

/// Where the correlation id stands in a response.
const RESPONSE_CORRELATION: std::ops::Range<usize> = 4..8;

fn envelope(frame: &[u8], fetch_bytes: u32) -> Result<Envelope> {
    let mut reader = Reader::new(&frame[4..]);
    let header = RequestHeader::decode(&mut reader).context("not a request")?;
    ensure!(header.key == ApiKey::Fetch, "a source serves Fetch, not {:?}", header.key);
    let request = FetchRequest::decode(&mut reader, header.version)?;
    let topic = request.topics.first().context("a fetch of no topic")?;
    let partition = topic.partitions.first().context("a fetch of no partition")?;
    // Never zero, so that it can be told from the fields around it.
    let records = Bytes::from(vec![0xa5; fetch_bytes as usize]);
    let data = PartitionData {
        partition_index: partition.partition,
        high_watermark: i64::MAX,
        records: Some(records),
        ..PartitionData::default()
    };
    let response = FetchResponse {
        responses: vec![FetchableTopicResponse {
            topic: topic.topic.clone(),
            topic_id: topic.topic_id,
            partitions: vec![data],
        }],
        ..FetchResponse::default()
    };
    let whole = response_frame(&response, header.version, 0);
    let end = whole.iter().rposition(|byte| *byte == 0xa5).context("records")? + 1;
    let head = whole[..end - fetch_bytes as usize].to_vec();
    Ok(Envelope { head, tail: whole[end..].to_vec() })
}

/// One thread a connection, blocking sends: the least there is.
pub(super) fn run(listener: &TcpListener, options: &SourceOptions) -> Result<()> {
    sys::ignore_broken_pipes();
    let file = cached_file(&options.dir)?;
    std::thread::scope(|scope| {
        loop {
            let (stream, _) = listener.accept()?;
            let (file, bytes) = (&file, options.fetch_bytes);
            scope.spawn(move || serve(&stream, file, bytes));
        }
    })
}

fn serve(stream: &TcpStream, file: &File, fetch_bytes: u32) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut inbox = Inbox::new();
    let mut envelope_made: Option<Envelope> = None;
    let mut position = 0;
    while inbox.receive(stream)? {
        while let Some(frame) = inbox.take()? {
            let frame = &inbox.bytes()[frame];
            let envelope = match &mut envelope_made {
                Some(made) => made,
                none => none.insert(envelope(frame, fetch_bytes)?),
            };
            envelope.head[RESPONSE_CORRELATION].copy_from_slice(&frame[8..12]);
            if position + u64::from(fetch_bytes) > FILE_BYTES {
                position = 0;
            }
            send(stream, file, position, fetch_bytes, envelope)?;
            position += u64::from(fetch_bytes);
        }
        inbox.compact();
    }
    Ok(())
}

fn send(stream: &TcpStream, file: &File, at: u64, bytes: u32, parts: &Envelope) -> Result<()> {
    let sent = sys::send_vectored(stream.as_fd(), &[IoSlice::new(&parts.head)], More::Follows)?;
    ensure!(sent == parts.head.len(), "{sent} bytes of a head of {}", parts.head.len());
    let (mut position, mut left) = (at, bytes as usize);
    while left > 0 {
        let count = sys::sendfile(stream.as_fd(), file.as_fd(), position, left)?;
        ensure!(count > 0, "the file ends at {position}");
        position += count as u64;
        left -= count;
    }
    (&*stream).write_all(&parts.tail)?;
    Ok(())
}
