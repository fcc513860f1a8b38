//! A Fetch request read in place: no allocation however many partitions it names.
//!
//! [`FetchRequestView::decode`] walks the whole request once; walking the view afterwards cannot
//! fail.

use crate::messages::fetch::{FetchPartition, FetchRequest, ReplicaState};
use millrace_wire::field::{self, Form};
use millrace_wire::{Reader, Uuid, WireError};

/// The first version with a fetch session.
const SESSION_FROM: i16 = 7;
/// The first version that tells the client's rack.
const RACK_FROM: i16 = 11;
/// The first version that names topics by id.
const TOPIC_ID_FROM: i16 = 13;
/// The last version with the replica id at its front; later ones tag it.
const REPLICA_ID_UNTIL: i16 = 14;
/// The least a topic takes: a name's length, an array's count.
const TOPIC_BYTES_MIN: usize = 3;
/// The least a partition takes: in version 4, its index, an offset and a size.
const PARTITION_BYTES_MIN: usize = 16;

/// A Fetch request, versions 4 to 18, borrowed from its frame.
#[derive(Clone, Debug)]
pub struct FetchRequestView<'a> {
    /// The follower that asks; -1 for a consumer.
    pub replica: ReplicaState,
    /// The cluster the client takes us for, from version 12.
    pub cluster_id: Option<&'a str>,
    /// How long to wait for `min_bytes`, ms.
    pub max_wait_ms: i32,
    /// The least record bytes worth an answer.
    pub min_bytes: i32,
    /// The most record bytes over all partitions.
    pub max_bytes: i32,
    /// 0 reads uncommitted records, 1 committed ones alone.
    pub isolation_level: i8,
    /// The fetch session, 0 for none.
    pub session_id: i32,
    /// The session's epoch: -1 ends it or asks for none, 0 begins one.
    pub session_epoch: i32,
    /// The client's rack; empty for none.
    pub rack_id: &'a str,
    /// Topics named.
    pub topic_count: usize,
    /// Partitions over all topics.
    pub partition_count: usize,
    /// Topics to drop from the session.
    pub forgotten_topic_count: usize,
    version: i16,
    topics: Reader<'a>,
    forgotten: Reader<'a>,
}

/// One topic of a Fetch request.
#[derive(Clone, Debug)]
pub struct FetchTopicView<'a> {
    /// The topic's name; empty from version 13.
    pub name: &'a str,
    /// The topic's id; zero before version 13.
    pub topic_id: Uuid,
    /// Partitions of this topic.
    pub partition_count: usize,
    version: i16,
    partitions: Reader<'a>,
}

/// One topic to drop from the session, or some of its partitions.
#[derive(Clone, Debug)]
pub struct ForgottenTopicView<'a> {
    /// The topic's name; empty from version 13.
    pub name: &'a str,
    /// The topic's id; zero before version 13.
    pub topic_id: Uuid,
    /// Partitions to drop.
    pub partition_count: usize,
    partitions: Reader<'a>,
}

impl<'a> FetchRequestView<'a> {
    /// Reads the body of a Fetch request and checks all of it.
    ///
    /// - `reader`: over the frame, at the body; left behind the body.
    /// - An unknown version is [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'a>, version: i16) -> Result<Self, WireError> {
        if !(FetchRequest::VERSION_MIN..=FetchRequest::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("FetchRequest has no such version"));
        }
        let form = field::form(version, FetchRequest::FLEXIBLE_FROM);
        let replica_id = if version <= REPLICA_ID_UNTIL { reader.i32()? } else { -1 };
        let mut it = Self {
            replica: ReplicaState { replica_id, ..ReplicaState::default() },
            cluster_id: None,
            max_wait_ms: reader.i32()?,
            min_bytes: reader.i32()?,
            max_bytes: reader.i32()?,
            isolation_level: reader.i8()?,
            session_id: 0,
            session_epoch: -1,
            rack_id: "",
            topic_count: 0,
            partition_count: 0,
            forgotten_topic_count: 0,
            version,
            topics: Reader::new(&[]),
            forgotten: Reader::new(&[]),
        };
        if version >= SESSION_FROM {
            it.session_id = reader.i32()?;
            it.session_epoch = reader.i32()?;
        }
        it.topic_count = field::not_null(field::read_count(reader, form, TOPIC_BYTES_MIN)?)?;
        it.topics = reader.clone();
        for _ in 0..it.topic_count {
            it.partition_count += topic(reader, version)?.partition_count;
        }
        if version >= SESSION_FROM {
            let count = field::read_count(reader, form, TOPIC_BYTES_MIN)?;
            it.forgotten_topic_count = field::not_null(count)?;
            it.forgotten = reader.clone();
            for _ in 0..it.forgotten_topic_count {
                forgotten(reader, version)?;
            }
        }
        if version >= RACK_FROM {
            it.rack_id = field::not_null(field::read_nullable_str(reader, form)?)?;
        }
        if form == Form::Compact {
            it.tagged(reader)?;
        }
        Ok(it)
    }

    /// The topics in the order of the request.
    pub fn topics(&self) -> impl Iterator<Item = FetchTopicView<'a>> + use<'a> {
        let (mut reader, version) = (self.topics.clone(), self.version);
        // All of it was read once, so every topic is there.
        (0..self.topic_count).map_while(move |_| topic(&mut reader, version).ok())
    }

    /// What is to be dropped from the session, in the order of the request.
    pub fn forgotten_topics(&self) -> impl Iterator<Item = ForgottenTopicView<'a>> + use<'a> {
        let (mut reader, version) = (self.forgotten.clone(), self.version);
        (0..self.forgotten_topic_count).map_while(move |_| forgotten(&mut reader, version).ok())
    }

    fn tagged(&mut self, reader: &mut Reader<'a>) -> Result<(), WireError> {
        let version = self.version;
        reader.tagged_fields(|tag, reader| {
            if tag == 0 {
                self.cluster_id = field::read_nullable_str(reader, Form::Compact)?;
            } else if tag == 1 && version > REPLICA_ID_UNTIL {
                self.replica = ReplicaState::decode(reader, version)?;
            }
            Ok(())
        })
    }
}

