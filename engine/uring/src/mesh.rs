//! Mail between shards: a bounded ring per ordered pair, published once a turn.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use millrace_io::{Completion, ListenerId, ShardId};

use crate::bell::Inbox;
use crate::counters::Counters;
use crate::spsc;

/// What one shard sends another.
#[derive(Debug)]
pub(crate) enum Envelope<M> {
    Mail(M),
    Connection(Connection),
}

/// A connection on its way into a shard.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) fd: OwnedFd,
    pub(crate) origin: Origin,
}

/// Where a connection came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) listener: ListenerId,
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
}

/// One shard's end of the mesh.
#[derive(Debug)]
pub(crate) struct MeshEnd<M> {
    pub(crate) shard: ShardId,
    /// By target; `None` at our own index.
    outboxes: Vec<Option<Outbox<M>>>,
    /// By source; `None` at our own index.
    inboxes: Vec<Option<spsc::Receiver<Envelope<M>>>>,
    /// What the shard posted to itself.
    own: VecDeque<Envelope<M>>,
    /// Everybody's bells.
    pub(crate) bells: Arc<[Arc<Inbox>]>,
    /// Shards to wake, found while publishing and draining.
    to_wake: Vec<ShardId>,
}

#[derive(Debug)]
struct Outbox<M> {
    ring: spsc::Sender<Envelope<M>>,
    /// What the ring had no room for, in order. Unbounded here: the shards bound what they post by
    /// what they have received.
    overflow: VecDeque<Envelope<M>>,
}

impl<M: Send> MeshEnd<M> {
    /// The ends of a full mesh over `bells.len()` shards.
    pub(crate) fn connect(bells: &Arc<[Arc<Inbox>]>, capacity: usize) -> Vec<Self> {
        let count = bells.len();
        let mut ends: Vec<Self> = (0..count)
            .map(|shard| Self {
                shard: ShardId(u16::try_from(shard).expect("shards are counted in 16 bits")),
                outboxes: Vec::new(),
                inboxes: (0..count).map(|_| None).collect(),
                own: VecDeque::new(),
                bells: Arc::clone(bells),
                to_wake: Vec::new(),
            })
            .collect();
        for from in 0..count {
            for to in 0..count {
                if from == to {
                    ends[from].outboxes.push(None);
                    continue;
                }
                let (ring, receiver) = spsc::ring(capacity);
                let overflow = VecDeque::new();
                ends[from].outboxes.push(Some(Outbox { ring, overflow }));
                ends[to].inboxes[from] = Some(receiver);
            }
        }
        ends
    }

    /// Posts; the target sees it after [`Self::publish`].
    pub(crate) fn post(&mut self, to: ShardId, envelope: Envelope<M>, counters: &Counters) {
        let outbox = self.outboxes.get_mut(usize::from(to.0));
        let outbox = outbox.unwrap_or_else(|| panic!("there is no shard {}", to.0));
        let Some(outbox) = outbox else {
            self.own.push_back(envelope);
            return;
        };
        counters.mail_posted.bump();
        if !outbox.overflow.is_empty() {
            counters.mail_overflowed.bump();
            outbox.overflow.push_back(envelope);
        } else if let Err(envelope) = outbox.ring.push(envelope) {
            counters.mail_overflowed.bump();
            outbox.overflow.push_back(envelope);
        }
    }

    /// Shows all targets what was posted and hands each sleeper among them to `wake`.
    pub(crate) fn publish(&mut self, mut wake: impl FnMut(&Inbox)) {
        for (outbox, bell) in self.outboxes.iter_mut().zip(self.bells.iter()) {
            let Some(outbox) = outbox else { continue };
            if outbox.ring.is_closed() {
                // The shard has ended; nobody waits for this any more.
                outbox.overflow.clear();
            }
            while let Some(envelope) = outbox.overflow.pop_front() {
                if let Err(envelope) = outbox.ring.push(envelope) {
                    outbox.overflow.push_front(envelope);
                    break;
                }
            }
            if outbox.ring.publish() && bell.bell.doze.must_wake() {
                wake(bell);
            }
        }
        for shard in self.to_wake.drain(..) {
            let bell = &self.bells[usize::from(shard.0)];
            if bell.bell.doze.must_wake() {
                wake(bell);
            }
        }
    }

    /// True if there is something to drain, or room for what could not be sent: a reason not to
    /// sleep.
    pub(crate) fn has_more(&mut self) -> bool {
        let mut inboxes = self.inboxes.iter_mut().flatten();
        let mut outboxes = self.outboxes.iter_mut().flatten();
        !self.own.is_empty()
            || inboxes.any(spsc::Receiver::has_more)
            || outboxes.any(|outbox| !outbox.overflow.is_empty() && outbox.ring.has_room())
    }

    /// True if a target's ring was full and what was posted to it still waits here.
    pub(crate) fn has_overflow(&self) -> bool {
        self.outboxes.iter().flatten().any(|outbox| !outbox.overflow.is_empty())
    }

    /// Takes what arrived: mail as completions, connections into `connections`.
    pub(crate) fn drain(
        &mut self,
        completions: &mut Vec<Completion<M>>,
        connections: &mut Vec<Connection>,
        counters: &Counters,
    ) {
        let mut take = |from: ShardId, envelope: Envelope<M>| match envelope {
            Envelope::Mail(mail) => completions.push(Completion::Mail { from, mail }),
            Envelope::Connection(connection) => connections.push(connection),
        };
        for envelope in self.own.drain(..) {
            take(self.shard, envelope);
        }
        for (from, inbox) in (0..).map(ShardId).zip(self.inboxes.iter_mut()) {
            let Some(inbox) = inbox else { continue };
            while let Some(envelope) = inbox.pop() {
                counters.mail_received.bump();
                take(from, envelope);
            }
            if inbox.release() {
                self.to_wake.push(from);
            }
        }
    }
}
