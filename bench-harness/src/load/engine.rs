//! The loop that drives a [`Plan`] over many connections.

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result, ensure};
use hdrhistogram::Histogram;
use millrace_uring::sys::{self, Poller};

use super::Plan;

/// When requests leave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As soon as an answer makes room.
    Closed,
    /// By a schedule: so many requests a second, evenly spread.
    Open(f64),
}

/// One run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunOptions {
    /// Connections.
    pub connections: usize,
    /// Requests in flight on each, at most.
    pub depth: usize,
    /// Requests in all.
    pub requests: u64,
    /// When they leave.
    pub pace: Pace,
}

/// What a run brought.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Requests answered.
    pub requests: u64,
    /// Record bytes that were moved.
    pub record_bytes: u64,
    /// From the first request to the last answer, ns.
    pub wall_ns: u64,
    /// CPU time of the generator, ns.
    pub client_cpu_ns: u64,
    /// From when a request was due to its answer, ns.
    pub latency: Histogram<u64>,
    /// How late requests were sent against the schedule, ns; empty in a closed loop.
    pub lateness: Histogram<u64>,
}

/// The longest latency that is told apart, ns.
const LATENCY_NS_MAX: u64 = 120 * 1_000_000_000;
/// What a wait for readiness may end late, ns: epoll counts in milliseconds, rounded up.
const SPIN_NS: u64 = 2_000_000;
/// No answer for so long ends a run, ns.
const SILENCE_NS_MAX: u64 = 30 * 1_000_000_000;

struct Link<C> {
    stream: TcpStream,
    plan: C,
    /// When each request in flight was due, oldest first.
    in_flight: VecDeque<u64>,
    /// Requests that are due and found no room.
    backlog: VecDeque<u64>,
    /// Waits for room in the socket.
    blocked: bool,
}

struct Engine<'a, P: Plan> {
    plan: &'a mut P,
    options: RunOptions,
    links: Vec<Link<P::Connection>>,
    poller: Poller,
    issued: u64,
    answered: u64,
    latency: Histogram<u64>,
    lateness: Histogram<u64>,
}

/// Runs `plan` against a server. Ends when the last answer came, or with an error when an answer is
/// wrong, a connection breaks, or nothing comes for 30 s.
pub fn run<P: Plan>(addr: SocketAddr, plan: &mut P, options: RunOptions) -> Result<Outcome> {
    ensure!(options.connections > 0 && options.depth > 0, "no connection, or no request in flight");
    let poller = Poller::new(options.connections)?;
    let mut links = Vec::with_capacity(options.connections);
    for index in 0..options.connections {
        let stream = TcpStream::connect(addr).with_context(|| format!("connecting to {addr}"))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        poller.add(stream.as_fd(), index as u64)?;
        let plan = plan.connect(index);
        let (in_flight, backlog) = (VecDeque::new(), VecDeque::new());
        links.push(Link { stream, plan, in_flight, backlog, blocked: false });
    }
    let empty = || Histogram::new_with_bounds(1, LATENCY_NS_MAX, 3).context("histogram");
    let (latency, lateness) = (empty()?, empty()?);
    let bytes_before = plan.record_bytes();
    let engine = Engine { plan, options, links, poller, issued: 0, answered: 0, latency, lateness };
    let cpu = sys::usage();
    let start = sys::mono().0;
    let (latency, lateness) = engine.run(start)?;
    let end = sys::mono().0;
    let used = sys::usage();
    Ok(Outcome {
        requests: options.requests,
        record_bytes: plan.record_bytes() - bytes_before,
        wall_ns: end - start,
        client_cpu_ns: used.user_ns + used.system_ns - cpu.user_ns - cpu.system_ns,
        latency,
        lateness,
    })
}

impl<P: Plan> Engine<'_, P> {
    fn run(mut self, start: u64) -> Result<(Histogram<u64>, Histogram<u64>)> {
        if self.options.pace == Pace::Closed {
            for index in 0..self.links.len() {
                self.fill(index, start)?;
            }
        }
        let mut ready = Vec::new();
        let mut heard = start;
        while self.answered < self.options.requests {
            let wait = self.issue_due(start)?;
            // A wait ends a millisecond late, which would be in every latency: the last of it is spun.
            let timeout = wait.saturating_sub(SPIN_NS);
            ready.clear();
            ready.extend(self.poller.wait(Some(timeout))?);
            let now = sys::mono().0;
            ensure!(now - heard < SILENCE_NS_MAX, "no answer for 30 s");
            for event in &ready {
                heard = now;
                let index = usize::try_from(event.data).context("link")?;
                if event.readable {
                    self.on_readable(index, now)?;
                }
                if event.writable && self.links[index].blocked {
                    self.send(index)?;
                }
            }
        }
        Ok((self.latency, self.lateness))
    }

    /// Issues what the schedule says is due and returns how long to wait for the next, ns.
    fn issue_due(&mut self, start: u64) -> Result<u64> {
        let Pace::Open(rate) = self.options.pace else { return Ok(1_000_000_000) };
        loop {
            if self.issued >= self.options.requests {
                return Ok(1_000_000_000);
            }
            let due = start + duration_ns(self.issued as f64 / rate);
            let now = sys::mono().0;
            if due > now {
                return Ok(due - now);
            }
            self.lateness.saturating_record(now - due);
            let links = self.links.len() as u64;
            let index = usize::try_from(self.issued % links).context("link")?;
            self.issued += 1;
            let link = &mut self.links[index];
            if link.in_flight.len() >= self.options.depth {
                link.backlog.push_back(due);
            } else {
                link.in_flight.push_back(due);
                self.plan.queue(&mut link.plan);
                self.send(index)?;
            }
        }
    }

    /// Puts as many requests in flight as may be, closed loop.
    fn fill(&mut self, index: usize, now: u64) -> Result<()> {
        let link = &mut self.links[index];
        let before = link.in_flight.len();
        if self.options.pace == Pace::Closed {
            while link.in_flight.len() < self.options.depth && self.issued < self.options.requests {
                self.issued += 1;
                link.in_flight.push_back(now);
                self.plan.queue(&mut link.plan);
            }
        } else {
            while link.in_flight.len() < self.options.depth
                && let Some(due) = link.backlog.pop_front()
            {
                link.in_flight.push_back(due);
                self.plan.queue(&mut link.plan);
            }
        }
        if link.in_flight.len() > before { self.send(index) } else { Ok(()) }
    }

    fn send(&mut self, index: usize) -> Result<()> {
        let link = &mut self.links[index];
        let done = self.plan.send(&mut link.plan, &link.stream)?;
        if done == link.blocked {
            // Started or stopped waiting for room.
            link.blocked = !done;
            self.poller.remove(link.stream.as_fd())?;
            if done {
                self.poller.add(link.stream.as_fd(), index as u64)?;
            } else {
                self.poller.add_both(link.stream.as_fd(), index as u64)?;
            }
        }
        Ok(())
    }

    fn on_readable(&mut self, index: usize, now: u64) -> Result<()> {
        loop {
            let link = &mut self.links[index];
            match self.plan.receive(&mut link.plan, &link.stream)? {
                None => return Ok(()),
                Some(0) => {}
                Some(answers) => {
                    for _ in 0..answers {
                        let due = link.in_flight.pop_front().context("an answer too many")?;
                        self.latency.saturating_record(now.saturating_sub(due).max(1));
                    }
                    self.answered += answers as u64;
                    return self.fill(index, now);
                }
            }
        }
    }
}

/// Seconds as ns.
#[allow(clippy::cast_possible_truncation, reason = "runs last minutes, not centuries")]
fn duration_ns(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}
