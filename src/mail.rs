//! What shards say to each other.
//!
//! A partition's work goes to its owner as an [`Ask`] with a [`Ticket`]; the [`Answer`] comes back
//! to the ticket's shard. Only references cross: a batch is a slice of a received frame, a read is
//! a file, a position and a length. Letters of one turn travel together.

use std::net::IpAddr;
use std::sync::Arc;

use millrace_engine::{Offset, ReadPlan, ValidatedBatch};
use millrace_io::ShardId;
use millrace_net::ErrorCode;
use millrace_net::quota::Usage;
use millrace_wire::Uuid;

use crate::controller::{AdminAnswer, AdminAsk, Charge};
use crate::coordinator::{GroupAnswer, GroupAsk};
use crate::shard::LifeLetter;
use crate::slab::Key;
use crate::ticket::Ticket;

/// A partition, by what never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PartitionId {
    /// Its topic.
    pub topic: Uuid,
    /// Its index in the topic, 0-based.
    pub index: i32,
}

/// All that one shard says to another in one turn, in order.
#[derive(Debug)]
pub struct Mail(pub(crate) Vec<Letter>);

/// One thing a shard says to another.
#[derive(Debug)]
pub(crate) enum Letter {
    /// Work for a partition of the receiver.
    Ask {
        /// Which partition.
        partition: PartitionId,
        /// Where the answer goes.
        ticket: Ticket,
        /// What to do.
        ask: Ask,
    },
    /// The answer to an [`Letter::Ask`].
    Answer {
        /// The ask's.
        ticket: Ticket,
        /// What came of it.
        answer: Answer,
    },
    /// A partition that a read waited on has moved.
    Wake(Ticket),
    /// A read waits no more.
    Unwatch(Key),
    /// A change of cluster state, for the controller's shard.
    Admin {
        /// Where the answer goes; the item is not used.
        ticket: Ticket,
        /// What to change.
        ask: AdminAsk,
        /// Who is held to a quota of it.
        charge: Option<Charge>,
    },
    /// The answer to an [`Letter::Admin`].
    AdminAnswer {
        /// The ask's.
        ticket: Ticket,
        /// What came of it.
        answer: AdminAnswer,
        /// How long its client has to wait, ms.
        wait_ms: u64,
    },
    /// A log of the sender itself is open, and groups live in it.
    LoadGroups(PartitionId),
    /// Where do these partitions of the receiver end?
    AskWatermarks {
        /// Who asks.
        from: ShardId,
        /// Comes back with the answer.
        number: u64,
        /// Each once.
        partitions: Vec<PartitionId>,
    },
    /// The answer to an [`Letter::AskWatermarks`].
    Watermarks {
        /// The ask's.
        number: u64,
        /// High watermarks of those partitions that are there.
        watermarks: Vec<(PartitionId, i64)>,
    },
    /// A log of the sender is compacted up to an offset: log dir, topic, partition.
    Cleaned((usize, Arc<str>, i32), Offset),
    /// What clients of the sender used of their quotas since it last told.
    QuotaUsage(Arc<[Usage]>),
    /// About starting, stopping, and the cluster's state.
    Life(LifeLetter),
    /// The sender let a connection from this address go.
    Gone(IpAddr),
}

/// Work for one partition.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Append a batch.
    Append {
        /// What the connection's shard found out about it; holds the bytes.
        batch: Box<ValidatedBatch>,
    },
    /// Find records to send.
    Read(ReadAsk),
    /// Find an offset: by timestamp, or one of the wire's special values.
    Offset {
        /// The timestamp, or -1 and below.
        timestamp: i64,
        /// Whether to stay below the last stable offset.
        read_committed: bool,
        /// The leader epoch the client believes in, or -1.
        current_leader_epoch: i32,
    },
    /// Find where a leader epoch ends.
    EpochEnd {
        /// The leader epoch the client believes in, or -1.
        current_leader_epoch: i32,
        /// The epoch asked about.
        leader_epoch: i32,
    },
    /// Move the log start offset up; -1 means to the high watermark.
    DeleteRecords {
        /// The new log start offset.
        offset: i64,
    },
    /// List the producers with state.
    Producers,
    /// Tell the log's size.
    Size,
    /// Do something for a group that the partition coordinates.
    Group(Box<GroupAsk>),
}

