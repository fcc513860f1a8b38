//! `source`: a canned Fetch header, then cached file bytes by `sendfile`.

use std::collections::BTreeMap;
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
use millrace_uring::sys::{self, More, Poller};
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
/// What one write of it holds while the file is made: that decides how large the page cache's
/// pieces are, and a log is written batch by batch.
const CHUNK_BYTES: usize = 64 << 10;
/// Connections start so far apart in the file, as if each read a partition of its own.
const APART_BYTES: u64 = FILE_BYTES / 4;

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

/// One connection: its requests, and what is still to be sent of an answer.
struct Feed {
    stream: TcpStream,
    inbox: Inbox,
    envelope: Option<Envelope>,
    /// Where in the file the next answer begins.
    next: u64,
    /// File position and bytes that are left of the answer under way.
    under_way: Option<(u64, usize)>,
}

/// Whether all of an answer went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    All,
    /// The socket is full.
    Part,
}

impl Feed {
    fn new(stream: TcpStream, number: u64) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let next = number * APART_BYTES % FILE_BYTES;
        Ok(Self { stream, inbox: Inbox::new(), envelope: None, next, under_way: None })
    }

    /// Begins the answer to the next whole request, if there is one.
    fn begin(&mut self, fetch_bytes: u32) -> Result<bool> {
        let Some(frame) = self.inbox.take()? else {
            self.inbox.compact();
            return Ok(false);
        };
        let frame = &self.inbox.bytes()[frame];
        let envelope = match &mut self.envelope {
            Some(made) => made,
            none => none.insert(envelope(frame, fetch_bytes)?),
        };
        envelope.head[RESPONSE_CORRELATION].copy_from_slice(&frame[8..12]);
        let head = [IoSlice::new(&envelope.head)];
        let sent = sys::send_vectored(self.stream.as_fd(), &head, More::Follows)?;
        ensure!(sent == envelope.head.len(), "{sent} bytes of the head");
        if self.next + u64::from(fetch_bytes) > FILE_BYTES {
            self.next = 0;
        }
        self.under_way = Some((self.next, fetch_bytes as usize));
        self.next += u64::from(fetch_bytes);
        Ok(true)
    }

    /// Sends on until the answer is out or, if the socket does not block, full.
    fn send(&mut self, file: &File) -> Result<Sent> {
        let Some((mut position, mut left)) = self.under_way else { return Ok(Sent::All) };
        while left > 0 {
            match sys::sendfile(self.stream.as_fd(), file.as_fd(), position, left) {
                Ok(count) => {
                    ensure!(count > 0, "the file ends at {position}");
                    position += count as u64;
                    left -= count;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.under_way = Some((position, left));
                    return Ok(Sent::Part);
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.under_way = None;
        let tail = self.envelope.as_ref().map_or(&[][..], |envelope| &envelope.tail);
        (&self.stream).write_all(tail)?;
        Ok(Sent::All)
    }
}

/// One thread a connection, blocking sends.
pub(super) fn run_threads(listener: &TcpListener, options: &SourceOptions) -> Result<()> {
    let file = cached_file(&options.dir)?;
    std::thread::scope(|scope| {
        for number in 0.. {
            let (stream, _) = listener.accept()?;
            let (file, bytes) = (&file, options.fetch_bytes);
            scope.spawn(move || -> Result<()> {
                let mut feed = Feed::new(stream, number)?;
                while feed.inbox.receive(&feed.stream)? {
                    while feed.begin(bytes)? {
                        feed.send(file)?;
                    }
                }
                Ok(())
            });
        }
        Ok(())
    })
}

/// One thread, epoll, sends that do not wait.
pub(super) fn run_epoll(listener: &TcpListener, options: &SourceOptions) -> Result<()> {
    let file = cached_file(&options.dir)?;
    let mut poller = Poller::new(256)?;
    listener.set_nonblocking(true)?;
    poller.add(listener.as_fd(), 0)?;
    let mut feeds: BTreeMap<u64, Feed> = BTreeMap::new();
    let mut ready = Vec::new();
    let mut last = 0;
    loop {
        ready.clear();
        ready.extend(poller.wait(None)?);
        for event in &ready {
            if event.data == 0 {
                if let Ok((stream, _)) = listener.accept() {
                    stream.set_nonblocking(true)?;
                    last += 1;
                    poller.add(stream.as_fd(), last)?;
                    feeds.insert(last, Feed::new(stream, last)?);
                }
                continue;
            }
            let Some(feed) = feeds.get_mut(&event.data) else { continue };
            // Whoever breaks off is forgotten.
            if !on_event(feed, &file, options.fetch_bytes, (&poller, event.data)).unwrap_or(false) {
                feeds.remove(&event.data);
            }
        }
    }
}

/// Serves one connection as far as it goes. `false` when the peer left.
fn on_event(
    feed: &mut Feed,
    file: &File,
    fetch_bytes: u32,
    (poller, number): (&Poller, u64),
) -> Result<bool> {
    let waited = feed.under_way.is_some();
    if !waited && !feed.inbox.receive(&feed.stream)? {
        return Ok(false);
    }
    let mut sent = feed.send(file)?;
    while sent == Sent::All && feed.begin(fetch_bytes)? {
        sent = feed.send(file)?;
    }
    let waits = sent == Sent::Part;
    if waits != waited {
        poller.remove(feed.stream.as_fd())?;
        if waits {
            poller.add_both(feed.stream.as_fd(), number)?;
        } else {
            poller.add(feed.stream.as_fd(), number)?;
        }
    }
    Ok(true)
}
