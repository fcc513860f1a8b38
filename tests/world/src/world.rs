//! The world: virtual time, the queue of what is about to happen, and the driver's turn.

mod clients;
mod file_ops;
mod note;
mod sockets;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use millrace_io::{BufferPool, Completion, Mono, Now, Op, ShardId, Token, WallMs};

use crate::net::Net;
use crate::{Broken, ClientId, Disk, Faults, Rng, Trace};
use file_ops::handle;
use sockets::NetEvent;

/// How a world starts.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// Decides everything that the operations do not.
    pub seed: u64,
    /// Shards of the process.
    pub shards: u16,
    /// How many of them listen: the first ones. The seed picks among these.
    pub listening: u16,
    /// What may go wrong.
    pub faults: Faults,
    /// The wall clock at the start.
    pub wall: WallMs,
}

impl WorldConfig {
    /// One shard on a healthy machine, in the year 2026.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            shards: 1,
            listening: 1,
            faults: Faults::none(),
            wall: WallMs(1_767_225_600_000),
        }
    }
}

/// One machine: its disk, its clocks and one process of one or several shards. `M` is the mail
/// between them.
///
/// A process ends with [`World::kill`] or [`World::lose_power`]; what it asked for afterwards
/// belongs to the next one, which finds the disk as the last one left it.
#[derive(Debug)]
pub struct World<M> {
    pub(crate) rng: Rng,
    pub(crate) faults: Faults,
    pub(crate) trace: Trace,
    pub(crate) disk: Disk,
    pub(crate) net: Net,
    pub(crate) pool: BufferPool,
    /// Nanoseconds since the world began.
    pub(crate) time: u64,
    /// What the wall clock shows beyond `time`, ms.
    wall_offset_ms: i64,
    /// The process's monotonic clock at time zero, ns; may be "before" it.
    mono_offset: u64,
    /// Counts processes.
    pub(crate) life: u64,
    listening: u16,
    /// Syncs that failed, whether or not anybody was told.
    pub(crate) sync_failures: u64,
    /// What is to fail once, and in which folder.
    pub(crate) breaks: Vec<(Broken, PathBuf)>,
    /// What has failed so.
    pub(crate) broken: Vec<(Broken, PathBuf)>,
    /// Syncs whose completion was not seen yet, with the file's number.
    syncs: Vec<(ShardId, Token, u64)>,
    events: BTreeMap<(u64, u64), Event<M>>,
    next_event: u64,
    shards: Vec<Shard<M>>,
}

/// A shard as the world sees it.
#[derive(Debug)]
struct Shard<M> {
    ready: VecDeque<Completion<M>>,
    /// Not scheduled before this time.
    busy_until: u64,
    /// When the last mail to this shard arrives, by sender.
    mail_until: Vec<u64>,
}

/// What is about to happen.
#[derive(Debug)]
enum Event<M> {
    /// The operation takes effect; of a write, the bytes from the number on.
    Apply(ShardId, Op<M>, usize),
    /// A write takes effect that was said to have done so long before.
    ApplyLate(Op<M>),
    /// The shard may see the completion.
    Deliver(ShardId, Completion<M>),
    /// Something on the network.
    Net(NetEvent),
}

/// Who moves next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The shard: deliver to it, step it, submit what it asks for.
    Shard(ShardId),
    /// The client has bytes to read or was cut off.
    Client(ClientId),
    /// Nobody before the given time.
    Nobody,
}

impl<M> World<M> {
    /// A world with an empty disk and a process that has just started.
    pub fn new(config: WorldConfig) -> Self {
        assert!(config.shards > 0, "a process has at least one shard");
        assert!((1..=config.shards).contains(&config.listening), "somebody listens");
        let mut rng = Rng::new(config.seed);
        let shard = || Shard {
            ready: VecDeque::new(),
            busy_until: 0,
            mail_until: vec![0; config.shards.into()],
        };
        Self {
            mono_offset: rng.below(1 << 50),
            rng,
            trace: Trace::default(),
            disk: Disk::new(config.faults.disk_bytes_max),
            net: Net::new(config.shards),
            pool: BufferPool::new(1 << 20),
            faults: config.faults,
            time: 0,
            wall_offset_ms: config.wall.0,
            life: 0,
            listening: config.listening,
            sync_failures: 0,
            breaks: Vec::new(),
            broken: Vec::new(),
            syncs: Vec::new(),
            events: BTreeMap::new(),
            next_event: 0,
            shards: (0..config.shards).map(|_| shard()).collect(),
        }
    }