impl FetchTopicView<'_> {
    /// The partitions in the order of the request.
    pub fn partitions(&self) -> impl Iterator<Item = FetchPartition> + use<'_> {
        let (mut reader, version) = (self.partitions.clone(), self.version);
        (0..self.partition_count).map_while(move |_| partition(&mut reader, version).ok())
    }
}

impl ForgottenTopicView<'_> {
    /// The partitions in the order of the request.
    pub fn partitions(&self) -> impl Iterator<Item = i32> + use<'_> {
        let mut reader = self.partitions.clone();
        (0..self.partition_count).map_while(move |_| reader.i32().ok())
    }
}

/// Reads a topic and all its partitions.
fn topic<'a>(reader: &mut Reader<'a>, version: i16) -> Result<FetchTopicView<'a>, WireError> {
    let form = field::form(version, FetchRequest::FLEXIBLE_FROM);
    let (name, topic_id) = name_or_id(reader, version)?;
    let count = field::read_count(reader, form, PARTITION_BYTES_MIN)?;
    let partition_count = field::not_null(count)?;
    let partitions = reader.clone();
    for _ in 0..partition_count {
        partition(reader, version)?;
    }
    end(reader, form)?;
    Ok(FetchTopicView { name, topic_id, partition_count, version, partitions })
}

fn partition(reader: &mut Reader<'_>, version: i16) -> Result<FetchPartition, WireError> {
    FetchPartition::decode(reader, version)
}

fn forgotten<'a>(
    reader: &mut Reader<'a>,
    version: i16,
) -> Result<ForgottenTopicView<'a>, WireError> {
    let form = field::form(version, FetchRequest::FLEXIBLE_FROM);
    let (name, topic_id) = name_or_id(reader, version)?;
    let partition_count = field::not_null(field::read_count(reader, form, size_of::<i32>())?)?;
    let partitions = reader.clone();
    reader.raw(partition_count * size_of::<i32>())?;
    end(reader, form)?;
    Ok(ForgottenTopicView { name, topic_id, partition_count, partitions })
}

fn name_or_id<'a>(reader: &mut Reader<'a>, version: i16) -> Result<(&'a str, Uuid), WireError> {
    if version >= TOPIC_ID_FROM {
        return Ok(("", reader.uuid()?));
    }
    let form = field::form(version, FetchRequest::FLEXIBLE_FROM);
    let name = field::not_null(field::read_nullable_str(reader, form)?)?;
    Ok((name, Uuid::ZERO))
}

/// Reads over the tagged fields that end a flexible struct.
fn end(reader: &mut Reader<'_>, form: Form) -> Result<(), WireError> {
    match form {
        Form::Classic => Ok(()),
        Form::Compact => reader.skip_tagged_fields(),
    }
}

impl FetchRequestView<'_> {
    /// The request as a plain struct.
    pub fn to_plain(&self) -> FetchRequest {
        use crate::messages::fetch::{FetchTopic, ForgottenTopic};
        let tagged_replica = self.version > REPLICA_ID_UNTIL;
        FetchRequest {
            cluster_id: self.cluster_id.map(str::to_owned),
            replica_id: if tagged_replica { -1 } else { self.replica.replica_id },
            replica_state: if tagged_replica {
                self.replica.clone()
            } else {
                ReplicaState::default()
            },
            max_wait_ms: self.max_wait_ms,
            min_bytes: self.min_bytes,
            max_bytes: self.max_bytes,
            isolation_level: self.isolation_level,
            session_id: self.session_id,
            session_epoch: self.session_epoch,
            topics: self
                .topics()
                .map(|topic| FetchTopic {
                    topic: topic.name.to_owned(),
                    topic_id: topic.topic_id,
                    partitions: topic.partitions().collect(),
                })
                .collect(),
            forgotten_topics_data: self
                .forgotten_topics()
                .map(|topic| ForgottenTopic {
                    topic: topic.name.to_owned(),
                    topic_id: topic.topic_id,
                    partitions: topic.partitions().collect(),
                })
                .collect(),
            rack_id: self.rack_id.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_codegen::sample::Sampler;
    use std::path::Path;

    #[test]
    fn the_view_says_what_the_plain_struct_says_in_every_version() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
        let schemas = millrace_codegen::load(&folder).unwrap();
        let schema = &schemas["fetch"];
        for version in FetchRequest::VERSION_MIN..=FetchRequest::VERSION_MAX {
            for seed in 0..100 {
                let sampler = Sampler::new(schema, version, seed);
                let body = sampler.with_unknown_tags().body(&schema.messages[0]);
                let plain = FetchRequest::decode(&mut Reader::new(&body), version).unwrap();
                let mut reader = Reader::new(&body);
                let view = FetchRequestView::decode(&mut reader, version).unwrap();
                assert_eq!(reader.remaining(), 0);
                assert_eq!(view.to_plain(), plain, "version {version} seed {seed}");
                let partitions: usize = plain.topics.iter().map(|t| t.partitions.len()).sum();
                assert_eq!(view.partition_count, partitions);
                for length in 0..body.len() {
                    let mut cut = Reader::new(&body[..length]);
                    assert!(FetchRequestView::decode(&mut cut, version).is_err());
                }
            }
        }
    }
}
