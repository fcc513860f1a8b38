//! What the tests with real processes share: the built broker as a child process, and a blocking
//! client that is as small as can be.

#![allow(dead_code, unreachable_pub, reason = "each test is a crate and uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use millrace_engine::{BatchBuilder, BatchSpec, ProducerStamp};
use millrace_net::Request;
use millrace_net::header::{read_response, request_frame};
use millrace_net::messages::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use millrace_net::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use millrace_net::messages::delete_topics::DeleteTopicsRequest;
use millrace_net::messages::fetch::{FetchPartition, FetchRequest, FetchTopic, PartitionData};
use millrace_net::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterConfigsResourceResponse, AlterableConfig,
    IncrementalAlterConfigsRequest,
};
use millrace_net::messages::init_producer_id::InitProducerIdRequest;
use millrace_net::messages::metadata::{MetadataRequest, MetadataResponse};
use millrace_net::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, TopicProduceData,
};

/// Versions that name topics by name.
pub const PRODUCE_VERSION: i16 = 9;
/// See [`PRODUCE_VERSION`].
pub const FETCH_VERSION: i16 = 11;

/// Resource types of configurations.
pub const TOPIC: i8 = 2;
/// See [`TOPIC`]. Without a name: the default of all brokers.
pub const BROKER: i8 = 4;

/// The kernel chooses.
const ANY_PORT: &str = "127.0.0.1:0";

/// A broker in a process of its own. Killed when dropped.
pub struct Broker {
    child: Child,
    pub address: SocketAddr,
    said: Arc<Mutex<Vec<String>>>,
}

impl Broker {
    /// Starts the built broker on `dir` and waits until it says where it listens.
    pub fn start(dir: &Path, arguments: &[&str]) -> Self {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_millrace")), ANY_PORT, dir, arguments)
    }

    /// The same, on a port that a broker had before.
    pub fn start_at(address: SocketAddr, dir: &Path, arguments: &[&str]) -> Self {
        let program = Command::new(env!("CARGO_BIN_EXE_millrace"));
        Self::start_by(program, &address.to_string(), dir, arguments)
    }

    /// The same, for a process that may have so many files open and no more.
    pub fn start_with_files(files_max: u32, dir: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new("sh");
        let limit = format!("ulimit -n {files_max}; exec \"$0\" \"$@\"");
        command.args(["-c", &limit, env!("CARGO_BIN_EXE_millrace")]);
        Self::start_by(command, ANY_PORT, dir, arguments)
    }

    /// The same, with these variables in its environment.
    pub fn start_with_environment(
        variables: &[(&str, &str)],
        dir: &Path,
        arguments: &[&str],
    ) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
        command.envs(variables.iter().copied());
        Self::start_by(command, ANY_PORT, dir, arguments)
    }

    fn start_by(mut command: Command, listen: &str, dir: &Path, arguments: &[&str]) -> Self {
        let mut child = command
            .args(["--listen", listen, "--data-dir"])
            .arg(dir)
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the broker starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let said = Arc::new(Mutex::new(Vec::new()));
        let address = loop {
            let line = lines.next().expect("the broker says where it listens").expect("text");
            said.lock().expect("not poisoned").push(line.clone());
            if let Some(rest) = line.split("listening on ").nth(1) {
                let address = rest.split(',').next().unwrap_or_default();
                break address.parse().expect("an address");
            }
        };
        let rest = Arc::clone(&said);
        // Read on, or the pipe would fill and the broker wait.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                rest.lock().expect("not poisoned").push(line);
            }
        });
        Self { child, address, said }
    }

    /// kill -9, and waits until it is gone.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks for a clean stop and waits for it. True if it was one.
    pub fn stop(mut self) -> bool {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill(1)");
        assert!(sent.success(), "the broker was gone before it was asked to stop");
        self.child.wait().expect("it ends").success()
    }

    /// True while the process lives.
    pub fn is_up(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// The lines of its log so far.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().expect("not poisoned").clone()
    }

    /// Where its admin port is.
    pub fn admin(&self) -> String {
        let mut admin = None;
        wait_until("the admin port is told", || {
            let said = self.said();
            let rest =
                said.iter().find_map(|line| line.split("metrics and health on http://").nth(1));
            let address = rest.and_then(|rest| rest.split([' ', ',', '/']).next());
            admin = address.map(str::to_owned);
            admin.is_some()
        });
        admin.expect("told")
    }

    /// Memory that is its own, bytes: resident and not backed by a file.
    pub fn memory_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("it lives");
        let line = status.lines().find(|line| line.starts_with("RssAnon:")).expect("RssAnon");
        let kib = line.split_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok());
        kib.expect("a number") * 1024
    }

    /// CPU time it has used, user and system.
    pub fn cpu(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(path).expect("it lives");
        // The second field is the name in parentheses; utime and stime are the 14th and the 15th.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.end();
    }
}