    /// A driver's turn: takes the operations, waits until something is there for the shard or the
    /// deadline is reached, and says what and when.
    ///
    /// Time stands still without an event and a deadline: then it returns with nothing.
    pub fn turn(
        &mut self,
        shard: ShardId,
        ops: &mut Vec<Op<M>>,
        deadline: Option<Mono>,
        completions: &mut Vec<Completion<M>>,
    ) -> Now {
        self.submit(shard, ops);
        let deadline = deadline.map(|deadline| self.time_of(deadline));
        while !self.is_ready(shard, deadline) {
            let next = self.events.first_key_value().map(|(&(time, _), _)| time);
            let wake = self.shards[index(shard)].wake_time(deadline);
            match (next, wake) {
                (Some(next), wake) if wake.is_none_or(|wake| next <= wake) => self.run_event(),
                (_, Some(wake)) => self.time = self.time.max(wake),
                (_, None) => break,
            }
        }
        self.deliver(shard, completions)
    }

    /// Takes a shard's operations, in order. Time does not pass.
    pub fn submit(&mut self, shard: ShardId, ops: &mut Vec<Op<M>>) {
        for op in ops.drain(..) {
            self.submit_one(shard, op);
        }
        // The turn took the shard some time, in which the world went on.
        let mut pause = self.rng.between(500, 20_000);
        if self.rng.chance(self.faults.stall) {
            pause += self.rng.below(self.faults.stall_ms_max.max(1) * 1_000_000);
        }
        self.shards[index(shard)].busy_until = self.time + pause;
    }

    /// Appends what is there for the shard, and tells the time. Time does not pass.
    pub fn deliver(&mut self, shard: ShardId, completions: &mut Vec<Completion<M>>) -> Now {
        if self.rng.chance(self.faults.clock_jump) {
            let reach = self.faults.clock_jump_ms_max.max(1);
            let ms = self.rng.between(0, 2 * reach) as i64 - reach as i64;
            self.jump_wall(ms);
        }
        self.trace.number(self.time);
        let ready = std::mem::take(&mut self.shards[index(shard)].ready);
        for completion in ready {
            self.note_completion(shard, &completion);
            if let Completion::Done { token, .. } = &completion {
                self.syncs.retain(|(of, sync, _)| (*of, *sync) != (shard, *token));
            }
            if let Completion::Received { socket, data } = &completion {
                self.on_delivered(shard, *socket, data.len());
            }
            completions.push(completion);
        }
        self.now()
    }

    /// Lets time pass until somebody can move, and says who: by the seed if several can.
    ///
    /// - `deadlines`: each shard's, in order.
    /// - `until`: bounds the wait, in [`World::time`].
    pub fn advance(&mut self, deadlines: &[Option<Mono>], until: u64) -> Next {
        assert_eq!(deadlines.len(), self.shards.len(), "one deadline per shard");
        let deadlines: Vec<_> =
            deadlines.iter().map(|deadline| deadline.map(|at| self.time_of(at))).collect();
        loop {
            if let Some(next) = self.pick(&deadlines) {
                return next;
            }
            let event = self.events.first_key_value().map(|(&(time, _), _)| time);
            let shards = self.shards.iter().zip(&deadlines);
            let wake = shards.filter_map(|(shard, &deadline)| shard.wake_time(deadline)).min();
            let next = event.into_iter().chain(wake).min();
            if next.is_none_or(|next| next > until) {
                if until < u64::MAX {
                    self.time = self.time.max(until);
                }
                return Next::Nobody;
            }
            if event == next {
                self.run_event();
            } else if let Some(wake) = wake {
                self.time = self.time.max(wake);
            }
        }
    }

    /// One of those who can move now.
    fn pick(&mut self, deadlines: &[Option<u64>]) -> Option<Next> {
        let shards = (0..).map(ShardId).zip(deadlines);
        let shards: Vec<_> = shards
            .filter(|&(shard, &deadline)| self.is_ready(shard, deadline))
            .map(|(shard, _)| shard)
            .collect();
        let count = shards.len() + self.net.news.len();
        if count == 0 {
            return None;
        }
        let at = self.rng.index(count);
        match shards.get(at) {
            Some(&shard) => Some(Next::Shard(shard)),
            None => self.net.news.remove(at - shards.len()).map(Next::Client),
        }
    }

    /// The process dies at once (SIGKILL). The page cache survives; operations in flight took
    /// effect wholly, partly or not. A new process has begun.
    pub fn kill(&mut self) {
        self.trace.line(format_args!("{} kill", self.time));
        self.end_process();
    }

