//! Stops at moments that seeds seldom hit.

use bytes::Bytes;
use millrace_net::Request;
use millrace_net::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use millrace_net::messages::find_coordinator::FindCoordinatorRequest;
use millrace_net::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use millrace_net::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestTopic};
use millrace_sim::link::Link;
use millrace_sim::machine::Machine;
use millrace_sim::plan::{MS, Plan};
use millrace_world::{Faults, Next};

/// Starts that are interrupted.
const STARTS: u64 = 300;
/// Stops of brokers whose offsets topic is new.
const STOPS: u64 = 1000;
/// Requests of a client that are under way.
const COMMITS_AHEAD: usize = 3;

/// Lets the machine run until `until`, or until it has made so many steps.
fn run(machine: &mut Machine, until: u64, steps_max: u64) {
    let mut steps = 0;
    while machine.world.time() < until && steps < steps_max && !machine.has_finished() {
        steps += 1;
        if let Next::Shard(shard) = machine.advance(until) {
            machine.step(shard);
        }
    }
}

/// A stop that came in the same turn as the last that the start waited for was forgotten: the broker
/// went on to serve. One that found some shards serving and others not left those waiting for a word.
#[test]
fn a_stop_during_a_start_is_heeded() {
    for seed in 0..STARTS {
        // Shards that come late find much in one turn.
        let faults = Faults { stall: 700, stall_ms_max: 20, ..Faults::none() };
        let shards = u16::try_from(1 + seed % 3).expect("small");
        let plan = Plan { faults, shards, ..Plan::of_seed(seed) };
        let mut machine = Machine::new(&plan);
        run(&mut machine, 500 * MS, u64::MAX);
        machine.kill();
        run(&mut machine, u64::MAX, seed % 60);
        machine.stop();
        let until = machine.world.time() + 30_000 * MS;
        run(&mut machine, until, u64::MAX);
        assert!(machine.has_finished(), "seed {seed}: still there after half a minute");
    }
}

/// Somebody who commits for a group one number after the other, some ahead of the answers.
struct Committer {
    group: String,
    link: Link,
    sent: i64,
    answered: i64,
    acknowledged: i64,
}

impl Committer {
    fn new(machine: &mut Machine, group: String) -> Self {
        let link = Link::connect(&mut machine.world);
        Self { group, link, sent: 0, answered: 0, acknowledged: 0 }
    }

    fn advance(&mut self, machine: &mut Machine) {
        while let Some(frame) = self.link.receive(&mut machine.world) {
            let response = self.link.take::<OffsetCommitRequest>(&frame).expect("readable");
            self.answered += 1;
            if response.topics[0].partitions[0].error_code == 0 {
                self.acknowledged = self.answered;
            }
        }
        while self.link.waiting() < COMMITS_AHEAD && !self.link.has_ended(&machine.world) {
            self.sent += 1;
            let part = OffsetCommitRequestPartition {
                committed_offset: self.sent,
                ..OffsetCommitRequestPartition::default()
            };
            let topic = OffsetCommitRequestTopic {
                name: "topic".to_owned(),
                partitions: vec![part],
                ..OffsetCommitRequestTopic::default()
            };
            let group_id = self.group.clone();
            let topics = vec![topic];
            let request =
                OffsetCommitRequest { group_id, topics, ..OffsetCommitRequest::default() };
            self.link.send(&mut machine.world, &request, 8);
        }
    }

    /// What the broker that runs now knows of the group; nothing while it cannot say.
    fn look_up(&mut self, machine: &mut Machine) -> Option<i64> {
        let topic =
            OffsetFetchRequestTopic { name: "topic".to_owned(), partition_indexes: vec![0] };
        let request = OffsetFetchRequest {
            group_id: self.group.clone(),
            topics: Some(vec![topic]),
            ..OffsetFetchRequest::default()
        };
        let frame = ask(machine, &mut self.link, &request, 7);
        let response = self.link.take::<OffsetFetchRequest>(&frame).expect("readable");
        (response.error_code == 0).then(|| response.topics[0].partitions[0].committed_offset)
    }
}

/// Sends a request and lets the machine run until the response is there.
fn ask<R: Request>(machine: &mut Machine, link: &mut Link, request: &R, version: i16) -> Bytes {
    link.send(&mut machine.world, request, version);
    let end = machine.world.time() + 10_000 * MS;
    loop {
        let until = machine.world.time() + MS;
        run(machine, until, u64::MAX);
        if let Some(frame) = link.receive(&mut machine.world) {
            return frame;
        }
        assert!(machine.world.time() < end, "no response within ten seconds");
    }
}

/// A partition that came to a shard when that had begun to close its logs was made, took appends and
/// was not closed: the checkpoint of the clean stop said that it was empty.
#[test]
fn what_a_group_commits_while_its_topic_is_made_and_the_broker_stops_is_there_afterwards() {
    let (mut acknowledged, mut stopped_before) = (0, 0);
    for seed in 0..STOPS {
        let faults = Faults { stall: 300, stall_ms_max: 100, ..Faults::none() };
        let settings = vec![("offsets.topic.num.partitions", "6".to_owned())];
        let plan = Plan { faults, shards: 3, settings, ..Plan::of_seed(seed) };
        let mut machine = Machine::new(&plan);
        run(&mut machine, 500 * MS, u64::MAX);
        let mut link = Link::connect(&mut machine.world);
        let topic = CreatableTopic {
            name: "topic".to_owned(),
            num_partitions: 1,
            replication_factor: 1,
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], ..CreateTopicsRequest::default() };
        ask(&mut machine, &mut link, &request, 5);
        let mut committers: Vec<Committer> =
            (0..6).map(|at| Committer::new(&mut machine, format!("group-{at}"))).collect();
        // This has the offsets topic made.
        let request = FindCoordinatorRequest::default();
        link.send(&mut machine.world, &request, 3);
        let mut stop_at = Some(machine.world.time() + seed % 97 * MS);
        let end = machine.world.time() + 30_000 * MS;
        while !machine.has_finished() && machine.world.time() < end {
            run(&mut machine, end, 1);
            for committer in &mut committers {
                committer.advance(&mut machine);
            }
            if stop_at.take_if(|at| machine.world.time() >= *at).is_some() {
                machine.stop();
            }
        }
        assert!(machine.has_finished(), "seed {seed}: still there after half a minute");
        machine.world.set_faults(Faults::none());
        machine.restart();
        let until = machine.world.time() + 3_000 * MS;
        run(&mut machine, until, u64::MAX);
        for committer in &mut committers {
            acknowledged += u64::from(committer.acknowledged > 0);
            stopped_before += u64::from(committer.acknowledged == 0);
            if committer.acknowledged > 0 {
                committer.link = Link::connect(&mut machine.world);
                let found = committer.look_up(&mut machine).expect("it is loaded");
                let range = committer.acknowledged..=committer.sent;
                assert!(range.contains(&found), "seed {seed}, {}: {found}", committer.group);
            }
        }
    }
    println!("{acknowledged} groups had commits at their stop, {stopped_before} had none");
    assert!(acknowledged > 100 && stopped_before > 100, "stops came too early or too late");
}
