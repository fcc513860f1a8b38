//! What a scenario is played on: a driver, or the simulated world, with clients beside it.

use std::path::PathBuf;

use bytes::Bytes;
use millrace_io::{
    BufferPool, Completion, FileRef, IoError, ListenerId, Now, Op, OpenMode, ShardId, SocketId,
    Token,
};
use millrace_world::{ClientId, Faults, Rng, World, WorldConfig};

pub(crate) type Completions = Vec<Completion<u32>>;

/// A driver with a folder of its own and one listener, and clients that connect to it.
pub(crate) trait Rig {
    /// One turn; waits up to `wait_ms` for something to happen.
    fn turn(
        &mut self,
        shard: ShardId,
        ops: &mut Vec<Op<u32>>,
        wait_ms: u64,
        completions: &mut Completions,
    ) -> Now;
    /// An empty folder.
    fn root(&self) -> PathBuf;
    /// Where receive buffers come from.
    fn pool(&self) -> BufferPool;
    /// Connects a client and numbers it.
    fn connect(&mut self) -> usize;
    /// Sends as much as the connection takes now, and says how much.
    fn client_send(&mut self, client: usize, bytes: &[u8]) -> usize;
    /// What has arrived at the client, without waiting.
    fn client_receive(&mut self, client: usize) -> Vec<u8>;
    /// Whether the client has seen the end of its connection, all bytes before it received.
    fn client_ended(&mut self, client: usize) -> bool;
    /// The client shuts its sending side down.
    fn client_finish(&mut self, client: usize);
    /// The client breaks the connection.
    fn client_reset(&mut self, client: usize);
}

pub(crate) const SHARD: ShardId = ShardId(0);
/// Turns, of up to 5 ms each where time is real, after which a scenario gives up.
const TURNS_MAX: usize = 2000;

pub(crate) fn token(seq: u32) -> Token {
    Token { owner: 7, seq }
}

/// Takes turns until `enough` says so of all that has completed since the call.
pub(crate) fn turns_until(
    rig: &mut dyn Rig,
    mut ops: Vec<Op<u32>>,
    mut enough: impl FnMut(&[Completion<u32>]) -> bool,
) -> Completions {
    let mut completions = Vec::new();
    for _ in 0..TURNS_MAX {
        rig.turn(SHARD, &mut ops, 5, &mut completions);
        assert!(ops.is_empty(), "a turn takes all operations");
        if enough(&completions) {
            return completions;
        }
    }
    panic!("not within {TURNS_MAX} turns; {} completions came", completions.len());
}

/// Takes `turns` turns in which nothing is asked for; returns what came nevertheless.
pub(crate) fn idle(rig: &mut dyn Rig, turns: usize) -> Completions {
    let mut completions = Vec::new();
    for _ in 0..turns {
        rig.turn(SHARD, &mut Vec::new(), 2, &mut completions);
    }
    completions
}

/// Runs one operation to its only completion.
pub(crate) fn run(rig: &mut dyn Rig, op: Op<u32>) -> Completion<u32> {
    let mut completions = turns_until(rig, vec![op], |completions| !completions.is_empty());
    assert_eq!(completions.len(), 1, "{completions:?}");
    completions.remove(0)
}

/// Runs an operation that ends with `Done`.
pub(crate) fn done(rig: &mut dyn Rig, op: Op<u32>) -> Result<(), IoError> {
    match run(rig, op) {
        Completion::Done { result, .. } => result,
        completion => panic!("{completion:?}"),
    }
}

pub(crate) fn open(
    rig: &mut dyn Rig,
    path: impl Into<PathBuf>,
    mode: OpenMode,
) -> Result<(FileRef, u64), IoError> {
    match run(rig, Op::Open { token: token(1), path: path.into(), mode }) {
        Completion::Opened { token: echoed, result } => {
            assert_eq!(echoed, token(1));
            result
        }
        completion => panic!("{completion:?}"),
    }
}

/// Makes a file in the rig's folder and opens it.
pub(crate) fn create(rig: &mut dyn Rig, name: &str) -> FileRef {
    let path = rig.root().join(name);
    open(rig, path, OpenMode::Create).expect("a new file opens").0
}