    /// The machine loses power. Like [`World::kill`], and what was not durable is decided by the
    /// seed: see [`Disk`].
    pub fn lose_power(&mut self) {
        self.trace.line(format_args!("{} power loss", self.time));
        self.end_process();
        let mut rng = self.rng.fork();
        self.disk.lose_power(&mut rng, self.faults.torn_page);
    }

    /// Asks the process to stop: every shard sees [`Completion::Stop`].
    pub fn stop(&mut self) {
        for shard in 0..self.shards.len() {
            let at = self.time + self.rng.below(100_000);
            self.schedule(at, Event::Deliver(shard_id(shard), Completion::Stop));
        }
    }

    /// Moves the wall clock by `ms`, either way.
    pub fn jump_wall(&mut self, ms: i64) {
        self.trace.number(ms as u64);
        self.trace.line(format_args!("{} wall clock jumps {ms} ms", self.time));
        self.wall_offset_ms += ms;
    }

    /// Nanoseconds since the world began, over all lives of the process.
    pub const fn time(&self) -> u64 {
        self.time
    }

    /// Both clocks as the process would read them now.
    pub fn now(&self) -> Now {
        let mono = Mono(self.mono_offset + self.time);
        Now { mono, wall: self.wall() }
    }

    /// The disk.
    pub const fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The disk, to set up or spoil a scene.
    pub const fn disk_mut(&mut self) -> &mut Disk {
        &mut self.disk
    }

    /// The pool that receive buffers come from.
    pub const fn pool(&self) -> &BufferPool {
        &self.pool
    }

