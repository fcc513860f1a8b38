//! DescribeLogDirs, versions 1 to 5: what lies in each log dir, and how full its disk is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use millrace_net::messages::describe_log_dirs::{
    DescribeLogDirsPartition, DescribeLogDirsRequest, DescribeLogDirsResponse,
    DescribeLogDirsResult, DescribeLogDirsTopic,
};
use millrace_wire::WireError;

use crate::handlers::gather::{Gathered, Item, Place};
use crate::mail::{Answer, Ask, PartitionId};
use crate::setup::LogDir;
use crate::shard::{DiskSpace, Request, Shard, Turn};

/// The sizes that have been told so far.
#[derive(Debug)]
pub(crate) struct Sizes {
    dirs: Vec<LogDir>,
    space: Vec<Option<DiskSpace>>,
    /// The partitions asked, by their place.
    asked: Vec<(Arc<str>, i32)>,
    /// By log dir and topic: partitions and their bytes.
    found: BTreeMap<(usize, Arc<str>), BTreeMap<i32, i64>>,
}

impl Shard {
    /// Asks the owners of the partitions that are meant and exist.
    pub(crate) fn handle_describe_log_dirs(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: DescribeLogDirsRequest = request.decode()?;
        let meant = body.topics.map(|topics| {
            let each = topics.into_iter();
            let pairs =
                each.flat_map(|it| it.partitions.into_iter().map(move |p| (it.topic.clone(), p)));
            pairs.collect::<BTreeSet<(String, i32)>>()
        });
        let mut asked = Vec::new();
        let mut items = Vec::new();
        let mut add = |topic: &millrace_replication::image::Topic, index: i32| {
            items.push(Item {
                partition: PartitionId { topic: topic.id, index },
                ask: Ask::Size,
                place: (asked.len(), 0),
            });
            asked.push((Arc::clone(&topic.name), index));
        };
        match meant {
            None => {
                for topic in self.image.topics() {
                    topic.partitions().for_each(|partition| add(topic, partition.index));
                }
            }
            Some(pairs) => {
                for (name, index) in pairs {
                    let topic = self.image.topic(&name);
                    if let Some(topic) = topic.filter(|it| it.partition(index).is_some()) {
                        add(topic, index);
                    }
                }
            }
        }
        let sizes = Sizes {
            dirs: self.setup.log_dirs.clone(),
            space: self.disk_space.clone(),
            asked,
            found: BTreeMap::new(),
        };
        self.gather(turn, &request.to, Gathered::Sizes(sizes), items);
        Ok(())
    }
}

impl Place for Sizes {
    fn place(&mut self, (asked, _): (usize, usize), answer: Answer) {
        // A partition that was deleted meanwhile lies nowhere.
        let Answer::Size(Ok(size)) = answer else { return };
        let Some(dir) = self.dirs.iter().position(|dir| dir.name == size.log_dir) else { return };
        let (topic, index) = &self.asked[asked];
        let bytes = i64::try_from(size.bytes).unwrap_or(i64::MAX);
        self.found.entry((dir, Arc::clone(topic))).or_default().insert(*index, bytes);
    }
}

impl Sizes {
    /// The response, once all have answered.
    pub(crate) fn response(&self) -> DescribeLogDirsResponse {
        let results = self.dirs.iter().enumerate().map(|(index, dir)| {
            let topics = self.found.iter().filter(|((dir, _), _)| *dir == index);
            let space = self.space.get(index).copied().flatten();
            let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
            DescribeLogDirsResult {
                log_dir: dir.name.clone(),
                topics: topics.map(|((_, name), sizes)| topic(name, sizes)).collect(),
                total_bytes: space.map_or(-1, |space| bytes(space.bytes_total)),
                usable_bytes: space.map_or(-1, |space| bytes(space.bytes_usable)),
                ..DescribeLogDirsResult::default()
            }
        });
        DescribeLogDirsResponse { results: results.collect(), ..Default::default() }
    }
}

fn topic(name: &str, sizes: &BTreeMap<i32, i64>) -> DescribeLogDirsTopic {
    let partitions = sizes.iter().map(|(index, bytes)| DescribeLogDirsPartition {
        partition_index: *index,
        partition_size: *bytes,
        offset_lag: 0,
        is_future_key: false,
    });
    DescribeLogDirsTopic { name: name.to_owned(), partitions: partitions.collect() }
}
