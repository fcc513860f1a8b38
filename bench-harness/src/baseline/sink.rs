//! `sink`, `crcsink`, `sink-co` and `echo`.

use std::collections::BTreeMap;
use std::io::{self, IoSlice, Write as _};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::os::fd::AsFd as _;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use millrace_net::ApiKey;
use millrace_net::header::{RequestHeader, response_frame};
use millrace_net::messages::produce::{
    PartitionProduceResponse, ProduceResponse, TopicProduceResponse,
};
use millrace_net::produce::ProduceRequestView;
use millrace_uring::sys::Poller;
use millrace_wire::Reader;

use super::frames::Inbox;
use super::store::Store;
use super::{Kind, Options};

/// Where the correlation id stands in a request, after length, key and version.
const REQUEST_CORRELATION: Range<usize> = 8..12;
/// Where it stands in a response, after the length.
const RESPONSE_CORRELATION: Range<usize> = 4..8;
/// The field of a batch that holds its CRC, and what it covers.
const BATCH_CRC: Range<usize> = 17..21;
const BATCH_BYTES_MIN: usize = 61;

/// The response to one connection's requests: made once, then only its correlation id changes.
#[derive(Debug, Default)]
struct Canned(Vec<u8>);

impl Canned {
    fn answer_to(&mut self, frame: &[u8]) -> Result<&[u8]> {
        ensure!(frame.len() >= REQUEST_CORRELATION.end, "a request of {} bytes", frame.len());
        if self.0.is_empty() {
            self.0 = canned_response(&frame[4..])?;
        }
        self.0[RESPONSE_CORRELATION].copy_from_slice(&frame[REQUEST_CORRELATION]);
        Ok(&self.0)
    }
}

struct Peer {
    stream: TcpStream,
    inbox: Inbox,
    canned: Canned,
}

impl Peer {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, inbox: Inbox::new(), canned: Canned::default() })
    }
}

/// The response to a Produce request for one partition.
fn canned_response(request: &[u8]) -> Result<Vec<u8>> {
    let mut reader = Reader::new(request);
    let header = RequestHeader::decode(&mut reader).context("not a request")?;
    ensure!(header.key == ApiKey::Produce, "a sink serves Produce, not {:?}", header.key);
    let view = ProduceRequestView::decode(&mut reader, header.version)?;
    let responses = view.topics().map(|topic| TopicProduceResponse {
        name: topic.name.to_owned(),
        topic_id: topic.topic_id,
        partition_responses: topic
            .partitions()
            .map(|partition| PartitionProduceResponse {
                index: partition.index,
                ..PartitionProduceResponse::default()
            })
            .collect(),
    });
    let response = ProduceResponse { responses: responses.collect(), ..ProduceResponse::default() };
    Ok(response_frame(&response, header.version, header.correlation_id))
}

/// Checks the CRC-32C of every batch in a Produce request, as a broker has to.
fn check_batches(frame: &[u8]) -> Result<()> {
    let mut reader = Reader::new(frame);
    reader.i32()?;
    let header = RequestHeader::decode(&mut reader)?;
    let view = ProduceRequestView::decode(&mut reader, header.version)?;
    for topic in view.topics() {
        for partition in topic.partitions() {
            let batch = &frame[partition.records.context("no records")?];
            ensure!(batch.len() >= BATCH_BYTES_MIN, "a batch of {} bytes", batch.len());
            let told = u32::from_be_bytes(*batch[BATCH_CRC].first_chunk().context("CRC")?);
            let found =
                crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &batch[BATCH_CRC.end..]);
            ensure!(u64::from(told) == found, "CRC-32C {found:#x}, the batch says {told:#x}");
        }
    }
    Ok(())
}