    /// The hash of everything that happened.
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The trace, to have the story told or to add to it.
    pub const fn trace_mut(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// What may go wrong from now on.
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Changes what may go wrong from now on.
    pub fn set_faults(&mut self, faults: Faults) {
        self.disk.set_capacity(faults.disk_bytes_max);
        self.faults = faults;
    }

    /// Syncs that failed so far. Who asked was told, unless the process died before.
    pub const fn sync_failures(&self) -> u64 {
        self.sync_failures
    }

    /// The next operation of a kind on a file of a folder, or on the folder's own entry in its parent
    /// where that is `folder`, fails with EIO.
    pub fn break_once(&mut self, what: Broken, folder: impl Into<PathBuf>) {
        self.breaks.push((what, folder.into()));
    }

    /// Nothing fails any more that was to.
    pub fn mend(&mut self) {
        self.breaks.clear();
    }

    /// What has failed because of [`World::break_once`], with the path, since the last call.
    pub fn take_broken(&mut self) -> Vec<(Broken, PathBuf)> {
        std::mem::take(&mut self.broken)
    }

    /// Operations that have not completed.
    pub fn in_flight(&self) -> usize {
        self.events.len()
    }

    /// What the wall clock shows beyond the world's time, ms.
    pub const fn wall_beyond_ms(&self) -> i64 {
        self.wall_offset_ms
    }

    fn wall(&self) -> WallMs {
        WallMs(self.wall_offset_ms + (self.time / 1_000_000) as i64)
    }

    fn time_of(&self, mono: Mono) -> u64 {
        mono.0.saturating_sub(self.mono_offset)
    }

    fn is_ready(&self, shard: ShardId, deadline: Option<u64>) -> bool {
        self.shards[index(shard)].wake_time(deadline).is_some_and(|wake| wake <= self.time)
    }

    fn schedule(&mut self, time: u64, event: Event<M>) {
        self.events.insert((time, self.next_event), event);
        self.next_event += 1;
    }

    /// Lets the next event happen, at its time.
    fn run_event(&mut self) {
        let Some(((time, _), event)) = self.events.pop_first() else {
            return;
        };
        self.time = self.time.max(time);
        match event {
            Event::Apply(shard, op, done) => self.apply(shard, op, done),
            Event::Deliver(shard, completion) => {
                self.shards[index(shard)].ready.push_back(completion);
            }
            Event::ApplyLate(op) => self.apply_late(op),
            Event::Net(event) => self.net_event(event),
        }
    }

    fn submit_one(&mut self, shard: ShardId, op: Op<M>) {
        let op = op.in_front();
        self.note_op(shard, &op);
        if let Op::Sync { token, file } = &op {
            let ino = handle(file, self.life).ino;
            let is_alone = self.syncs.iter().all(|(_, _, other)| *other != ino);
            assert!(is_alone, "two syncs of one file are under way: {file:?}");
            self.syncs.push((shard, *token, ino));
        }
        let Err(op) = self.socket_op(shard, op) else {
            return;
        };
        let Op::Mail { to, mail } = op else {
            let at = self.time + self.delay();
            self.schedule(at, Event::Apply(shard, op, 0));
            return;
        };
        let delay = self.rng.between(200, 20_000);
        let until = &mut self.shards[index(to)].mail_until[index(shard)];
        let at = (self.time + delay).max(*until);
        *until = at;
        let mail = Completion::Mail { from: shard, mail };
        self.schedule(at, Event::Deliver(to, mail));
    }

    /// How long an operation on the disk takes, ns.
    fn delay(&mut self) -> u64 {
        if self.rng.chance(self.faults.spike) {
            return self.rng.below(self.faults.spike_ms_max.max(1) * 1_000_000);
        }
        match self.rng.below(8) {
            0 => self.rng.between(100_000, 2_000_000),
            _ => self.rng.between(1_000, 100_000),
        }
    }

    fn end_process(&mut self) {
        self.syncs.clear();
        let events = std::mem::take(&mut self.events);
        let mut on_the_way = Vec::new();
        for event in events.into_values() {
            match event {
                Event::Net(NetEvent::ToClient(client, bytes)) => on_the_way.push((client, bytes)),
                Event::Net(_) => {}
                Event::Apply(_, op, done) => self.apply_partly(op, done),
                Event::ApplyLate(_) | Event::Deliver(..) => {}
            }
        }
        for shard in &mut self.shards {
            shard.ready.clear();
            shard.busy_until = self.time;
            shard.mail_until.fill(self.time);
        }
        self.end_connections(on_the_way);
        self.life += 1;
        self.mono_offset = self.rng.below(1 << 50);
        // Its descriptors are closed when the caller drops them; they no longer count from here.
        self.disk.collect();
        self.trace.number(self.life);
    }
}

impl<M> Shard<M> {
    /// When it can next be stepped, if it ever can without an event.
    fn wake_time(&self, deadline: Option<u64>) -> Option<u64> {
        let reason = if self.ready.is_empty() { deadline } else { Some(0) };
        reason.map(|at| at.max(self.busy_until))
    }
}

const fn index(shard: ShardId) -> usize {
    shard.0 as usize
}

fn shard_id(index: usize) -> ShardId {
    ShardId(u16::try_from(index).expect("made from a u16"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use bytes::Bytes;
    use millrace_io::{FileRef, OpenMode, Token};

    use super::*;

    const SHARD: ShardId = ShardId(0);

    fn token(seq: u32) -> Token {
        Token { owner: 0, seq }
    }

    fn open(world: &mut World<()>, path: &str) -> FileRef {
        let op = Op::Open { token: token(0), path: PathBuf::from(path), mode: OpenMode::Create };
        match &run(world, op)[..] {
            [Completion::Opened { result: Ok((file, _)), .. }] => file.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn write(file: &FileRef, seq: u32, position: u64, data: &'static [u8]) -> Op<()> {
        let chunks = vec![Bytes::from_static(data)];
        Op::Write { token: token(seq), file: file.clone(), position, chunks }
    }

    fn run(world: &mut World<()>, op: Op<()>) -> Vec<Completion<()>> {
        let mut completions = Vec::new();
        world.turn(SHARD, &mut vec![op], None, &mut completions);
        completions
    }

    #[test]
    fn writes_complete_in_any_order_and_are_read_back() {
        let mut orders = std::collections::BTreeSet::new();
        for seed in 0..30 {
            let mut world = World::new(WorldConfig::new(seed));
            let file = open(&mut world, "f");
            let mut ops = vec![write(&file, 1, 0, b"abc"), write(&file, 2, 3, b"def")];
            let mut completions = Vec::new();
            while completions.len() < 2 {
                world.turn(SHARD, &mut ops, None, &mut completions);
            }
            let order: Vec<_> = completions
                .iter()
                .map(|completion| {
                    let Completion::Wrote { token, result, .. } = completion else {
                        panic!("{completion:?}");
                    };
                    assert_eq!(*result, Ok(()));
                    token.seq
                })
                .collect();
            orders.insert(order);
            let read = Op::Read { token: token(3), file, position: 1, length: 100 };
            match &run(&mut world, read)[..] {
                [Completion::Read { result: Ok(bytes), .. }] => assert_eq!(&bytes[..], b"bcdef"),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(orders.len(), 2, "both orders occur");
    }

    #[test]
    fn a_kill_keeps_what_was_written_and_some_of_what_was_in_flight() {
        let (mut none, mut part, mut all) = (0, 0, 0);
        for seed in 0..200 {
            let mut world = World::new(WorldConfig::new(seed));
            let file = open(&mut world, "f");
            run(&mut world, write(&file, 1, 0, b"abc"));
            world.submit(SHARD, &mut vec![write(&file, 2, 3, b"defghi")]);
            world.kill();
            match world.disk().content("f").expect("a name in the cache survives") {
                b"abc" => none += 1,
                b"abcdefghi" => all += 1,
                other if b"abcdefghi".starts_with(other) && other.len() > 3 => part += 1,
                other => panic!("seed {seed}: {other:?}"),
            }
            let mut completions = Vec::new();
            world.turn(SHARD, &mut Vec::new(), None, &mut completions);
            assert!(completions.is_empty(), "the dead are told nothing");
        }
        assert!(none > 5 && part > 20 && all > 50, "{none} {part} {all}");
    }

    #[test]
    fn what_is_to_break_breaks_once_and_only_there() {
        let mut world = World::new(WorldConfig::new(1));
        run(&mut world, Op::MakeDir { token: token(0), path: "/d".into(), is_new: false });
        let (inside, beside) = (open(&mut world, "/d/f"), open(&mut world, "/f"));
        let result = |world: &mut World<()>, op: Op<()>| match &run(world, op)[..] {
            [Completion::Wrote { result, .. } | Completion::Done { result, .. }] => *result,
            other => panic!("{other:?}"),
        };
        world.break_once(Broken::Write, "/d");
        world.break_once(Broken::Name, "/d");
        assert_eq!(result(&mut world, write(&beside, 1, 0, b"abc")), Ok(()));
        assert!(result(&mut world, write(&inside, 2, 0, b"abc")).is_err());
        assert_eq!(result(&mut world, write(&inside, 3, 0, b"abc")), Ok(()));
        let remove = Op::Remove { token: token(4), path: "/d/f".into() };
        assert!(result(&mut world, remove).is_err());
        assert!(world.disk().content("/d/f").is_some());
        let broken = world.take_broken();
        assert_eq!(broken, [(Broken::Write, "/d/f".into()), (Broken::Name, "/d/f".into())]);
    }

    #[test]
    fn the_same_seed_gives_the_same_trace_and_another_does_not() {
        let trace = |seed| {
            let mut world = World::new(WorldConfig::new(seed));
            let mut rng = Rng::new(seed);
            let faults = Faults {
                read_error: 100,
                write_error: 100,
                sync_error: 200,
                ..Faults::swarm(&mut rng)
            };
            world.set_faults(faults);
            let file = loop {
                let op = Op::Open { token: token(0), path: "f".into(), mode: OpenMode::Create };
                if let [Completion::Opened { result: Ok((file, _)), .. }] = &run(&mut world, op)[..]
                {
                    break file.clone();
                }
            };
            for seq in 0..50 {
                run(&mut world, write(&file, seq, u64::from(seq) * 3, b"abc"));
                run(&mut world, Op::Sync { token: token(seq), file: file.clone() });
            }
            world.lose_power();
            (world.trace().hash(), world.disk().content("f").map(<[u8]>::to_vec))
        };
        assert_eq!(trace(5), trace(5));
        assert_ne!(trace(5).0, trace(6).0);
    }

    #[test]
    fn a_deadline_is_met_when_nothing_happens() {
        let mut world: World<()> = World::new(WorldConfig::new(1));
        let start = world.now();
        let deadline = start.mono.plus_ms(50);
        let now = world.turn(SHARD, &mut Vec::new(), Some(deadline), &mut Vec::new());
        assert_eq!(now.mono, deadline);
        assert_eq!(now.wall.0, start.wall.0 + 50);
    }

    #[test]
    fn mail_between_two_shards_keeps_its_order() {
        for seed in 0..50 {
            let config = WorldConfig { shards: 2, ..WorldConfig::new(seed) };
            let mut world: World<u32> = World::new(config);
            let mut ops = (0..20).map(|mail| Op::Mail { to: ShardId(1), mail }).collect();
            world.submit(SHARD, &mut ops);
            let mut completions = Vec::new();
            while let Next::Shard(shard) = world.advance(&[None, None], u64::MAX) {
                assert_eq!(shard, ShardId(1));
                world.deliver(shard, &mut completions);
            }
            let mails: Vec<_> = completions
                .iter()
                .map(|completion| {
                    let Completion::Mail { mail, .. } = completion else {
                        panic!("{completion:?}");
                    };
                    *mail
                })
                .collect();
            assert_eq!(mails, (0..20).collect::<Vec<_>>());
        }
    }
}
