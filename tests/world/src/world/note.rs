//! What the trace says about operations and completions.

use bytes::Bytes;
use millrace_io::{Chunk, Completion, Op, ShardId, SocketId};

use super::World;

impl<M> World<M> {
    pub(super) fn note_op(&mut self, shard: ShardId, op: &Op<M>) {
        let trace = &mut self.trace;
        trace.number(u64::from(shard.0) << 32 | self.time);
        match op {
            Op::Write { token, position, chunks, .. } => {
                trace.number(u64::from(token.seq));
                trace.number(*position);
                for chunk in chunks {
                    trace.bytes(chunk);
                }
            }
            Op::WriteWhole { path, content, .. } => {
                trace.bytes(path.as_os_str().as_encoded_bytes());
                trace.bytes(content);
            }
            Op::Send { socket, chunks } => {
                trace.number(u64::from(socket.slot));
                for chunk in chunks {
                    match chunk {
                        Chunk::Bytes(bytes) => trace.bytes(bytes),
                        Chunk::File { position, length, .. } => {
                            trace.number(*position);
                            trace.number(u64::from(*length));
                        }
                    }
                }
            }
            Op::Open { .. }
            | Op::Read { .. }
            | Op::ReadBehind { .. }
            | Op::WriteBehind { .. }
            | Op::Sync { .. }
            | Op::Writeback { .. }
            | Op::DropCache { .. }
            | Op::Prefetch { .. }
            | Op::Allocate { .. }
            | Op::Truncate { .. }
            | Op::ReadWhole { .. }
            | Op::Rename { .. }
            | Op::Remove { .. }
            | Op::Touch { .. }
            | Op::MakeDir { .. }
            | Op::SyncDir { .. }
            | Op::List { .. }
            | Op::Compute { .. }
            | Op::Receive { .. }
            | Op::ReceiveStop { .. }
            | Op::ReceiveInto { .. }
            | Op::Close { .. }
            | Op::HandOver { .. }
            | Op::Mail { .. } => trace.bytes(describe_op(op).as_bytes()),
        }
        if trace.tells() {
            trace.line(format_args!("{} {} > {}", self.time, shard.0, describe_op(op)));
        }
    }

    pub(super) fn note_completion(&mut self, shard: ShardId, completion: &Completion<M>) {
        let trace = &mut self.trace;
        match completion {
            Completion::Received { data, .. } => trace.bytes(data),
            Completion::Filled { buffer, .. } => trace.bytes(buffer),
            Completion::Read { result, .. } => trace.bytes(result.as_deref().unwrap_or_default()),
            Completion::Wrote { token, result, .. } | Completion::Done { token, result } => {
                trace.number(u64::from(token.seq) << 1 | u64::from(result.is_ok()));
            }
            Completion::Opened { .. }
            | Completion::Listed { .. }
            | Completion::Computed { .. }
            | Completion::Accepted { .. }
            | Completion::Sent { .. }
            | Completion::Closed { .. }
            | Completion::Mail { .. }
            | Completion::Stop => trace.bytes(describe_completion(completion).as_bytes()),
        }
        if trace.tells() {
            let what = describe_completion(completion);
            trace.line(format_args!("{} {} < {what}", self.time, shard.0));
        }
    }
}

fn describe_op<M>(op: &Op<M>) -> String {
    match op {
        Op::Open { path, mode, .. } => format!("open {} {mode:?}", path.display()),
        Op::Read { file, position, length, .. } | Op::ReadBehind { file, position, length, .. } => {
            format!("read {file:?} {position}+{length}")
        }
        Op::Write { file, position, chunks, .. }
        | Op::WriteBehind { file, position, chunks, .. } => {
            let length: usize = chunks.iter().map(Bytes::len).sum();
            format!("write {file:?} {position}+{length}")
        }
        Op::Sync { file, .. } => format!("sync {file:?}"),
        Op::Writeback { file, position, length } => {
            format!("writeback {file:?} {position}+{length}")
        }
        Op::DropCache { file, position, length } => {
            format!("drop cache {file:?} {position}+{length}")
        }
        Op::Prefetch { file, position, length, .. } => {
            format!("prefetch {file:?} {position}+{length}")
        }
        Op::Allocate { file, position, length, .. } => {
            format!("allocate {file:?} {position}+{length}")
        }
        Op::Truncate { file, length, .. } => format!("truncate {file:?} {length}"),
        Op::ReadWhole { path, .. } => format!("read whole {}", path.display()),
        Op::WriteWhole { path, content, .. } => {
            format!("write whole {} {}", path.display(), content.len())
        }
        Op::Rename { from, to, .. } => format!("rename {} {}", from.display(), to.display()),
        Op::Remove { path, .. } => format!("remove {}", path.display()),
        Op::Touch { path, .. } => format!("touch {}", path.display()),
        Op::MakeDir { path, .. } => format!("make dir {}", path.display()),
        Op::SyncDir { path, .. } => format!("sync dir {}", path.display()),
        Op::List { path, .. } => format!("list {}", path.display()),
        Op::Compute { token, .. } => format!("compute {token:?}"),
        Op::Receive { socket } => format!("receive {}", name(*socket)),
        Op::ReceiveStop { socket } => format!("receive stop {}", name(*socket)),
        Op::ReceiveInto { socket, bytes_min, bytes_max, .. } => {
            format!("receive into {} {bytes_min}..={bytes_max}", name(*socket))
        }
        Op::Send { socket, chunks } => {
            let length: usize = chunks.iter().map(Chunk::len).sum();
            format!("send {} {length}", name(*socket))
        }
        Op::Close { socket } => format!("close {}", name(*socket)),
        Op::HandOver { socket, to } => format!("hand over {} to {}", name(*socket), to.0),
        Op::Mail { to, .. } => format!("mail to {}", to.0),
    }
}

fn describe_completion<M>(completion: &Completion<M>) -> String {
    match completion {
        Completion::Opened { token, result } => format!("opened {token:?} {result:?}"),
        Completion::Read { token, result } => {
            format!("read {token:?} {:?}", result.as_ref().map(Bytes::len))
        }
        Completion::Wrote { token, result, .. } => format!("wrote {token:?} {result:?}"),
        Completion::Done { token, result } => format!("done {token:?} {result:?}"),
        Completion::Listed { token, result } => {
            format!("listed {token:?} {:?}", result.as_ref().map(Vec::len))
        }
        Completion::Computed { token, result } => {
            format!("computed {token:?} {}", result.is_ok())
        }
        Completion::Accepted { socket, listener, peer, .. } => {
            format!("accepted {} {} {peer}", name(*socket), listener.0)
        }
        Completion::Received { socket, data } => {
            format!("received {} {}", name(*socket), data.len())
        }
        Completion::Filled { socket, buffer } => {
            format!("filled {} {}", name(*socket), buffer.len())
        }
        Completion::Sent { socket } => format!("sent {}", name(*socket)),
        Completion::Closed { socket, reason } => format!("closed {} {reason:?}", name(*socket)),
        Completion::Mail { from, .. } => format!("mail from {}", from.0),
        Completion::Stop => "stop".to_owned(),
    }
}

fn name(socket: SocketId) -> String {
    format!("{}.{}", socket.slot, socket.generation)
}
