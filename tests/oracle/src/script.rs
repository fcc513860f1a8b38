//! Cases as scripts of steps, and the player that runs them against a broker.
//!
//! In every text of a request, `%T` stands for the prefix of the topics of this case and this run;
//! in answers the prefix is put back to `%T`, so recordings do not depend on the run. A text
//! `$name` is replaced by what an earlier step captured under that name. In the hex digits of
//! opaque bytes, `$hex16:NAME$` is a name with its length.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::codec;
use crate::connection::{CLIENT, Connection, Reply, frame};
use crate::layout::Layouts;

/// How long a step that waits for a state is repeated.
const UNTIL_MAX: Duration = Duration::from_secs(20);

/// What a repeated request waits for.
#[derive(Clone, Debug)]
pub enum Until {
    /// The reply holds this value at this JSON pointer.
    Is(String, Value),
    /// It no longer does.
    IsNot(String, Value),
}

impl Until {
    fn holds(&self, reply: &Value) -> bool {
        match self {
            Self::Is(pointer, value) => reply.pointer(pointer) == Some(value),
            Self::IsNot(pointer, value) => reply.pointer(pointer) != Some(value),
        }
    }
}

/// One request and what is done with its reply.
#[derive(Clone, Debug)]
pub struct Call {
    /// Kafka's name of the API.
    pub api: String,
    /// The version that is sent.
    pub version: i16,
    /// The request's fields.
    pub body: Value,
    /// Variables set from the reply: name and JSON pointer.
    pub captures: Vec<(String, String)>,
    /// Set-up: the reply is used, not recorded.
    pub quiet: bool,
    /// Repeat until the reply is so.
    pub until: Option<Until>,
    /// Who sends it, by client id; none is [`CLIENT`].
    pub client: Option<String>,
    /// False for a produce with acks=0, which has no reply.
    pub replies: bool,
}

/// One step of a script.
#[derive(Clone, Debug)]
pub enum Step {
    /// A request and its reply.
    Call(Call),
    /// Requests sent in one write, replies read afterwards.
    Pipeline(Vec<Call>),
    /// Bytes sent as they are; one reply or the end is recorded, decoded as this API's version 0
    /// if one is named.
    Raw(Vec<u8>, Option<(String, i16)>),
    /// A request sent over another connection, by number; its reply is taken later.
    Send(usize, Call),
    /// The reply to what was sent over that connection.
    Receive(usize),
    /// A new connection.
    Reconnect,
    /// Nothing for this long, so that the broker's clock moves on.
    Pause(Duration),
}

/// One case.
#[must_use]
#[derive(Clone, Debug)]
pub struct Script {
    /// `group/name`; the group is the corpus file.
    pub name: String,
    /// What is played.
    pub steps: Vec<Step>,
    /// Answers that list every topic of the broker are cut down to this case's topics.
    pub only_own: bool,
    /// Whether a client has to wait is recorded, too.
    pub tells_waits: bool,
    topics: Vec<String>,
}

