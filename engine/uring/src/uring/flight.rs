//! Operations in flight: each owns what the kernel may touch until its last completion.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::rc::Rc;

use bytes::Bytes;
use io_uring::{opcode, squeue, types};
use millrace_io::{Chunk, FileRef, PooledBuffer, Token};

use super::buffers::GROUP;
use crate::epoll::Target;
use crate::files::{Cursor, handle};
use crate::send::Sending;
use crate::sys;
use crate::table::Key;

/// One operation the kernel was given.
#[derive(Debug)]
pub(crate) enum Flight {
    /// The shard's eventfd, watched until the end.
    Bell { fd: i32 },
    /// A listener, accepting until told otherwise.
    Accept { listener: u16, fd: Rc<OwnedFd> },
    /// A connection, receiving into provided buffers until told otherwise.
    ReceiveMany { socket: Key, fd: Rc<OwnedFd> },
    /// A connection, receiving once into a provided buffer.
    ReceiveOnce { socket: Key, fd: Rc<OwnedFd> },
    /// A connection, receiving once into memory of its own.
    ReceiveInto { socket: Key, fd: Rc<OwnedFd>, target: Target },
    /// A send of bytes.
    Send { socket: Key, fd: Rc<OwnedFd>, sending: Sending, message: Message },
    /// Waiting for room in a connection's send buffer.
    Writable { socket: Key, fd: Rc<OwnedFd> },
    /// A read of a range of a file.
    Read { token: Token, file: FileRef, position: u64, length: usize, buffer: PooledBuffer },
    /// A write to a file.
    Write(Box<Writing>),
    /// fdatasync.
    Sync { token: Token, file: FileRef },
}

/// A write under way.
#[derive(Debug)]
pub(crate) struct Writing {
    pub(crate) token: Token,
    pub(crate) file: FileRef,
    pub(crate) chunks: Vec<Bytes>,
    pub(crate) cursor: Cursor,
    /// Where the bytes at `cursor` belong.
    pub(crate) position: u64,
    pub(crate) vectors: Vec<libc::iovec>,
}

/// A message header and its vectors, at addresses that do not move.
#[derive(Debug)]
pub(crate) struct Message {
    header: Box<libc::msghdr>,
    vectors: Vec<libc::iovec>,
}

impl Message {
    pub(crate) fn new() -> Self {
        // SAFETY: an all-zero msghdr is a valid one that names no address, vectors or control data.
        let header = Box::new(unsafe { std::mem::zeroed::<libc::msghdr>() });
        Self { header, vectors: Vec::new() }
    }
}

impl Flight {
    /// Whether the kernel may need several completions, and so tells when it is done.
    pub(crate) fn entry(&mut self) -> squeue::Entry {
        match self {
            Self::Bell { fd } => {
                opcode::PollAdd::new(types::Fd(*fd), libc::POLLIN as u32).multi(true).build()
            }
            Self::Accept { fd, .. } => opcode::AcceptMulti::new(types::Fd(fd.as_raw_fd()))
                .flags(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC)
                .build(),
            Self::ReceiveMany { fd, .. } => {
                opcode::RecvMulti::new(types::Fd(fd.as_raw_fd()), GROUP).build()
            }
            Self::ReceiveOnce { fd, .. } => {
                opcode::Recv::new(types::Fd(fd.as_raw_fd()), std::ptr::null_mut(), 0)
                    .buf_group(GROUP)
                    .build()
                    .flags(squeue::Flags::BUFFER_SELECT)
            }
            Self::ReceiveInto { fd, target, .. } => {
                let room = u32::try_from(target.room()).unwrap_or(u32::MAX);
                let address = target.buffer.as_mut_vec().spare_capacity_mut().as_mut_ptr();
                opcode::Recv::new(types::Fd(fd.as_raw_fd()), address.cast(), room).build()
            }
            Self::Send { fd, sending, message, .. } => send_entry(fd, sending, message),
            Self::Writable { fd, .. } => {
                opcode::PollAdd::new(types::Fd(fd.as_raw_fd()), libc::POLLOUT as u32).build()
            }
            Self::Read { file, position, length, buffer, .. } => {
                let fd = types::Fd(handle(file).as_raw_fd());
                let at = *position + buffer.len() as u64;
                let rest = u32::try_from(*length - buffer.len()).unwrap_or(u32::MAX);
                let address = buffer.as_mut_vec().spare_capacity_mut().as_mut_ptr();
                opcode::Read::new(fd, address.cast(), rest).offset(at).build()
            }
            Self::Write(writing) => writing.entry(),
            Self::Sync { file, .. } => {
                let fd = types::Fd(handle(file).as_raw_fd());
                opcode::Fsync::new(fd).flags(types::FsyncFlags::DATASYNC).build()
            }
        }
    }
}

/// A send that the kernel continues by itself until all of it is out (MSG_WAITALL).
fn send_entry(fd: &Rc<OwnedFd>, sending: &Sending, message: &mut Message) -> squeue::Entry {
    let fd = types::Fd(fd.as_raw_fd());
    let flags = libc::MSG_NOSIGNAL | libc::MSG_WAITALL;
    let (chunks, offset) = sending.rest();
    if let [Chunk::Bytes(only)] = chunks {
        let rest = &only[offset..];
        let length = u32::try_from(rest.len()).unwrap_or(u32::MAX);
        return opcode::Send::new(fd, rest.as_ptr(), length).flags(flags).build();
    }
    message.vectors.clear();
    let mut offset = offset;
    for chunk in chunks.iter().take(sys::IOV_MAX) {
        let Chunk::Bytes(bytes) = chunk else { break };
        message.vectors.push(vector(&bytes[offset..]));
        offset = 0;
    }
    message.header.msg_iov = message.vectors.as_mut_ptr();
    message.header.msg_iovlen = message.vectors.len() as _;
    opcode::SendMsg::new(fd, &raw const *message.header).flags(flags as u32).build()
}

impl Writing {
    fn entry(&mut self) -> squeue::Entry {
        let fd = types::Fd(handle(&self.file).as_raw_fd());
        self.vectors.clear();
        let mut offset = self.cursor.offset;
        for chunk in self.chunks[self.cursor.chunk..].iter().take(sys::IOV_MAX) {
            self.vectors.push(vector(&chunk[offset..]));
            offset = 0;
        }
        let count = u32::try_from(self.vectors.len()).expect("at most IOV_MAX");
        opcode::Writev::new(fd, self.vectors.as_ptr(), count).offset(self.position).build()
    }
}

fn vector(bytes: &[u8]) -> libc::iovec {
    libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }
}