/// What a read asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadAsk {
    /// Where to start.
    pub offset: i64,
    /// Bound on the bytes, though one whole batch always comes.
    pub bytes_max: u32,
    /// Whether to stay below the last stable offset.
    pub read_committed: bool,
    /// The leader epoch the client believes in, or -1.
    pub current_leader_epoch: i32,
    /// Epoch of the last record the client has, or -1.
    pub last_fetched_epoch: i32,
    /// Whether to be told when there is more.
    pub watch: Watch,
}

/// When a read wants to be told of new records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Never.
    No,
    /// If there was nothing to read.
    IfEmpty,
    /// In any case: it waits for more than there is.
    Always,
}

/// What came of an [`Ask`].
#[derive(Debug)]
pub(crate) enum Answer {
    /// Of an append.
    Appended(Result<Appended, AppendFailure>),
    /// Of a read.
    Read(Result<ReadDone, ErrorCode>),
    /// Of a search for an offset.
    Offset(Result<FoundOffset, ErrorCode>),
    /// Of a search for an epoch's end: the epoch found and its end, or -1 and -1.
    EpochEnd(Result<(i32, i64), ErrorCode>),
    /// Of deleting records: the log start offset.
    DeletedRecords(Result<i64, ErrorCode>),
    /// Of listing producers.
    Producers(Result<Vec<ProducerInfo>, ErrorCode>),
    /// Of asking for the size.
    Size(Result<LogSize, ErrorCode>),
    /// Of something done for a group.
    Group(Box<GroupAnswer>),
}

/// Where a batch went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Appended {
    /// Offset of its first record.
    pub base_offset: i64,
    /// The leader's timestamp if the topic uses it, else -1.
    pub log_append_time_ms: i64,
    /// The log start offset.
    pub log_start_offset: i64,
}

/// Why a batch went nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppendFailure {
    /// The code for the client.
    pub error: ErrorCode,
    /// Words for the client, if there are any.
    pub message: Option<String>,
    /// Records at fault, by index, with words of their own (Produce 8).
    pub records: Vec<(i32, Option<String>)>,
    /// The log start offset, or -1.
    pub log_start_offset: i64,
}

/// What a read found.
#[derive(Debug)]
pub(crate) struct ReadDone {
    /// The bytes, if there are any.
    pub plan: Option<ReadPlan>,
    /// The offset below which consumers read.
    pub high_watermark: i64,
    /// The offset below which no transaction is open.
    pub last_stable_offset: i64,
    /// The first offset that is there.
    pub log_start_offset: i64,
    /// The waiter that was set up, if one was asked for.
    pub waiter: Option<WaiterRef>,
    /// Where the client's log and ours part: the epoch, and its end offset.
    pub diverging: Option<(i32, i64)>,
}

/// A waiter, and the shard that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaiterRef {
    /// Whose.
    pub shard: ShardId,
    /// Its key there.
    pub key: Key,
}

/// A found offset; all -1 if no record matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FoundOffset {
    /// The offset.
    pub offset: i64,
    /// Its record's timestamp, or -1 for the special searches.
    pub timestamp: i64,
    /// Its leader epoch, or -1.
    pub leader_epoch: i32,
}

/// One idempotent producer of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProducerInfo {
    /// Its id.
    pub producer_id: i64,
    /// Its epoch.
    pub producer_epoch: i32,
    /// Its last sequence.
    pub last_sequence: i32,
    /// When it wrote last, ms since 1970.
    pub last_timestamp: i64,
    /// Epoch of the transaction coordinator, or -1.
    pub coordinator_epoch: i32,
    /// Where its open transaction starts, or -1.
    pub current_txn_start_offset: i64,
}

/// How much a partition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogSize {
    /// Bytes in all segments.
    pub bytes: u64,
    /// The log dir, as configured.
    pub log_dir: String,
}
