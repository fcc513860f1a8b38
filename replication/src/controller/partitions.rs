//! CreatePartitions, and where replicas go.

use std::collections::BTreeMap;

use millrace_wire::Uuid;

use super::{
    Context, Decision, Meter, Mode, RECORDS_PER_REQUEST_MAX, Refusal, RefusalKind, measure,
};
use crate::image::Image;
use crate::record::{PartitionRecord, Record};
use crate::types::{BrokerId, directory};

/// The replicas of consecutive partitions, the preferred leader of each first.
pub(super) type Placement = Vec<Vec<BrokerId>>;

/// A topic that is to have more partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPartitions {
    /// The topic.
    pub topic: String,
    /// How many partitions it is to have in all.
    pub total: i32,
    /// The replicas of each partition to add, if the caller wants to say.
    pub assignments: Option<Vec<Vec<BrokerId>>>,
}

/// Decides which topics can grow; the answer is the number of partitions after it.
pub fn create_partitions(
    context: &Context<'_>,
    requests: &[NewPartitions],
    mode: Mode,
    meter: Meter<'_>,
) -> Decision<i32> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for request in requests {
        *counts.entry(request.topic.as_str()).or_default() += 1;
    }
    let mut decision =
        Decision { records: Vec::new(), answers: Vec::with_capacity(requests.len()) };
    for request in requests {
        let answer = if counts[request.topic.as_str()] > 1 {
            Err(Refusal::new(
                RefusalKind::InvalidRequest,
                format!("topic '{}' is asked for more than once", request.topic),
            ))
        } else {
            grow(context.image, request, decision.records.len(), &mut *meter)
        };
        decision.answers.push(answer.map(|records| {
            decision.records.extend(records);
            request.total
        }));
    }
    decision.in_mode(mode)
}

fn grow(
    image: &Image,
    request: &NewPartitions,
    records_before: usize,
    meter: Meter<'_>,
) -> Result<Vec<Record>, Refusal> {
    let topic = image.topic(&request.topic).ok_or_else(|| {
        Refusal::new(
            RefusalKind::UnknownTopicOrPartition,
            format!("topic '{}' does not exist", request.topic),
        )
    })?;
    let count = topic.partition_count();
    let added = usize::try_from(request.total)
        .unwrap_or(0)
        .checked_sub(count)
        .filter(|added| *added > 0)
        .ok_or_else(|| {
            Refusal::new(
                RefusalKind::InvalidPartitions,
                format!(
                    "topic '{}' has {count} partitions, {} would not be more",
                    request.topic, request.total
                ),
            )
        })?;
    if records_before + added > RECORDS_PER_REQUEST_MAX {
        return Err(Refusal::new(
            RefusalKind::PolicyViolation,
            format!("one request may lead to {RECORDS_PER_REQUEST_MAX} records at most"),
        ));
    }
    let factor = topic.partition(0).map_or(1, |partition| partition.replicas.len());
    let placement = match &request.assignments {
        None => place(image, count, added, i16::try_from(factor).unwrap_or(i16::MAX))?,
        Some(given) if given.len() == added => {
            check_manual(image, given, factor)?;
            given.clone()
        }
        Some(given) => {
            return Err(Refusal::new(
                RefusalKind::InvalidReplicaAssignment,
                format!("{added} partitions to add, but {} assignments", given.len()),
            ));
        }
    };
    measure(meter, added)?;
    let first = request.total - i32::try_from(added).unwrap_or(0);
    Ok(partition_records(image, topic.id, first, placement))
}

/// Spreads partitions over the live brokers: each starts one broker further than the one before,
/// so that leaders and replicas even out.
pub(super) fn place(
    image: &Image,
    first: usize,
    count: usize,
    replication_factor: i16,
) -> Result<Placement, Refusal> {
    let refuse = |message: String| Refusal::new(RefusalKind::InvalidReplicationFactor, message);
    let usable: Vec<BrokerId> = image.live_brokers().map(|broker| broker.id).collect();
    let registered = image.brokers().count();
    let factor = usize::try_from(replication_factor).unwrap_or(0);
    if usable.is_empty() {
        return Err(refuse("all brokers are fenced at the moment".to_owned()));
    }
    if factor > usable.len() {
        return Err(refuse(format!(
            "replication factor {replication_factor} needs as many brokers, {} of {registered} \
             are available",
            usable.len()
        )));
    }
    if count > RECORDS_PER_REQUEST_MAX {
        return Err(Refusal::new(
            RefusalKind::PolicyViolation,
            format!("one request may lead to {RECORDS_PER_REQUEST_MAX} records at most"),
        ));
    }
    Ok((first..first + count)
        .map(|index| (0..factor).map(|replica| usable[(index + replica) % usable.len()]).collect())
        .collect())
}

/// Checks replicas that the caller chose: `replication_factor` of them per partition, none twice,
/// all registered, at least one of each partition live.
pub(super) fn check_manual(
    image: &Image,
    placement: &[Vec<BrokerId>],
    replication_factor: usize,
) -> Result<(), Refusal> {
    let refuse =
        |message: String| Err(Refusal::new(RefusalKind::InvalidReplicaAssignment, message));
    for replicas in placement {
        if replicas.is_empty() {
            return refuse("an assignment has no replicas".to_owned());
        }
        for (position, replica) in replicas.iter().enumerate() {
            if replicas[..position].contains(replica) {
                return refuse(format!("an assignment names broker {replica} twice"));
            }
            if image.broker(*replica).is_none() {
                return refuse(format!("broker {replica} is not registered"));
            }
        }
        if replicas.len() != replication_factor {
            return refuse(format!(
                "an assignment has {} replicas, the others have {replication_factor}",
                replicas.len()
            ));
        }
        if in_sync(image, replicas).is_empty() {
            return refuse("no broker of an assignment is available".to_owned());
        }
    }
    Ok(())
}

fn in_sync(image: &Image, replicas: &[BrokerId]) -> Vec<BrokerId> {
    replicas
        .iter()
        .copied()
        .filter(|id| {
            image.broker(*id).is_some_and(|broker| !broker.fenced && !broker.in_controlled_shutdown)
        })
        .collect()
}

/// The records of new partitions numbered from `first`; the first live replica leads.
pub(super) fn partition_records(
    image: &Image,
    topic_id: Uuid,
    first: i32,
    placement: Placement,
) -> Vec<Record> {
    let record = |(index, replicas): (i32, Vec<BrokerId>)| {
        let isr = in_sync(image, &replicas);
        Record::Partition(PartitionRecord {
            partition_id: index,
            topic_id,
            directories: replicas.iter().map(|id| home(image, *id)).collect(),
            leader: isr.first().copied().unwrap_or(BrokerId::NONE),
            replicas,
            isr,
            removing_replicas: Vec::new(),
            adding_replicas: Vec::new(),
            leader_epoch: 0,
            partition_epoch: 0,
            leader_recovery_state: 0,
            eligible_leader_replicas: None,
            last_known_elr: None,
        })
    };
    (first..).zip(placement).map(record).collect()
}

/// The directory of a new replica: the broker's only one, or unassigned until the broker chooses.
fn home(image: &Image, broker: BrokerId) -> Uuid {
    match image.broker(broker).map(|broker| broker.log_dirs.as_slice()) {
        Some([only]) => *only,
        Some(_) | None => directory::UNASSIGNED,
    }
}
