//! The cluster's state reaches a shard: its partitions come, go and change with it.

use std::path::PathBuf;
use std::sync::Arc;

use millrace_engine::{LeaderEpoch, Log, LogSpec, Offset, RecoveryReport};
use millrace_replication::image::{Partition, Topic};
use millrace_replication::{BrokerId, Image, ImageDelta, ResourceType};

use super::life::Known;
use super::{Shard, Turn, owner_of};
use crate::mail::PartitionId;
use crate::offsets_topic::OFFSETS_TOPIC;

/// Logs of a shard that recover at the same time. Each holds a handful of descriptors meanwhile.
const LOGS_OPENING_MAX: usize = 64;

impl Shard {
    /// Opens this shard's partitions of an image, as the process finds them at its start: so many
    /// at once, see [`LOGS_OPENING_MAX`].
    pub(super) fn open_all(&mut self, turn: &mut Turn, image: Arc<Image>, known: Arc<Known>) {
        self.image = image;
        self.take_cleaned(known.cleaned_in(&self.image));
        self.update_gate();
        self.apply_quotas(turn.now.mono);
        let topics = self.image.topics().cloned();
        let unopened = topics.flat_map(|topic| {
            let indexes: Vec<i32> = topic.partitions().map(|it| it.index).collect();
            indexes.into_iter().map(move |index| (Arc::clone(&topic), index))
        });
        self.partitions.unopened = unopened.collect();
        self.partitions.occupied.clone_from(&known.occupied);
        self.partitions.known = Some(known);
        self.open_more(turn);
    }

    /// Opens the next partitions of a start. True if there were any.
    pub(super) fn open_more(&mut self, turn: &mut Turn) -> bool {
        let Some(known) = self.partitions.known.clone() else { return false };
        let before = self.partitions.unopened.len();
        while self.partitions.opening < LOGS_OPENING_MAX
            && let Some((topic, index)) = self.partitions.unopened.pop_front()
        {
            if let Some(partition) = topic.partition(index) {
                self.open_partition(turn, &topic, partition, Some(&known));
            }
        }
        if self.partitions.unopened.is_empty() {
            self.partitions.known = None;
        }
        before > self.partitions.unopened.len()
    }

    /// Works by a new image from here on.
    pub(super) fn apply_image(&mut self, turn: &mut Turn, image: Arc<Image>, delta: &ImageDelta) {
        self.image = image;
        self.topics.clear();
        self.show_groups_image();
        let deleted = delta.deleted_topics.iter().map(|it| (it.name.as_ref(), it.id));
        let deleted: Vec<_> = deleted.collect();
        self.drop_offsets_of(turn, &deleted);
        for topic in &delta.deleted_topics {
            self.drop_cleaned(turn, &topic.name);
            for partition in topic.partitions() {
                let id = PartitionId { topic: topic.id, index: partition.index };
                self.drop_groups(turn, id);
                self.delete_partition(turn, id);
            }
        }
        for topic in &delta.created_topics {
            for partition in topic.partitions() {
                self.open_partition(turn, topic, partition, None);
            }
        }
        for (topic, index) in &delta.created_partitions {
            if let Some(partition) = topic.partition(*index) {
                self.open_partition(turn, topic, partition, None);
            }
        }
        self.apply_configs(turn, delta);
        if delta.quotas_changed {
            self.apply_quotas(turn.now.mono);
        }
    }

    fn apply_configs(&mut self, turn: &Turn, delta: &ImageDelta) {
        let is_for_all = delta.configs.iter().any(|resource| resource.kind == ResourceType::Broker);
        if is_for_all {
            self.update_gate();
        }
        let changed = |topic: &str| {
            is_for_all
                || delta
                    .configs
                    .iter()
                    .any(|resource| resource.kind == ResourceType::Topic && resource.name == topic)
        };
        let ids: Vec<PartitionId> = self
            .partitions
            .iter()
            .filter(|partition| changed(&partition.topic))
            .map(|partition| partition.id)
            .collect();
        for id in ids {
            if let Some(info) = self.topics.by_id(&self.setup, &self.image, id.topic) {
                self.reconfigure_partition(id, &info.log_config);
            }
        }
        if is_for_all {
            self.hasten_compaction(turn);
        }
    }