impl Script {
    /// An empty script.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            steps: Vec::new(),
            only_own: false,
            tells_waits: false,
            topics: Vec::new(),
        }
    }

    /// Cuts answers down to the case's own topics.
    pub fn only_own(mut self) -> Self {
        self.only_own = true;
        self
    }

    /// Records whether there is a time to wait in an answer; how long it is belongs to the run.
    pub fn tells_waits(mut self) -> Self {
        self.tells_waits = true;
        self
    }

    /// A recorded request.
    pub fn call(mut self, api: &str, version: i16, body: Value) -> Self {
        self.steps.push(Step::Call(call(api, version, body)));
        self
    }

    /// A request of set-up: not recorded.
    pub fn quiet(mut self, api: &str, version: i16, body: Value) -> Self {
        let mut step = call(api, version, body);
        step.quiet = true;
        self.steps.push(Step::Call(step));
        self
    }

    /// A request repeated until its reply holds `value` at `pointer`; not recorded.
    pub fn until(
        mut self,
        api: &str,
        version: i16,
        body: Value,
        pointer: &str,
        value: Value,
    ) -> Self {
        let mut step = call(api, version, body);
        step.quiet = true;
        step.until = Some(Until::Is(pointer.to_owned(), value));
        self.steps.push(Step::Call(step));
        self
    }

    /// A request repeated while its reply holds `value` at `pointer`; not recorded.
    pub fn until_not(
        mut self,
        api: &str,
        version: i16,
        body: Value,
        pointer: &str,
        value: Value,
    ) -> Self {
        let mut step = call(api, version, body);
        step.quiet = true;
        step.until = Some(Until::IsNot(pointer.to_owned(), value));
        self.steps.push(Step::Call(step));
        self
    }

    /// The last request comes from the client `id`.
    pub fn by(mut self, id: &str) -> Self {
        if let Some(Step::Call(call)) = self.steps.last_mut() {
            call.client = Some(id.to_owned());
        }
        self
    }

    /// Lets the broker's clock move on.
    pub fn pause(mut self, time: Duration) -> Self {
        self.steps.push(Step::Pause(time));
        self
    }

    /// Sets variable `name` from the reply to the last request.
    pub fn capture(mut self, name: &str, pointer: &str) -> Self {
        if let Some(Step::Call(call)) = self.steps.last_mut() {
            call.captures.push((name.to_owned(), pointer.to_owned()));
        }
        self
    }

    /// A request that has no reply.
    pub fn silent(mut self, api: &str, version: i16, body: Value) -> Self {
        let mut step = call(api, version, body);
        step.replies = false;
        self.steps.push(Step::Call(step));
        self
    }

    /// Sends a request over connection `number` (from 1) without waiting for the reply.
    pub fn send(mut self, number: usize, api: &str, version: i16, body: Value) -> Self {
        self.steps.push(Step::Send(number, call(api, version, body)));
        self
    }

    /// Takes the reply to what was sent over connection `number`, recorded.
    pub fn receive(mut self, number: usize, captures: &[(&str, &str)]) -> Self {
        self.steps.push(Step::Receive(number));
        let sent = self.steps.iter_mut().rev().find_map(|step| match step {
            Step::Send(to, call) if *to == number => Some(call),
            _ => None,
        });
        if let Some(call) = sent {
            for (name, pointer) in captures {
                call.captures.push(((*name).to_owned(), (*pointer).to_owned()));
            }
        }
        self
    }

    /// Any step.
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Creates the topic `%T-{suffix}`, waits until it can be used and captures its id as
    /// `$suffix`. It is deleted when the script ends.
    pub fn topic(self, suffix: &str, partitions: i32, configs: &[(&str, &str)]) -> Self {
        let name = format!("%T-{suffix}");
        let configs: Vec<Value> =
            configs.iter().map(|(key, value)| json!({ "Name": key, "Value": value })).collect();
        let mut script = self.quiet(
            "CreateTopics",
            7,
            json!({ "Topics": [{ "Name": name, "NumPartitions": partitions,
                "ReplicationFactor": 1, "Configs": configs }], "timeoutMs": 30_000 }),
        );
        script.topics.push(name);
        script.capture(suffix, "/Topics/0/TopicId").ready(suffix, partitions - 1)
    }

    /// Waits until the partitions of the topic `%T-{suffix}` up to `last` answer requests.
    ///
    /// Kafka shows a topic in its metadata before its log is there, partition by partition.
    pub fn ready(self, suffix: &str, last: i32) -> Self {
        let name = format!("%T-{suffix}");
        let mut script = self.until(
            "Metadata",
            12,
            json!({ "Topics": [{ "Name": name }], "AllowAutoTopicCreation": false }),
            "/Topics/0/Partitions/0/LeaderId",
            json!(1),
        );
        for partition in 0..=last {
            script = script.until(
                "ListOffsets",
                7,
                json!({ "ReplicaId": -1, "Topics": [{ "Name": name, "Partitions": [
                    { "PartitionIndex": partition, "Timestamp": -1 }] }] }),
                "/Topics/0/Partitions/0/ErrorCode",
                json!(0),
            );
        }
        script
    }

    /// A topic that the script makes by itself and that is deleted when it ends.
    pub fn owns(mut self, suffix: &str) -> Self {
        self.topics.push(format!("%T-{suffix}"));
        self
    }

    /// The calls that take the case's topics away again.
    pub fn teardown(&self) -> Option<Call> {
        if self.topics.is_empty() {
            return None;
        }
        let mut step =
            call("DeleteTopics", 5, json!({ "TopicNames": self.topics, "TimeoutMs": 30_000 }));
        step.quiet = true;
        Some(step)
    }
}

/// A plain recorded call.
pub fn call(api: &str, version: i16, body: Value) -> Call {
    Call {
        api: api.to_owned(),
        version,
        body,
        captures: Vec::new(),
        quiet: false,
        until: None,
        client: None,
        replies: true,
    }
}