pub(crate) fn read(rig: &mut dyn Rig, file: &FileRef, position: u64, length: u32) -> Bytes {
    let op = Op::Read { token: token(2), file: file.clone(), position, length };
    match run(rig, op) {
        Completion::Read { result, .. } => result.expect("a healthy disk reads"),
        completion => panic!("{completion:?}"),
    }
}

pub(crate) fn write(rig: &mut dyn Rig, file: &FileRef, position: u64, data: &[u8]) {
    let chunks = vec![Bytes::copy_from_slice(data)];
    match run(rig, Op::Write { token: token(3), file: file.clone(), position, chunks }) {
        Completion::Wrote { result, .. } => result.expect("a healthy disk writes"),
        completion => panic!("{completion:?}"),
    }
}

/// Connects a client; returns it and its socket.
pub(crate) fn connect(rig: &mut dyn Rig) -> (usize, SocketId) {
    let client = rig.connect();
    let is_accepted = |completion: &Completion<u32>| {
        matches!(completion, Completion::Accepted { listener: ListenerId(0), .. })
    };
    let completions =
        turns_until(rig, Vec::new(), |completions| completions.iter().any(is_accepted));
    match &completions[..] {
        [Completion::Accepted { socket, .. }] => (client, *socket),
        other => panic!("{other:?}"),
    }
}

/// All bytes of `Received` completions for the socket, in order.
pub(crate) fn received(completions: &[Completion<u32>], of: SocketId) -> Vec<u8> {
    let mut bytes = Vec::new();
    for completion in completions {
        if let Completion::Received { socket, data } = completion
            && *socket == of
        {
            assert!(!data.is_empty(), "at least one byte");
            bytes.extend_from_slice(data);
        }
    }
    bytes
}

pub(crate) fn is_sent(completion: &Completion<u32>) -> bool {
    matches!(completion, Completion::Sent { .. })
}

pub(crate) fn is_closed(completion: &Completion<u32>) -> bool {
    matches!(completion, Completion::Closed { .. })
}

/// Bytes in which every stretch is recognisable.
pub(crate) fn pattern(length: usize, salt: u64) -> Vec<u8> {
    let mut rng = Rng::new(salt);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&rng.word().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// The simulated world as a rig.
pub(crate) struct WorldRig {
    world: World<u32>,
    clients: Vec<ClientId>,
}

impl WorldRig {
    /// A world that delays, splits and trickles, but breaks nothing.
    pub(crate) fn new(seed: u64, shards: u16) -> Self {
        let mut rng = Rng::new(seed);
        let faults = Faults { reset: 0, ..Faults::swarm(&mut rng) };
        let config = WorldConfig { shards, listening: shards, faults, ..WorldConfig::new(seed) };
        let mut world = World::new(config);
        world.disk_mut().put("root/x", Vec::new());
        let mut rig = Self { world, clients: Vec::new() };
        let gone = Op::Remove { token: token(0), path: "root/x".into() };
        done(&mut rig, gone).expect("removed");
        rig
    }
}

impl Rig for WorldRig {
    fn turn(
        &mut self,
        shard: ShardId,
        ops: &mut Vec<Op<u32>>,
        wait_ms: u64,
        completions: &mut Completions,
    ) -> Now {
        let deadline = self.world.now().mono.plus_ms(wait_ms);
        self.world.turn(shard, ops, Some(deadline), completions)
    }

    fn root(&self) -> PathBuf {
        PathBuf::from("root")
    }

    fn pool(&self) -> BufferPool {
        self.world.pool().clone()
    }

    fn connect(&mut self) -> usize {
        self.clients.push(self.world.connect(ListenerId(0)));
        self.clients.len() - 1
    }

    fn client_send(&mut self, client: usize, bytes: &[u8]) -> usize {
        self.world.client_send(self.clients[client], bytes);
        bytes.len()
    }

    fn client_receive(&mut self, client: usize) -> Vec<u8> {
        self.world.client_receive(self.clients[client]).to_vec()
    }

    fn client_ended(&mut self, client: usize) -> bool {
        self.world.client_end(self.clients[client]).is_some()
    }

    fn client_finish(&mut self, client: usize) {
        self.world.client_finish(self.clients[client]);
    }

    fn client_reset(&mut self, client: usize) {
        self.world.client_reset(self.clients[client]);
    }
}