    /// Takes a partition in if it is this shard's. `known` is there at the start only.
    fn open_partition(
        &mut self,
        turn: &mut Turn,
        topic: &Arc<Topic>,
        partition: &Partition,
        known: Option<&Known>,
    ) {
        let id = PartitionId { topic: topic.id, index: partition.index };
        let is_here = partition.replicas.contains(&BrokerId(self.setup.node_id));
        if !is_here || owner_of(id, self.setup.shards) != self.id || self.partitions.contains(id) {
            return;
        }
        if self.has_closed_logs() {
            // Nobody would close this one: what it takes would be unknown to the checkpoint of a clean
            // stop, and gone after it. The next start makes it.
            return;
        }
        let Some(info) = self.topics.by_id(&self.setup, &self.image, topic.id) else { return };
        let folder = format!("{}-{}", topic.name, partition.index);
        let found = known
            .and_then(|known| known.folders.iter().position(|folders| folders.contains(&folder)));
        let log_dir = found.unwrap_or_else(|| self.log_dir_for(id));
        if found.is_none() && self.partitions.occupied.contains(&(log_dir, folder.clone())) {
            return;
        }
        let dir: PathBuf = self.setup.log_dirs[log_dir].path.join(&folder);
        let opening = found
            .and(known)
            .map(|known| known.opening(log_dir, &dir.to_string_lossy(), (&topic.name, id)));
        let leader_epoch = LeaderEpoch(partition.leader_epoch);
        let config = Arc::clone(&info.log_config);
        let kept = opening.clone();
        let name = Arc::clone(&topic.name);
        self.add_partition(turn, id, name, log_dir, kept, |owner, turn| {
            let spec = LogSpec { owner, dir, topic_id: topic.id, config, leader_epoch };
            match opening {
                Some(opening) => Log::open(spec, opening, turn.now, turn.ops),
                None => Log::create(spec, turn.now, turn.ops),
            }
        });
        if *topic.name == *OFFSETS_TOPIC {
            self.host_groups(id);
        }
    }

    /// A folder that was in a partition's way is gone: if there is that partition, it begins.
    pub(super) fn on_vacated(&mut self, turn: &mut Turn, dir: usize, folder: &str) {
        self.partitions.occupied.remove(&(dir, folder.to_owned()));
        let Some((name, index)) = folder.rsplit_once('-') else { return };
        let topic = self.image.topic(name).cloned();
        let (Some(topic), Ok(index)) = (topic, index.parse()) else { return };
        if let Some(partition) = topic.partition(index)
            && !self.is_stopping()
        {
            self.open_partition(turn, &topic, partition, None);
        }
    }

    /// The log dir of a new partition. Partitions go round the dirs.
    fn log_dir_for(&self, id: PartitionId) -> usize {
        let spread = (id.topic.0 >> 32) & 0xffff_ffff;
        let index = u128::from(id.index.unsigned_abs()) / u128::from(self.setup.shards);
        usize::try_from((spread + index) % self.setup.log_dirs.len() as u128).unwrap_or(0)
    }

    /// Notes what opening a log came to, where it is worth a line.
    pub(super) fn note_recovery(&mut self, slot: u32, report: &RecoveryReport) {
        let Some(cut) = &report.cut else { return };
        let name = self.partitions.name(slot);
        self.life.notes.push(format!(
            "{name}: cut {} bytes behind offset {} in segment {}: {:?}",
            cut.bytes, report.log_end, cut.segment, cut.reason
        ));
    }

    pub(super) fn note_corruption(
        &mut self,
        slot: u32,
        segment: Offset,
        position: u64,
        reason: &str,
    ) {
        self.counters.corruptions.add(1);
        let name = self.partitions.name(slot);
        self.life.notes.push(format!(
            "{name}: segment {segment} is corrupt from byte {position} ({reason}); what lies \
             there is not served"
        ));
    }

    pub(super) fn note_fatal(&mut self, slot: u32, reason: &str) {
        self.counters.logs_failed.add(1);
        let name = self.partitions.name(slot);
        self.life.notes.push(format!("{name}: the log failed and takes nothing more: {reason}"));
    }
}
