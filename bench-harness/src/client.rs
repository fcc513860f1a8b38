//! A small blocking client for what has to be there before a run: topics.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use millrace_net::header::{read_response, request_frame};
use millrace_net::message::Request;
use millrace_net::messages::api_versions::ApiVersionsRequest;
use millrace_net::messages::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use millrace_net::messages::delete_topics::DeleteTopicsRequest;
use millrace_net::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use millrace_net::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use millrace_net::messages::metadata::{MetadataRequest, MetadataRequestTopic};

/// A connection for requests one at a time.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    correlation_id: i32,
}

/// Whose configuration is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigOf<'a> {
    /// A topic's, by its name.
    Topic(&'a str),
    /// A broker's, by its id; empty for all brokers.
    Broker(&'a str),
}

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The largest answer that is read, bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

impl Client {
    /// Connects.
    pub fn connect(addr: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self { stream, correlation_id: 0 })
    }

    /// Sends a request and reads its answer.
    pub fn call<R: Request>(&mut self, request: &R, version: i16) -> Result<R::Response> {
        let sent = self.send(request, version)?;
        self.receive::<R>(sent, version)
    }

    /// Sends a request; [`Self::receive`] reads its answer, in the order of sending. Returns what
    /// names it.
    pub fn send<R: Request>(&mut self, request: &R, version: i16) -> Result<i32> {
        self.correlation_id += 1;
        let frame = request_frame(request, version, self.correlation_id, Some("bench"));
        self.stream.write_all(&frame)?;
        Ok(self.correlation_id)
    }

    /// Reads the answer to the oldest request that has none.
    pub fn receive<R: Request>(&mut self, sent: i32, version: i16) -> Result<R::Response> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        ensure!(length <= ANSWER_BYTES_MAX, "an answer of {length} bytes");
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        let (correlation_id, response) = read_response::<R>(&answer, version)?;
        ensure!(correlation_id == sent, "an answer to another request");
        Ok(response)
    }

    /// Creates a topic and waits until all its partitions have a leader.
    pub fn create_topic(
        &mut self,
        name: &str,
        partitions: i32,
        configs: &[(String, String)],
    ) -> Result<()> {
        let configs = configs.iter().map(|(name, value)| CreatableTopicConfig {
            name: name.clone(),
            value: Some(value.clone()),
        });
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: name.to_owned(),
                num_partitions: partitions,
                replication_factor: 1,
                configs: configs.collect(),
                ..CreatableTopic::default()
            }],
            ..CreateTopicsRequest::default()
        };
        let response = self.call(&request, 5)?;
        let result = response.topics.first().context("no result")?;
        if result.error_code != 0 {
            let message = result.error_message.as_deref().unwrap_or("");
            bail!("creating {name}: error code {} {message}", result.error_code);
        }
        self.await_leaders(name, partitions)
    }

    /// Waits until all partitions of a topic have a leader that answers.
    pub fn await_leaders(&mut self, name: &str, partitions: i32) -> Result<()> {
        let begun = Instant::now();
        let request = MetadataRequest {
            topics: Some(vec![MetadataRequestTopic {
                name: Some(name.to_owned()),
                ..MetadataRequestTopic::default()
            }]),
            allow_auto_topic_creation: false,
            ..MetadataRequest::default()
        };
        loop {
            let response = self.call(&request, 9)?;
            let topic = response.topics.first().context("no topic")?;
            let led = topic.partitions.iter().filter(|one| one.leader_id >= 0).count();
            let ready = topic.error_code == 0 && i32::try_from(led) == Ok(partitions);
            // A leader may be named before it has taken over.
            if ready && self.leaders_answer(name, partitions)? {
                return Ok(());
            }
            ensure!(begun.elapsed() < TIMEOUT, "{name} has {led} of {partitions} leaders");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn leaders_answer(&mut self, name: &str, partitions: i32) -> Result<bool> {
        let partitions = (0..partitions).map(|partition_index| ListOffsetsPartition {
            partition_index,
            current_leader_epoch: -1,
            timestamp: -1,
        });
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic {
                name: name.to_owned(),
                partitions: partitions.collect(),
            }],
            ..ListOffsetsRequest::default()
        };
        let response = self.call(&request, 5)?;
        let mut answers = response.topics.iter().flat_map(|topic| &topic.partitions);
        Ok(answers.all(|partition| partition.error_code == 0))
    }

    /// Sets configurations of a topic or a broker while it runs.
    pub fn set_configs(&mut self, of: ConfigOf<'_>, configs: &[(&str, &str)]) -> Result<()> {
        let (resource_type, name) = match of {
            ConfigOf::Topic(name) => (2, name),
            ConfigOf::Broker(id) => (4, id),
        };
        let configs = configs.iter().map(|(name, value)| AlterableConfig {
            name: (*name).to_owned(),
            config_operation: 0,
            value: Some((*value).to_owned()),
        });
        let request = IncrementalAlterConfigsRequest {
            resources: vec![AlterConfigsResource {
                resource_type,
                resource_name: name.to_owned(),
                configs: configs.collect(),
            }],
            validate_only: false,
        };
        let response = self.call(&request, 1)?;
        let result = response.responses.first().context("no result")?;
        let message = result.error_message.as_deref().unwrap_or("");
        ensure!(result.error_code == 0, "{name}: error code {} {message}", result.error_code);
        Ok(())
    }

    /// Deletes a topic.
    pub fn delete_topic(&mut self, name: &str) -> Result<()> {
        let request = DeleteTopicsRequest {
            topic_names: vec![name.to_owned()],
            timeout_ms: 30_000,
            ..DeleteTopicsRequest::default()
        };
        let response = self.call(&request, 5)?;
        let result = response.responses.first().context("no result")?;
        ensure!(result.error_code == 0, "deleting {name}: error code {}", result.error_code);
        Ok(())
    }
}

/// Waits until a server answers ApiVersions, and tells how long that took.
pub fn await_answer(addr: SocketAddr, patience: Duration) -> Result<Duration> {
    let begun = Instant::now();
    loop {
        let answer = Client::connect(addr)
            .and_then(|mut client| client.call(&ApiVersionsRequest::default(), 0));
        match answer {
            Ok(_) => return Ok(begun.elapsed()),
            Err(error) if begun.elapsed() > patience => {
                return Err(error).context(format!("no answer from {addr}"));
            }
            Err(_) => std::thread::sleep(Duration::from_micros(500)),
        }
    }
}
