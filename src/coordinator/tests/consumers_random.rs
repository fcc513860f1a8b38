//! Random members of a consumer group, with what must hold whatever they do.
//!
//! - No two members work on one partition at the same time, crashes of the broker included.
//! - A member's epoch never goes back while it is the same member.
//! - What the broker holds in memory is what its log replays to.
//! - Once everybody beats and nothing changes, the group is stable and every partition is held.

use std::collections::BTreeSet;

use millrace_net::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};

use super::consumers::{beat, joining};
use super::*;
use crate::random::Random;

const TOPICS: [&str; 3] = ["t", "u", "w"];

#[derive(Default)]
struct Client {
    id: String,
    instance: Option<String>,
    /// 0 while it is out.
    epoch: i32,
    holds: BTreeSet<(Uuid, i32)>,
    topics: Vec<&'static str>,
    regex: Option<&'static str>,
    /// When it was last answered, ms.
    heard: u64,
    /// Its last request was not answered: it says all again in the next.
    lost: bool,
}

struct Run {
    bench: Bench,
    random: Random,
    clients: Vec<Client>,
    names: u32,
}

impl Run {
    fn below(&mut self, limit: u64) -> u64 {
        self.random.u64() % limit
    }

    fn new(seed: u64) -> Self {
        let mut run = Self {
            bench: Bench::without_delay(),
            random: Random::new(seed),
            clients: Vec::new(),
            names: 0,
        };
        for (name, count) in TOPICS.iter().zip([3, 4, 2]) {
            run.bench.topic(name, count);
        }
        let count = 2 + run.below(4);
        for index in 0..count {
            let instance = (index % 2 == 0).then(|| format!("i{index}"));
            run.clients.push(Client { instance, ..Client::default() });
        }
        run
    }

    fn request(&self, index: usize) -> ConsumerGroupHeartbeatRequest {
        let client = &self.clients[index];
        let mut owned: BTreeMap<Uuid, Vec<i32>> = BTreeMap::new();
        for (topic, partition) in &client.holds {
            owned.entry(*topic).or_default().push(*partition);
        }
        let owned = owned
            .into_iter()
            .map(|(topic_id, partitions)| TopicPartitions { topic_id, partitions })
            .collect();
        let mut request = if client.epoch == 0 {
            joining(&client.id, &client.topics)
        } else {
            ConsumerGroupHeartbeatRequest {
                topic_partitions: Some(owned),
                ..beat(&client.id, client.epoch)
            }
        };
        if client.epoch == 0 || client.lost {
            request.subscribed_topic_names =
                Some(client.topics.iter().map(|it| (*it).to_owned()).collect());
            request.subscribed_topic_regex = Some(client.regex.unwrap_or_default().to_owned());
            // Beyond the session's: a member whose answers get lost cannot know of the other one.
            request.rebalance_timeout_ms = 300_000;
        }
        request.instance_id.clone_from(&client.instance);
        request
    }

    /// A member beats; one that is out joins. Its answer may get lost.
    fn beat(&mut self, index: usize) {
        if self.clients[index].epoch == 0 {
            let topics = TOPICS.into_iter().filter(|_| self.random.u64().is_multiple_of(2));
            let topics = topics.collect();
            self.names += 1;
            let regex = self.below(4) == 0;
            let client = &mut self.clients[index];
            client.id = format!("m{}", self.names);
            client.topics = topics;
            client.regex = regex.then_some("[tu]");
        }
        let request = self.request(index);
        let ticket = self.bench.ask(GroupAsk::ConsumerHeartbeat(Box::new(request), requester(1)));
        if self.bench.is_open(ticket) || self.below(6) == 0 {
            self.clients[index].lost = true;
            return;
        }
        let response = self.bench.beaten(ticket);
        self.take(index, &response);
    }

    fn take(&mut self, index: usize, response: &ConsumerGroupHeartbeatResponse) {
        let client = &mut self.clients[index];
        client.lost = false;
        #[expect(clippy::wildcard_enum_match_arm, reason = "any other code is a failure")]
        match code(response.error_code) {
            ErrorCode::None => {}
            ErrorCode::UnreleasedInstanceId
            | ErrorCode::CoordinatorNotAvailable
            | ErrorCode::NotCoordinator => return,
            ErrorCode::UnknownMemberId
            | ErrorCode::FencedMemberEpoch
            | ErrorCode::FencedInstanceId
            | ErrorCode::GroupIdNotFound => {
                client.epoch = 0;
                client.holds.clear();
                return;
            }
            error => panic!("{error:?}: {response:?}"),
        }
        assert!(response.member_epoch >= client.epoch, "epoch of {} went back", client.id);
        client.epoch = response.member_epoch;
        client.heard = self.bench.now_ms;
        if let Some(assignment) = &response.assignment {
            let topics = assignment.topic_partitions.iter();
            client.holds = topics
                .flat_map(|it| it.partitions.iter().map(|partition| (it.topic_id, *partition)))
                .collect();
        }
        self.check_holders();
    }