/// A recorded exchange.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// What was sent: API, version and fields before substitution.
    pub request: String,
    /// API and version, for the mask's rules.
    pub api: String,
    /// The reply as a tree, not masked yet; `{"closed": true}` and the like when there is none.
    pub reply: Value,
}

/// Plays scripts against one broker.
pub struct Player<'a> {
    layouts: &'a Layouts,
    bootstrap: String,
    run: String,
    correlation: i32,
    connection: Option<Connection>,
    others: BTreeMap<usize, (Connection, Call, i32)>,
    variables: BTreeMap<String, Value>,
    prefix: String,
}

impl<'a> Player<'a> {
    /// A player against `bootstrap`; `run` is text that no other run on that broker has used.
    pub fn new(layouts: &'a Layouts, bootstrap: &str, run: &str) -> Self {
        Self {
            layouts,
            bootstrap: bootstrap.to_owned(),
            run: run.to_owned(),
            correlation: 0,
            connection: None,
            others: BTreeMap::new(),
            variables: BTreeMap::new(),
            prefix: String::new(),
        }
    }

    /// Plays `script` and returns its recorded exchanges.
    pub fn play(&mut self, script: &Script) -> Result<Vec<Exchange>> {
        self.connection = None;
        self.others.clear();
        self.variables.clear();
        self.prefix = format!("{}-{}", self.run, script.name.replace('/', "."));
        let outcome = self.steps(&script.steps);
        if let Some(step) = script.teardown() {
            let _ = self.one(&step);
        }
        outcome.with_context(|| script.name.clone())
    }

