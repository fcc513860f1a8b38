//! Socket calls.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::{check, check_int, grow, offset, owned, while_held};

/// How long an address may be in use before it counts as taken; rings were gone within 0.1 s.
const IN_USE_WAIT: Duration = Duration::from_secs(3);

/// A listening socket. Accepted sockets inherit TCP_NODELAY and the buffer sizes from it.
///
/// - `buffer_bytes`: SO_SNDBUF and SO_RCVBUF; `None` leaves them to the kernel's auto-tuning.
/// - `backlog`: connections the kernel may hold that were not accepted yet.
pub fn listen(
    addr: SocketAddr,
    backlog: u16,
    send_buffer_bytes: Option<u32>,
    receive_buffer_bytes: Option<u32>,
) -> io::Result<(OwnedFd, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(bytes) = send_buffer_bytes {
        socket.set_send_buffer_size(bytes as usize)?;
    }
    if let Some(bytes) = receive_buffer_bytes {
        socket.set_recv_buffer_size(bytes as usize)?;
    }
    if addr.is_ipv6() {
        // `[::]` serves IPv4 clients too, as Kafka's default listener does.
        socket.set_only_v6(false)?;
    }
    bind(&socket, addr)?;
    socket.listen(i32::from(backlog))?;
    let local = socket.local_addr()?.as_socket().unwrap_or(addr);
    Ok((socket.into(), local))
}

/// Binds, and waits a little for an address that is in use.
///
/// The kernel takes a killed process's ring down behind its back, and until then the ring's accept
/// holds the listening socket: whoever starts a broker again at once would find its port taken.
fn bind(socket: &Socket, addr: SocketAddr) -> io::Result<()> {
    let is_in_use =
        |done: &io::Result<()>| matches!(done, Err(e) if e.kind() == io::ErrorKind::AddrInUse);
    while_held(IN_USE_WAIT, || socket.bind(&addr.into()), is_in_use)
}

/// Takes one connection off a listener's queue; EAGAIN if there is none.
pub fn accept(listener: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    let none = std::ptr::null_mut();
    // SAFETY: null address and length ask for no address.
    let answer = unsafe { libc::accept4(listener.as_raw_fd(), none, std::ptr::null_mut(), flags) };
    check_int(answer).map(owned)
}

/// The peer's and our own address of a connection; that of an IPv4 peer is one, also where an IPv6
/// listener accepted it.
pub(crate) fn addresses(fd: BorrowedFd<'_>) -> io::Result<(SocketAddr, SocketAddr)> {
    let socket = SockRef::from(&fd);
    let unknown = || io::Error::from_raw_os_error(libc::EAFNOSUPPORT);
    let canonical = |addr: SocketAddr| SocketAddr::new(addr.ip().to_canonical(), addr.port());
    let peer = socket.peer_addr()?.as_socket().map(canonical).ok_or_else(unknown)?;
    let local = socket.local_addr()?.as_socket().map(canonical).ok_or_else(unknown)?;
    Ok((peer, local))
}

/// The error a socket holds, and clears it.
pub fn socket_error(fd: BorrowedFd<'_>) -> io::Result<Option<io::Error>> {
    SockRef::from(&fd).take_error()
}

/// Receives up to `length` bytes and appends them to `buffer`, which must have the room. Never
/// waits (EAGAIN); 0 is the end of the stream.
pub fn receive_append(
    fd: BorrowedFd<'_>,
    buffer: &mut Vec<u8>,
    length: usize,
) -> io::Result<usize> {
    let room = buffer.spare_capacity_mut();
    let length = length.min(room.len());
    let flags = libc::MSG_DONTWAIT;
    // SAFETY: `room` is writable for `length` bytes and borrowed for the length of the call.
    let answer = unsafe { libc::recv(fd.as_raw_fd(), room.as_mut_ptr().cast(), length, flags) };
    let count = check(answer)?;
    grow(buffer, count);
    Ok(count)
}

/// Receives and throws away up to `length` bytes without copying them (TCP's MSG_TRUNC). Waits as
/// the socket's own mode says. For load generators.
pub fn receive_discard(fd: BorrowedFd<'_>, length: usize) -> io::Result<usize> {
    let none = std::ptr::null_mut();
    // SAFETY: with MSG_TRUNC a TCP socket writes nothing, so no buffer is needed (tcp(7)).
    check(unsafe { libc::recv(fd.as_raw_fd(), none, length, libc::MSG_TRUNC) })
}

/// Whether more bytes follow at once, so that the kernel may wait to fill a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    /// More follows.
    Follows,
    /// This is the end of what there is to send.
    Last,
}

/// Sends `parts` (at most [`super::IOV_MAX`]). Never waits (EAGAIN); may send less.
pub fn send_vectored(fd: BorrowedFd<'_>, parts: &[IoSlice<'_>], more: More) -> io::Result<usize> {
    let mut flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    if more == More::Follows {
        flags |= libc::MSG_MORE;
    }
    if let [only] = parts {
        // SAFETY: the slice is readable for its length for the length of the call.
        let answer = unsafe { libc::send(fd.as_raw_fd(), only.as_ptr().cast(), only.len(), flags) };
        return check(answer);
    }
    // SAFETY: an all-zero msghdr is a valid one that names no address, vectors or control data.
    let mut message = unsafe { std::mem::zeroed::<libc::msghdr>() };
    message.msg_iov = parts.as_ptr().cast_mut().cast();
    message.msg_iovlen = parts.len().min(super::IOV_MAX) as _;
    // SAFETY: `IoSlice` has the layout of `iovec`; sendmsg only reads what the vectors point to.
    check(unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const message, flags) })
}

/// Has the kernel hold back packets that are not full, or send what it held back (TCP_CORK).
///
/// A hint: a socket that cannot be corked sends everything at once, which is correct too.
pub(crate) fn set_cork(fd: BorrowedFd<'_>, is_in: bool) {
    let _is_a_hint = SockRef::from(&fd).set_tcp_cork(is_in);
}

/// Sends what a corked socket holds back; the cork stays in.
pub(crate) fn push(fd: BorrowedFd<'_>) {
    if SockRef::from(&fd).set_tcp_nodelay(true).is_err() {
        // Nothing is known of why; without the cork nothing is held back.
        set_cork(fd, false);
    }
}

/// Sends a range of a file from the page cache. 0 means that the file ends before `position`.
pub fn sendfile(
    socket: BorrowedFd<'_>,
    file: BorrowedFd<'_>,
    position: u64,
    length: usize,
) -> io::Result<usize> {
    let mut position = offset(position);
    // SAFETY: `position` is valid for the length of the call.
    check(unsafe {
        libc::sendfile(socket.as_raw_fd(), file.as_raw_fd(), &raw mut position, length)
    })
}