/// The text at `/metrics` of an admin port.
pub fn metrics(admin: &str) -> String {
    let mut stream = TcpStream::connect(admin).expect("the admin port");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n").expect("asked");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("answered");
    text
}

/// A blocking connection. Any error means that the broker closed it or is gone.
pub struct Connection {
    pub stream: TcpStream,
    client_id: &'static str,
    correlation_id: i32,
}

impl Connection {
    pub fn open(address: SocketAddr) -> std::io::Result<Self> {
        Self::open_as(address, "test")
    }

    /// A connection of the client with this id.
    pub fn open_as(address: SocketAddr, client_id: &'static str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_mins(1)))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, client_id, correlation_id: 0 })
    }

    pub fn send<R: Request>(&mut self, request: &R, version: i16) -> std::io::Result<()> {
        self.correlation_id += 1;
        let frame = request_frame(request, version, self.correlation_id, Some(self.client_id));
        self.stream.write_all(&frame)
    }

    pub fn receive<R: Request>(&mut self, version: i16) -> std::io::Result<R::Response> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length)).expect("positive")];
        self.stream.read_exact(&mut frame)?;
        Ok(read_response::<R>(&frame, version).expect("a response").1)
    }

    pub fn ask<R: Request>(&mut self, request: &R, version: i16) -> std::io::Result<R::Response> {
        self.send(request, version)?;
        self.receive::<R>(version)
    }

    /// Creates a topic; `configs` are names and values.
    pub fn create_topic(&mut self, name: &str, partitions: i32, configs: &[(&str, &str)]) {
        let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
        };
        let topic = CreatableTopic {
            name: name.to_owned(),
            num_partitions: partitions,
            replication_factor: 1,
            configs: configs.iter().map(config).collect(),
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![topic],
            timeout_ms: 30_000,
            ..CreateTopicsRequest::default()
        };
        let created = self.ask(&request, 5).expect("an answer");
        assert_eq!(created.topics[0].error_code, 0, "{:?}", created.topics[0].error_message);
    }

    /// Deletes a topic.
    pub fn delete_topic(&mut self, name: &str) {
        let request = DeleteTopicsRequest {
            topic_names: vec![name.to_owned()],
            timeout_ms: 30_000,
            ..DeleteTopicsRequest::default()
        };
        let deleted = self.ask(&request, 5).expect("an answer");
        assert_eq!(deleted.responses[0].error_code, 0, "{:?}", deleted.responses[0].error_message);
    }

    /// Moves a partition's log start.
    pub fn delete_records(&mut self, topic: &str, partition_index: i32, offset: i64) {
        let topic = DeleteRecordsTopic {
            name: topic.to_owned(),
            partitions: vec![DeleteRecordsPartition { partition_index, offset }],
        };
        let request = DeleteRecordsRequest { topics: vec![topic], timeout_ms: 30_000 };
        let deleted = self.ask(&request, 1).expect("an answer");
        assert_eq!(deleted.topics[0].partitions[0].error_code, 0);
    }

    /// The id of a new idempotent producer.
    pub fn producer_id(&mut self) -> i64 {
        let request = InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: 60_000,
            ..InitProducerIdRequest::default()
        };
        let given = self.ask(&request, 2).expect("an answer");
        assert_eq!(given.error_code, 0);
        given.producer_id
    }

    /// Sets configurations of a topic or broker while it runs, or takes them away.
    pub fn alter_configs(
        &mut self,
        (kind, name): (i8, &str),
        configs: &[(&str, Option<&str>)],
    ) -> AlterConfigsResourceResponse {
        let config = |(name, value): &(&str, Option<&str>)| AlterableConfig {
            name: (*name).to_owned(),
            config_operation: i8::from(value.is_none()),
            value: value.map(str::to_owned),
        };
        let resource = AlterConfigsResource {
            resource_type: kind,
            resource_name: name.to_owned(),
            configs: configs.iter().map(config).collect(),
        };
        let request =
            IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
        self.ask(&request, 1).expect("an answer").responses.remove(0)
    }

    /// The same, where it must be taken.
    pub fn set_configs(&mut self, of: (i8, &str), configs: &[(&str, Option<&str>)]) {
        let answer = self.alter_configs(of, configs);
        assert_eq!(answer.error_code, 0, "{configs:?}: {:?}", answer.error_message);
    }

    /// Everything there is to know about the cluster.
    pub fn metadata(&mut self) -> std::io::Result<MetadataResponse> {
        self.ask(&MetadataRequest { topics: None, ..MetadataRequest::default() }, 8)
    }

    /// Produces one batch to one partition, acks=all.
    pub fn produce(
        &mut self,
        topic: &str,
        partition: i32,
        records: Bytes,
    ) -> std::io::Result<PartitionProduceResponse> {
        let request = produce_request(topic, partition, records);
        let mut response = self.ask(&request, PRODUCE_VERSION)?;
        Ok(response.responses.remove(0).partition_responses.remove(0))
    }

    /// Fetches from one partition, without waiting.
    pub fn fetch(
        &mut self,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> std::io::Result<PartitionData> {
        let request = fetch_request(topic, &[partition], offset, 0);
        let mut response = self.ask(&request, FETCH_VERSION)?;
        Ok(response.responses.remove(0).partitions.remove(0))
    }
}

