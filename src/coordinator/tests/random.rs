//! Random members against one group, with what must hold whatever they do.
//!
//! - An assignment belongs to one generation: no two members of a generation get the same one.
//! - A generation has one leader.
//! - Generations never go back, restarts included, once somebody was assigned something.
//! - Committed offsets are what the last acknowledged commit said; they never change by themselves.
//! - Every ask is answered once time has passed.

use super::*;
use crate::random::Random;

struct Client {
    member_id: String,
    instance: Option<String>,
    generation: i32,
    waiting: Option<u32>,
}

struct Run {
    bench: Bench,
    random: Random,
    clients: Vec<Client>,
    leaders: BTreeMap<i32, String>,
    /// Who got which assignment in which generation.
    owners: BTreeMap<(i32, Bytes), String>,
    assigned: i32,
    /// The group's, as last seen.
    generation: i32,
    offset: i64,
    commits: Vec<(u32, i64)>,
}

impl Run {
    fn below(&mut self, limit: u64) -> u64 {
        self.random.u64() % limit
    }

    fn step(&mut self) {
        let count = u64::try_from(self.clients.len()).expect("few");
        let index = usize::try_from(self.below(count)).expect("few");
        match self.below(12) {
            0..=3 => self.join(index),
            4..=6 => self.heartbeat(index),
            7 => self.leave(index),
            8 => self.commit(index),
            9 => {
                let ms = self.below(15_000);
                self.bench.pass(ms);
            }
            10 => {
                self.bench.holds = !self.bench.holds;
                if self.below(4) == 0 {
                    self.bench.fail_held(ErrorCode::NotEnoughReplicas);
                }
                self.bench.commit_held();
                self.bench.pump();
            }
            _ => {
                if self.below(20) == 0 {
                    self.restart();
                }
            }
        }
        self.collect();
        let generation = self.bench.generation().max(0);
        assert!(generation >= self.generation, "generation {generation} after {}", self.generation);
        self.generation = generation;
    }

    fn join(&mut self, index: usize) {
        let client = &self.clients[index];
        if client.waiting.is_some() {
            return;
        }
        let request = join_request(&client.member_id, client.instance.as_deref());
        let ticket = self.bench.ask(GroupAsk::Join(Box::new(request), requester(9)));
        self.clients[index].waiting = Some(ticket);
    }

    fn heartbeat(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let error = self.bench.heartbeat(&client.member_id, client.generation);
        if error == ErrorCode::UnknownMemberId {
            client.member_id = String::new();
        }
    }

    fn leave(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let id = std::mem::take(&mut client.member_id);
        client.waiting = None;
        self.bench.leave(&id, client.instance.as_deref());
    }

    fn commit(&mut self, index: usize) {
        let client = &self.clients[index];
        let offset = self.offset + 1;
        let ticket = self.bench.commit(&client.member_id, client.generation, offset);
        self.commits.push((ticket, offset));
        self.offset = offset;
    }

    fn restart(&mut self) {
        let before = self.bench.fetch();
        self.bench.restart();
        assert_eq!(self.bench.fetch(), before, "a restart changed an offset");
        let generation = self.bench.generation().max(0);
        assert!(generation >= self.assigned, "generation {generation} after {}", self.assigned);
        // Whoever waited has lost its connection.
        for client in &mut self.clients {
            client.waiting = None;
        }
        self.commits.clear();
        // A generation that was assigned nothing is not in the log: its number comes again.
        let assigned = self.assigned;
        self.generation = assigned;
        self.leaders.retain(|generation, _| *generation <= assigned);
    }

    /// Clients take their answers and go on from them.
    fn collect(&mut self) {
        for index in 0..self.clients.len() {
            let Some(ticket) = self.clients[index].waiting else { continue };
            match self.bench.answers.get(&ticket).cloned() {
                None => {}
                Some(GroupAnswer::Joined(response)) => self.on_joined(index, &response),
                Some(GroupAnswer::Synced(response)) => self.on_synced(index, &response),
                Some(other) => panic!("{other:?}"),
            }
        }
        let answers = &self.bench.answers;
        self.commits.retain(|(ticket, _)| !answers.contains_key(ticket));
    }

    fn on_joined(&mut self, index: usize, response: &JoinGroupResponse) {
        self.clients[index].waiting = None;
        let error = code(response.error_code);
        if error == ErrorCode::MemberIdRequired {
            self.clients[index].member_id.clone_from(&response.member_id);
            return self.join(index);
        }
        if error != ErrorCode::None {
            self.clients[index].member_id = String::new();
            return;
        }
        let generation = response.generation_id;
        let client = &mut self.clients[index];
        client.member_id.clone_from(&response.member_id);
        client.generation = generation;
        let member = client.member_id.clone();
        let mut members = Vec::new();
        if response.leader == member && !response.skip_assignment {
            if client.instance.is_none() {
                let leader = self.leaders.entry(generation).or_insert_with(|| member.clone());
                assert_eq!(*leader, member, "two leaders of generation {generation}");
            }
            members = response.members.iter().map(|it| it.member_id.clone()).collect();
        }
        let ticket = self.bench.sync(&member, generation, &members);
        self.clients[index].waiting = Some(ticket);
    }

    fn on_synced(&mut self, index: usize, response: &SyncGroupResponse) {
        let client = &mut self.clients[index];
        client.waiting = None;
        if response.error_code != 0 {
            return;
        }
        self.assigned = self.assigned.max(client.generation);
        // A static member keeps what its former self was given; the others own theirs alone.
        if response.assignment.is_empty() || client.instance.is_some() {
            return;
        }
        let key = (client.generation, response.assignment.clone());
        let owner = self.owners.entry(key).or_insert_with(|| client.member_id.clone());
        assert_eq!(*owner, client.member_id, "two owners in generation {}", client.generation);
    }
}

fn run(seed: u64) {
    let client = |index: usize| Client {
        member_id: String::new(),
        instance: (index % 3 == 2).then(|| format!("i{index}")),
        generation: -1,
        waiting: None,
    };
    let mut run = Run {
        // Expiry would end the group, and its generations with it.
        bench: Bench::new(GroupConfig {
            size_max: 5,
            offsets_retention_check_ms: 864_000_000,
            ..GroupConfig::default()
        }),
        random: Random::new(seed),
        clients: (0..6).map(client).collect(),
        leaders: BTreeMap::new(),
        owners: BTreeMap::new(),
        assigned: 0,
        generation: 0,
        offset: 0,
        commits: Vec::new(),
    };
    let mut last = -1;
    for _ in 0..400 {
        run.step();
        let now = run.bench.fetch();
        assert!(now >= last, "offset {now} after {last}");
        last = now;
    }
    run.bench.holds = false;
    run.bench.commit_held();
    run.bench.pump();
    run.bench.pass(600_000);
    run.collect();
    for client in &run.clients {
        let open = client.waiting.is_some_and(|ticket| run.bench.is_open(ticket));
        assert!(!open, "an ask was never answered");
    }
    assert!(run.commits.is_empty(), "a commit was never answered");
}

#[test]
fn whatever_members_do_generations_have_one_owner_and_offsets_stay() {
    for seed in 0..300 {
        let result = std::panic::catch_unwind(|| run(seed));
        if let Err(panic) = result {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
