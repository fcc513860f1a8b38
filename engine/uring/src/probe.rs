//! What this machine lets us do, found out by trying.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

use io_uring::{IoUring, Probe, cqueue, opcode, types};

use crate::config::Backend;
use crate::uring::{ProvidedBuffers, build};

/// Which driver shards get, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeReport {
    /// `Uring` or `Epoll`, never `Auto`.
    pub backend: Backend,
    /// One line for the log.
    pub why: String,
    /// False if `backend` was asked for by name and cannot be had.
    pub is_available: bool,
}

/// Tries what `wanted` needs: sets a ring up with the flags of the driver, asks for each operation,
/// and lets a multishot receive run over provided buffers. Never panics.
pub fn probe(wanted: Backend) -> ProbeReport {
    if wanted == Backend::Epoll {
        let why = "epoll, as configured".to_owned();
        return ProbeReport { backend: Backend::Epoll, why, is_available: true };
    }
    match try_uring() {
        Ok(flags) => {
            let why = format!("io_uring ({flags})");
            ProbeReport { backend: Backend::Uring, why, is_available: true }
        }
        Err(reason) if wanted == Backend::Auto => {
            let why = format!("epoll, because io_uring is not usable here: {reason}");
            ProbeReport { backend: Backend::Epoll, why, is_available: true }
        }
        Err(reason) => {
            let why = format!("io_uring was asked for and is not usable here: {reason}");
            ProbeReport { backend: Backend::Uring, why, is_available: false }
        }
    }
}

fn try_uring() -> Result<&'static str, String> {
    let (mut io, flags) = build().map_err(|error| refusal(&error))?;
    if !io.params().is_feature_nodrop() || !io.params().is_feature_ext_arg() {
        return Err("the kernel is too old (it may drop completions)".to_owned());
    }
    let mut known = Probe::new();
    io.submitter().register_probe(&mut known).map_err(|error| refusal(&error))?;
    for (name, code) in NEEDED {
        if !known.is_supported(code) {
            return Err(format!("the kernel has no {name} operation"));
        }
    }
    let mut buffers = ProvidedBuffers::new(&io, 2, 4096)
        .map_err(|error| format!("no provided buffer rings: {}", refusal(&error)))?;
    let received = try_multishot(&mut io, &mut buffers);
    // Closed before the memory it was given is unmapped.
    drop(io);
    drop(buffers);
    received.map(|()| flags)
}

/// The operations the driver uses, by the names the kernel's manual gives them.
const NEEDED: [(&str, u8); 11] = [
    ("ACCEPT", opcode::Accept::CODE),
    ("RECV", opcode::Recv::CODE),
    ("SEND", opcode::Send::CODE),
    ("SENDMSG", opcode::SendMsg::CODE),
    ("POLL_ADD", opcode::PollAdd::CODE),
    ("READ", opcode::Read::CODE),
    ("WRITEV", opcode::Writev::CODE),
    ("FSYNC", opcode::Fsync::CODE),
    ("ASYNC_CANCEL", opcode::AsyncCancel::CODE),
    ("MSG_RING", opcode::MsgRingData::CODE),
    ("TIMEOUT", opcode::Timeout::CODE),
];

/// Receives one byte as the driver does.
fn try_multishot(io: &mut IoUring, buffers: &mut ProvidedBuffers) -> Result<(), String> {
    use std::io::Write as _;
    let fail = |error: io::Error| refusal(&error);
    let (mut near, far) = UnixStream::pair().map_err(fail)?;
    near.write_all(b"?").map_err(fail)?;
    let far = OwnedFd::from(far);
    let receive = opcode::RecvMulti::new(types::Fd(far.as_raw_fd()), 0).build();
    // SAFETY: the entry points to no memory, and `far` outlives the ring's use of it: the last
    // completion is awaited below.
    unsafe { io.submission().push(&receive) }.map_err(|error| error.to_string())?;
    let mut got = 0;
    io.submit_and_wait(1).map_err(fail)?;
    // Closing our end ends the receive.
    drop(near);
    loop {
        let entries: Vec<cqueue::Entry> = io.completion().collect();
        for entry in entries {
            let result = entry.result();
            if result < 0 {
                let error = io::Error::from_raw_os_error(-result);
                return Err(format!("multishot receive does not work: {}", refusal(&error)));
            }
            let length = usize::try_from(result).unwrap_or(0);
            got += buffers.received(entry.flags(), length).map_or(0, |_| length);
            if !cqueue::more(entry.flags()) {
                return if got == 1 {
                    Ok(())
                } else {
                    Err(format!("multishot receive got {got} bytes of 1"))
                };
            }
        }
        io.submit_and_wait(1).map_err(fail)?;
    }
}

/// A refusal, with what usually stands behind it.
fn refusal(error: &io::Error) -> String {
    let hint = match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            "EPERM: forbidden by a seccomp profile (containers) or by kernel.io_uring_disabled"
        }
        Some(libc::ENOSYS) => "ENOSYS: this kernel has no io_uring",
        Some(libc::ENOMEM) => "ENOMEM: the locked-memory limit is too low",
        _ => return error.to_string(),
    };
    hint.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epoll_can_always_be_had() {
        let report = probe(Backend::Epoll);
        assert_eq!((report.backend, report.is_available), (Backend::Epoll, true));
    }

    #[test]
    fn auto_always_finds_something() {
        let report = probe(Backend::Auto);
        assert!(report.is_available);
        assert_ne!(report.backend, Backend::Auto);
        assert!(!report.why.contains('\n'), "one line");
    }

    #[test]
    fn refusals_are_explained() {
        for (errno, word) in [(libc::EPERM, "seccomp"), (libc::ENOSYS, "no io_uring")] {
            assert!(refusal(&io::Error::from_raw_os_error(errno)).contains(word));
        }
    }
}