/// A request that produces one batch to one partition, acks=all.
pub fn produce_request(topic: &str, partition: i32, records: Bytes) -> ProduceRequest {
    ProduceRequest {
        acks: -1,
        timeout_ms: 10_000,
        topic_data: vec![TopicProduceData {
            name: topic.to_owned(),
            partition_data: vec![PartitionProduceData { index: partition, records: Some(records) }],
            ..TopicProduceData::default()
        }],
        ..ProduceRequest::default()
    }
}

/// A fetch without a session, of up to 8 MiB, from the same offset of each partition. It waits up
/// to `max_wait_ms` for one byte; with 0 it does not.
pub fn fetch_request(
    topic: &str,
    partitions: &[i32],
    offset: i64,
    max_wait_ms: i32,
) -> FetchRequest {
    let partition = |partition: &i32| FetchPartition {
        partition: *partition,
        fetch_offset: offset,
        partition_max_bytes: 8 << 20,
        ..FetchPartition::default()
    };
    FetchRequest {
        max_wait_ms,
        min_bytes: 1,
        max_bytes: 8 << 20,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic: topic.to_owned(),
            partitions: partitions.iter().map(partition).collect(),
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    }
}

/// A batch of records with these values.
pub fn batch<V: AsRef<[u8]>>(
    producer: ProducerStamp,
    values: impl IntoIterator<Item = V>,
) -> Bytes {
    // Of now: retention deletes what is a week old, half a minute after the start.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let timestamp = i64::try_from(now).expect("far away");
    let mut builder = BatchBuilder::new(BatchSpec { producer, ..BatchSpec::default() });
    for value in values {
        builder.append(timestamp, None, Some(value.as_ref()), &[]);
    }
    builder.build().expect("no codec")
}

/// Asks until `done` says so. Panics with `what` after a minute.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_mins(1), "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A number from the environment, for longer runs than the usual.
pub fn wanted(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// The drivers that this machine has.
pub fn backends() -> Vec<&'static str> {
    let has_rings = millrace_uring::probe(millrace_uring::Backend::Uring).is_available;
    if !has_rings {
        println!("io_uring is not to be had here: epoll alone");
    }
    if has_rings { vec!["uring", "epoll"] } else { vec!["epoll"] }
}
