//! Where io_uring is forbidden, as containers do it, clients are served all the same. A process of
//! its own, since a seccomp filter is for good.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;

use millrace_io::{Chunk, Completion, Op};
use millrace_uring::{Backend, Driver, DriverConfig, Mesh, probe};

fn instruction(code: u32, jump_true: u8, jump_false: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter {
        code: u16::try_from(code).expect("codes are small"),
        jt: jump_true,
        jf: jump_false,
        k,
    }
}

/// Lets `io_uring_setup` fail with `errno` for this process from now on.
fn forbid_rings(errno: i32) {
    let setup = u32::try_from(libc::SYS_io_uring_setup).expect("small");
    let fail = libc::SECCOMP_RET_ERRNO | u32::try_from(errno).expect("positive");
    let mut filter = [
        // The call's number is the first field of what the filter sees.
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, setup),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, fail),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: 4, filter: filter.as_mut_ptr() };
    // SAFETY: no memory is passed.
    let answer = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(answer, 0, "no new privileges");
    // SAFETY: the program and its instructions outlive the call, which copies them.
    let answer =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    assert_eq!(answer, 0, "the filter is in force");
}

fn main() {
    for (errno, word) in [(libc::ENOSYS, "ENOSYS"), (libc::EPERM, "EPERM")] {
        let child = std::env::args().nth(1);
        match child {
            Some(name) if name == word => {
                forbid_rings(errno);
                serves(word);
                return;
            }
            Some(_) => {}
            None => {
                let own = std::env::current_exe().expect("a path");
                let status = std::process::Command::new(own).arg(word).status();
                assert!(status.expect("runs").success(), "{word}");
            }
        }
    }
}

fn serves(word: &str) {
    let report = probe(Backend::Auto);
    assert_eq!(report.backend, Backend::Epoll);
    assert!(report.is_available && report.why.contains(word), "{}", report.why);
    let forced = probe(Backend::Uring);
    assert!(!forced.is_available && forced.why.contains(word), "{}", forced.why);
    let config = DriverConfig { backend: Backend::Uring, ..DriverConfig::default() };
    assert!(Mesh::<()>::new(&config).is_err(), "what was asked for by name is not replaced");

    let mut mesh = Mesh::<()>::new(&DriverConfig::default()).expect("a mesh");
    let mut driver: Driver<()> = mesh.take_seats().remove(0).into_driver().expect("a driver");
    assert_eq!(driver.backend_name(), "epoll");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let (_, addr) = driver.listen(any).expect("listens");
    let client = thread::spawn(move || {
        let mut client = TcpStream::connect(addr).expect("connects");
        client.write_all(b"hello").expect("sends");
        let mut back = [0; 5];
        client.read_exact(&mut back).expect("is answered");
        assert_eq!(&back, b"hello");
    });
    let (mut ops, mut completions) = (Vec::new(), Vec::new());
    let mut is_closed = false;
    while !is_closed {
        driver.turn(&mut ops, None, &mut completions);
        for completion in completions.drain(..) {
            if let Completion::Accepted { socket, .. } = completion {
                ops.push(Op::Receive { socket });
            } else if let Completion::Received { socket, data } = completion {
                ops.push(Op::Send { socket, chunks: vec![Chunk::Bytes(data)] });
            } else if let Completion::Closed { .. } = completion {
                is_closed = true;
            }
        }
    }
    client.join().expect("the client is content");
}