    /// A member that was not heard for its session's time knows that it is out.
    fn check_holders(&self) {
        let mut seen = BTreeMap::new();
        for client in &self.clients {
            if self.bench.now_ms - client.heard >= 45_000 {
                continue;
            }
            for place in &client.holds {
                let before = seen.insert(*place, &client.id);
                assert!(before.is_none(), "{place:?}: {before:?} and {}", client.id);
            }
        }
    }

    fn leave(&mut self, index: usize) {
        let client = &mut self.clients[index];
        if client.epoch == 0 {
            return;
        }
        let epoch = if client.instance.is_some() { -2 } else { -1 };
        let mut request = beat(&client.id, epoch);
        request.instance_id.clone_from(&client.instance);
        client.epoch = 0;
        client.holds.clear();
        self.bench.ask(GroupAsk::ConsumerHeartbeat(Box::new(request), requester(1)));
    }

    fn step(&mut self) {
        let count = u64::try_from(self.clients.len()).expect("few");
        let index = usize::try_from(self.below(count)).expect("few");
        match self.below(24) {
            0..=13 => self.beat(index),
            14 => self.leave(index),
            15 => {
                // The process dies without a word.
                self.clients[index].epoch = 0;
                self.clients[index].holds.clear();
            }
            16..=19 => {
                let ms = self.below(6_000);
                self.bench.pass(ms);
                self.expire();
            }
            20 => {
                let partitions = i32::try_from(self.below(6)).expect("few");
                let topic = usize::try_from(self.below(3)).expect("few");
                let grown = self.bench.topics.get(TOPICS[topic]).copied().unwrap_or(0);
                self.bench.topic(TOPICS[topic], grown.max(partitions));
            }
            21 => {
                self.bench.holds = !self.bench.holds;
                if self.below(3) == 0 {
                    self.bench.fail_held(ErrorCode::NotEnoughReplicas);
                }
                self.bench.commit_held();
                self.bench.pump();
            }
            22 if self.below(4) == 0 => self.bench.restart(),
            _ => self.check_replay(),
        }
    }

    /// Clients know by their own clocks that their session is over.
    fn expire(&mut self) {
        let now = self.bench.now_ms;
        for client in &mut self.clients {
            if client.epoch > 0 && now - client.heard >= 45_000 {
                client.epoch = 0;
                client.holds.clear();
            }
        }
    }

    fn check_replay(&mut self) {
        let before = self.bench.described();
        let mut other = GroupCoordinator::new(GroupConfig::default(), 9);
        for record in &self.bench.log {
            other.replay(record);
        }
        other.set_image(Arc::clone(&self.bench.image));
        other.loaded(self.bench.now());
        let GroupAnswer::ConsumerDescribed(after) = other.describe_consumer("g") else {
            panic!("a description")
        };
        assert_eq!(after, before);
    }

    fn calm(&mut self) {
        self.bench.holds = false;
        self.bench.commit_held();
        self.bench.pump();
        for _ in 0..60 {
            for index in 0..self.clients.len() {
                let request = self.request(index);
                let response = self.bench.beats(request);
                self.take(index, &response);
                if self.clients[index].epoch == 0 {
                    self.names += 1;
                    self.clients[index].id = format!("m{}", self.names);
                    self.clients[index].topics = TOPICS.to_vec();
                }
            }
            self.bench.pass(2_500);
        }
        let group = self.bench.described();
        assert_eq!(group.group_state, "Stable", "{group:#?}");
        let held: usize = self.clients.iter().map(|client| client.holds.len()).sum();
        let wanted: BTreeSet<&str> = self
            .clients
            .iter()
            .flat_map(|client| {
                let by_regex = if client.regex.is_some() { &TOPICS[..2] } else { &[] };
                client.topics.iter().chain(by_regex).copied()
            })
            .collect();
        let topics = self.bench.topics.iter();
        let wanted = topics.filter(|(name, _)| wanted.contains(name.as_str()));
        let wanted: i32 = wanted.map(|(_, count)| *count).sum();
        assert_eq!(i32::try_from(held).expect("few"), wanted, "partitions without a holder");
    }
}

#[test]
fn members_never_share_a_partition_and_a_calm_group_gets_stable() {
    for seed in 0..150 {
        let mut run = Run::new(seed);
        for _ in 0..300 {
            run.step();
        }
        run.calm();
        run.check_replay();
    }
}