/// Receives once and serves the whole frames, each by itself. `false` when the peer left.
fn serve(
    peer: &mut Peer,
    kind: Kind,
    mut append: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<bool> {
    if !peer.inbox.receive(&peer.stream)? {
        return Ok(false);
    }
    while let Some(frame) = peer.inbox.take()? {
        let frame = &peer.inbox.bytes()[frame];
        if kind == Kind::Echo {
            (&peer.stream).write_all(frame)?;
            continue;
        }
        if kind == Kind::Crcsink {
            check_batches(frame)?;
        }
        append(frame)?;
        (&peer.stream).write_all(peer.canned.answer_to(frame)?)?;
    }
    peer.inbox.compact();
    Ok(true)
}

/// One thread a connection. They share the file, as connections share a broker's partition.
pub(super) fn run_threads(listener: &TcpListener, options: &Options) -> Result<()> {
    let store = Mutex::new(Store::open(&options.dir, options.files)?);
    std::thread::scope(|scope| {
        loop {
            let (stream, _) = listener.accept()?;
            let store = &store;
            scope.spawn(move || -> Result<()> {
                let mut peer = Peer::new(stream)?;
                let append = |frame: &[u8]| {
                    store.lock().unwrap_or_else(PoisonError::into_inner).append(frame)
                };
                while serve(&mut peer, options.kind, append)? {}
                Ok(())
            });
        }
    })
}

/// The peers of an epoll loop, by the number their events carry.
struct Peers<'a> {
    listener: &'a TcpListener,
    poller: Poller,
    by_number: BTreeMap<u64, Peer>,
    last: u64,
}

/// The number of the listener's events.
const LISTENER: u64 = 0;
/// Peers that one wait returns at most.
const EVENTS_MAX: usize = 256;

impl<'a> Peers<'a> {
    fn new(listener: &'a TcpListener) -> io::Result<Self> {
        let poller = Poller::new(EVENTS_MAX)?;
        listener.set_nonblocking(true)?;
        poller.add(listener.as_fd(), LISTENER)?;
        Ok(Self { listener, poller, by_number: BTreeMap::new(), last: LISTENER })
    }

    /// Waits, accepts who came, and puts into `ready` who sent something.
    fn wait(&mut self, ready: &mut Vec<u64>) -> io::Result<()> {
        ready.clear();
        ready.extend(self.poller.wait(None)?.map(|event| event.data));
        if !ready.contains(&LISTENER) {
            return Ok(());
        }
        ready.retain(|peer| *peer != LISTENER);
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    self.last += 1;
                    self.poller.add(stream.as_fd(), self.last)?;
                    self.by_number.insert(self.last, Peer::new(stream)?);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

/// One thread, each frame served by itself.
pub(super) fn run_epoll(listener: &TcpListener, options: &Options) -> Result<()> {
    let mut store = Store::open(&options.dir, options.files)?;
    let mut all = Peers::new(listener)?;
    let mut ready = Vec::new();
    loop {
        all.wait(&mut ready)?;
        for number in &ready {
            let Some(peer) = all.by_number.get_mut(number) else { continue };
            // Whoever breaks off is forgotten; the generator notices if it did not mean to.
            let stays = serve(peer, options.kind, |frame| store.append(frame)).unwrap_or(false);
            if !stays {
                all.by_number.remove(number);
            }
        }
    }
}

/// One thread; all frames of a turn go down as one write, all answers of a connection as one send.
pub(super) fn run_coalesced(listener: &TcpListener, options: &Options) -> Result<()> {
    let mut store = Store::open(&options.dir, options.files)?;
    let mut all = Peers::new(listener)?;
    let mut ready = Vec::new();
    let mut frames: Vec<(u64, Range<usize>)> = Vec::new();
    let mut answers = Vec::new();
    loop {
        all.wait(&mut ready)?;
        frames.clear();
        for number in &ready {
            let Some(peer) = all.by_number.get_mut(number) else { continue };
            if !peer.inbox.receive(&peer.stream).unwrap_or(false) {
                all.by_number.remove(number);
                continue;
            }
            while let Some(frame) = peer.inbox.take()? {
                frames.push((*number, frame));
            }
        }
        let mut parts: Vec<IoSlice<'_>> = Vec::with_capacity(frames.len());
        for (number, frame) in &frames {
            if let Some(peer) = all.by_number.get(number) {
                parts.push(IoSlice::new(&peer.inbox.bytes()[frame.clone()]));
            }
        }
        store.append_all(&mut parts)?;
        for of_one in frames.chunk_by(|a, b| a.0 == b.0) {
            let Some(peer) = all.by_number.get_mut(&of_one[0].0) else { continue };
            answers.clear();
            for (_, frame) in of_one {
                let frame = &peer.inbox.bytes()[frame.clone()];
                answers.extend_from_slice(peer.canned.answer_to(frame)?);
            }
            if (&peer.stream).write_all(&answers).is_err() {
                all.by_number.remove(&of_one[0].0);
            }
        }
        for number in &ready {
            if let Some(peer) = all.by_number.get_mut(number) {
                peer.inbox.compact();
            }
        }
    }
}