    /// The topics' prefix of the script played last.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    fn steps(&mut self, steps: &[Step]) -> Result<Vec<Exchange>> {
        let mut exchanges = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            match step {
                Step::Call(call) => {
                    let reply = self
                        .one(call)
                        .with_context(|| format!("step {index}, {} {}", call.api, call.version))?;
                    if !call.quiet && call.replies {
                        exchanges.push(exchange(call, reply));
                    }
                }
                Step::Pipeline(calls) => {
                    let mut bytes = Vec::new();
                    for call in calls {
                        bytes.extend_from_slice(&self.encode(call)?);
                    }
                    let first = self.correlation - i32::try_from(calls.len())? + 1;
                    self.connected()?.send(&bytes);
                    for (call, correlation) in calls.iter().zip(first..) {
                        if call.replies {
                            let reply = self.reply(&call.api, call.version, correlation)?;
                            exchanges.push(exchange(call, reply));
                        }
                    }
                }
                Step::Raw(bytes, decode_as) => {
                    self.connected()?.send(bytes);
                    let (api, version) = decode_as.clone().unwrap_or_default();
                    let correlation = 0x0102_0304;
                    let reply = self.reply(&api, version, correlation)?;
                    exchanges.push(Exchange {
                        request: format!(
                            "raw {} bytes {}",
                            bytes.len(),
                            codec::to_hex(&bytes[..bytes.len().min(64)])
                        ),
                        api,
                        reply,
                    });
                    self.connection = None;
                }
                Step::Send(number, call) => {
                    let bytes = self.encode(call)?;
                    let mut connection = match self.others.remove(number) {
                        Some((connection, ..)) => connection,
                        None => Connection::open(&self.bootstrap)?,
                    };
                    connection.send(&bytes);
                    self.others.insert(*number, (connection, call.clone(), self.correlation));
                }
                Step::Receive(number) => {
                    let (connection, call, correlation) =
                        self.others.remove(number).context("nothing was sent")?;
                    let main = self.connection.replace(connection);
                    let reply = self.reply(&call.api, call.version, correlation)?;
                    if let Some(connection) = std::mem::replace(&mut self.connection, main) {
                        self.others.insert(*number, (connection, call.clone(), 0));
                    }
                    self.keep(&call, &reply)?;
                    exchanges.push(exchange(&call, reply));
                }
                Step::Reconnect => self.connection = None,
                Step::Pause(time) => std::thread::sleep(*time),
            }
        }
        Ok(exchanges)
    }

    fn one(&mut self, call: &Call) -> Result<Value> {
        let start = Instant::now();
        loop {
            let bytes = self.encode(call)?;
            self.connected()?.send(&bytes);
            if !call.replies {
                return Ok(Value::Null);
            }
            let reply = self.reply(&call.api, call.version, self.correlation)?;
            if let Some(until) = call.until.as_ref().filter(|until| !until.holds(&reply)) {
                ensure!(start.elapsed() < UNTIL_MAX, "{until:?} never held: {reply}");
                std::thread::sleep(Duration::from_millis(20));
                continue;
            }
            self.keep(call, &reply)?;
            return Ok(reply);
        }
    }

    fn keep(&mut self, call: &Call, reply: &Value) -> Result<()> {
        for (name, pointer) in &call.captures {
            let value = reply
                .pointer(pointer)
                .with_context(|| format!("nothing at {pointer} in {reply}"))?;
            self.variables.insert(name.clone(), value.clone());
        }
        Ok(())
    }

    fn connected(&mut self) -> Result<&mut Connection> {
        if self.connection.is_none() {
            self.connection = Some(Connection::open(&self.bootstrap)?);
        }
        self.connection.as_mut().context("no connection")
    }

    fn encode(&mut self, call: &Call) -> Result<Vec<u8>> {
        self.correlation += 1;
        let body = self.substitute(&call.body)?;
        let request = self.layouts.request(&call.api)?;
        let body = codec::encode(request, call.version, &body)?;
        let client = call.client.as_deref().unwrap_or(CLIENT).replace("%T", &self.prefix);
        frame(self.layouts, (&call.api, call.version), (&client, self.correlation), &body)
    }

    fn substitute(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::String(text) => match text.strip_prefix('$') {
                Some(name) => {
                    self.variables.get(name).with_context(|| format!("no variable {name}"))?.clone()
                }
                None => json!(with_names(&text.replace("%T", &self.prefix))),
            },
            Value::Array(list) => {
                list.iter().map(|item| self.substitute(item)).collect::<Result<_>>()?
            }
            Value::Object(object) => object
                .iter()
                .map(|(name, item)| Ok((name.clone(), self.substitute(item)?)))
                .collect::<Result<serde_json::Map<_, _>>>()?
                .into(),
            other => other.clone(),
        })
    }

    fn reply(&mut self, api: &str, version: i16, correlation: i32) -> Result<Value> {
        let frame = match self.connected()?.receive()? {
            Reply::Frame(frame) => frame,
            Reply::Closed => {
                self.connection = None;
                return Ok(json!({ "closed": true }));
            }
            Reply::Silence => {
                self.connection = None;
                return Ok(json!({ "silence": true }));
            }
        };
        if api.is_empty() {
            return Ok(json!({ "frame": codec::to_hex(&frame) }));
        }
        let response = self.layouts.response(api)?;
        // ApiVersions answers with the oldest header whatever the version is (KIP-511).
        let flexible = response.flexible.holds(version) && api != "ApiVersions";
        let header = if flexible { 5 } else { 4 };
        let Some((head, body)) = frame.split_at_checked(header) else {
            bail!("a reply of {} bytes", frame.len());
        };
        if head[..4] != correlation.to_be_bytes() {
            return Ok(json!({ "correlation": codec::to_hex(&head[..4]), "due": correlation }));
        }
        Ok(match codec::decode(response, version, body) {
            Ok(tree) => tree,
            // An unsupported version of ApiVersions is answered in version 0.
            Err(_) if api == "ApiVersions" => codec::decode(response, 0, body)?,
            Err(error) => json!({
                "undecodable": format!("{error:#}"), "bytes": codec::to_hex(body),
            }),
        })
    }
}

/// `$hex16:NAME$` within hex digits becomes the name in hex, with its length in 16 bits before it.
fn with_names(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("$hex16:") {
        let (name, after) = tail.split_once('$').unwrap_or((tail, ""));
        let hex = codec::to_hex(name.as_bytes());
        out = format!("{out}{before}{:04x}{hex}", name.len());
        rest = after;
    }
    out + rest
}

fn exchange(call: &Call, reply: Value) -> Exchange {
    let by = call.client.as_ref().map_or_else(String::new, |id| format!(" by {id}"));
    Exchange {
        request: format!("{} {}{by} {}", call.api, call.version, shortened(&call.body)),
        api: call.api.clone(),
        reply,
    }
}

/// A request's text for the recording; long ones by length and checksum.
fn shortened(body: &Value) -> String {
    let text = body.to_string();
    if text.len() > 600 {
        let sum = crate::batch::crc32c(text.as_bytes());
        format!("{{{} characters, crc {sum:08x}}}", text.len())
    } else {
        text
    }
}
