//! Broker-side lag: every few seconds the shard writes down what its groups have committed, asks
//! the owners of those partitions for their high watermarks, and publishes the difference.
//!
//! ```text
//! timer ─▶ reports of all coordinators ─▶ a letter per owner ─▶ answers ─▶ published ─▶ timer
//! ```
//!
//! Bounded by `millrace.group.metrics.max`; 0 turns it off. A shard without coordinators does
//! nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_io::{Mono, ShardId};

use super::{Due, Shard, Turn, owner_of};
use crate::coordinator::GroupReport;
use crate::group_lag::{GroupLag, GroupLags};
use crate::mail::{Letter, PartitionId};
use crate::topic_config;

/// Between the high watermark being asked for and being told.
#[derive(Debug)]
struct Round {
    number: u64,
    reports: Vec<GroupReport>,
    left_out: usize,
    watermarks: BTreeMap<PartitionId, i64>,
    owners_left: usize,
}

/// What a shard remembers about its reports.
#[derive(Debug, Default)]
pub(crate) struct LagRounds {
    number: u64,
    round: Option<Round>,
    deadline: Option<Mono>,
}

impl Shard {
    /// A coordinator is loaded: from now on there is something to tell.
    pub(super) fn begin_lag_reports(&mut self, turn: &mut Turn) {
        if self.lag.deadline.is_none() {
            self.set_lag_deadline(turn.now.mono);
        }
    }

    fn set_lag_deadline(&mut self, at: Mono) {
        self.lag.deadline = Some(at);
        self.deadlines.add(at, Due::GroupLag);
    }

    pub(super) fn on_group_lag_due(&mut self, turn: &mut Turn) {
        let view = topic_config::view(&self.setup, &self.image);
        let number = |name| u64::try_from(view.number(name)).unwrap_or(0);
        let interval_ms = number("millrace.group.metrics.interval.ms");
        let series_max = number("millrace.group.metrics.max").div_ceil(self.setup.shards.into());
        let series_max = usize::try_from(series_max).unwrap_or(0);
        if self.is_stopping() {
            return;
        }
        self.set_lag_deadline(turn.now.mono.plus_ms(interval_ms));
        let (mut series_left, mut reports, mut left_out) = (series_max, Vec::new(), 0);
        if series_max > 0 {
            for coordinator in self.groups.all() {
                left_out += coordinator.report(&mut series_left, &mut reports);
            }
        }
        let asks = self.lag_asks(&reports);
        self.lag.number += 1;
        let number = self.lag.number;
        let owners_left = asks.len();
        self.lag.round =
            Some(Round { number, reports, left_out, watermarks: BTreeMap::new(), owners_left });
        if owners_left == 0 {
            self.publish_lag();
        }
        for (owner, partitions) in asks {
            self.send(owner, Letter::AskWatermarks { from: self.id, number, partitions });
        }
    }

    /// The partitions that groups have committed offsets for, each once, by owner.
    fn lag_asks(&self, reports: &[GroupReport]) -> BTreeMap<ShardId, Vec<PartitionId>> {
        let mut asks: BTreeMap<ShardId, Vec<PartitionId>> = BTreeMap::new();
        for (topic, index, _) in reports.iter().flat_map(|report| &report.offsets) {
            if let Some(id) = self.partition_id(topic, *index) {
                asks.entry(owner_of(id, self.setup.shards)).or_default().push(id);
            }
        }
        for partitions in asks.values_mut() {
            partitions.sort_unstable();
            partitions.dedup();
        }
        asks
    }

    fn partition_id(&self, topic: &str, index: i32) -> Option<PartitionId> {
        let topic = self.image.topic(topic)?;
        topic.partition(index).map(|_| PartitionId { topic: topic.id, index })
    }

    /// Somebody wants to know where partitions of this shard end.
    pub(super) fn tell_watermarks(&mut self, to: ShardId, number: u64, asked: &[PartitionId]) {
        let watermark = |id: &PartitionId| {
            let partition = self.partitions.get(*id)?;
            Some((*id, partition.log.high_watermark().0))
        };
        let watermarks = asked.iter().filter_map(watermark).collect();
        self.send(to, Letter::Watermarks { number, watermarks });
    }

    /// An owner says where its partitions end. The last one ends the round.
    pub(super) fn on_watermarks(&mut self, number: u64, watermarks: Vec<(PartitionId, i64)>) {
        let Some(round) = self.lag.round.as_mut().filter(|round| round.number == number) else {
            return;
        };
        round.watermarks.extend(watermarks);
        round.owners_left -= 1;
        if round.owners_left == 0 {
            self.publish_lag();
        }
    }

    fn publish_lag(&mut self) {
        let Some(round) = self.lag.round.take() else { return };
        let lag = |report: GroupReport| {
            let lags = report.offsets.iter().map(|(topic, index, offset)| {
                let end = round.watermarks.get(&self.partition_id(topic, *index)?)?;
                // The offset is of an earlier moment than the end; one that was committed beyond
                // the end is nobody's lag.
                Some((end - offset).max(0))
            });
            GroupLag { lags: lags.collect(), report }
        };
        let groups = round.reports.into_iter().map(lag).collect();
        let lags = GroupLags { groups, left_out: round.left_out };
        // Read at this very moment; the next round tells.
        let _ = self.counters.group_lags.publish(Arc::new(lags));
    }
}
