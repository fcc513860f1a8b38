//! One connection to a broker: versions agreed on, requests sent, answers read.
//!
//! Blocking. Requests may be sent ahead; answers come in their order.

#![expect(clippy::disallowed_types, reason = "a person's client waits for its broker")]

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use millrace_net::header::{read_response, request_frame};
use millrace_net::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use millrace_net::{ApiKey, ErrorCode, Request};

use super::error::CliError;

/// The name this client gives itself.
const CLIENT_ID: &str = "millrace-cli";
/// How long a connection may take to be made.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// How long an answer may take beyond what a request itself may wait.
const ANSWER_TIME_MAX: Duration = Duration::from_mins(1);
/// The largest answer that is read, bytes.
const ANSWER_BYTES_MAX: usize = 1 << 30;

/// See the file's head.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    /// As it was asked for.
    pub(crate) address: String,
    versions: BTreeMap<i16, (i16, i16)>,
    correlation_id: i32,
}

/// A request that was sent and not yet answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    correlation_id: i32,
    version: i16,
}

impl Client {
    /// Connects to `host:port` and asks what is served there.
    pub(crate) fn connect(address: &str) -> Result<Self, CliError> {
        let refuse = |error: &dyn std::fmt::Display| {
            CliError::unreachable(format!("cannot connect to {address}: {error}"))
                .hint("is the broker running there? --bootstrap HOST:PORT names another address")
        };
        let addresses: Vec<_> =
            address.to_socket_addrs().map_err(|error| refuse(&error))?.collect();
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for resolved in addresses {
            match TcpStream::connect_timeout(&resolved, CONNECT_TIME_MAX) {
                Ok(stream) => return Self::greet(stream, address),
                Err(error) => last = error,
            }
        }
        Err(refuse(&last))
    }

    fn greet(stream: TcpStream, address: &str) -> Result<Self, CliError> {
        let address = address.to_owned();
        let mut client = Self { stream, address, versions: BTreeMap::new(), correlation_id: 0 };
        let prepared = client.stream.set_nodelay(true);
        prepared
            .and_then(|()| client.stream.set_read_timeout(Some(ANSWER_TIME_MAX)))
            .and_then(|()| client.stream.set_write_timeout(Some(ANSWER_TIME_MAX)))
            .map_err(|error| client.lost(&error))?;
        let request = ApiVersionsRequest {
            client_software_name: CLIENT_ID.to_owned(),
            client_software_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let mut version = 3;
        let answer = loop {
            let sent = client.send_as(&request, version)?;
            // A broker that does not serve the version answers in version 0, with a code that
            // stands at the front in every version. Source: KIP-511.
            let frame = client.frame()?;
            let is_refused =
                frame.get(4..6) == Some(&ErrorCode::UnsupportedVersion.code().to_be_bytes());
            if is_refused && version > 0 {
                version = 0;
                continue;
            }
            break client.read::<ApiVersionsRequest>(&frame, sent)?;
        };
        client.learn(&answer)?;
        Ok(client)
    }

    fn learn(&mut self, answer: &ApiVersionsResponse) -> Result<(), CliError> {
        super::error::check(&self.address, answer.error_code, None)?;
        let row = |api: &millrace_net::messages::api_versions::ApiVersion| {
            (api.api_key, (api.min_version, api.max_version))
        };
        self.versions = answer.api_keys.iter().map(row).collect();
        Ok(())
    }

    /// True if the broker serves the API in a version that this client has.
    pub(crate) fn serves<R: Request>(&self) -> bool {
        self.version::<R>().is_ok()
    }

    /// The newest version of an API that both sides have.
    fn version<R: Request>(&self) -> Result<i16, CliError> {
        let name = R::KEY.name();
        let Some((min, max)) = self.versions.get(&R::KEY.code()).copied() else {
            return Err(CliError::refused(format!("{} does not serve {name}", self.address))
                .hint("this broker is older or smaller than what the command needs"));
        };
        let version = max.min(R::VERSION_MAX);
        if version >= min.max(R::VERSION_MIN) {
            return Ok(version);
        }
        Err(CliError::refused(format!(
            "{} serves {name} in versions {min} to {max}, this client has {} to {}",
            self.address,
            R::VERSION_MIN,
            R::VERSION_MAX
        )))
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn call<R: Request>(&mut self, request: &R) -> Result<R::Response, CliError> {
        let sent = self.send(request)?;
        self.receive::<R>(sent)
    }

    /// Sends a request whose answer is read later.
    pub(crate) fn send<R: Request>(&mut self, request: &R) -> Result<Sent, CliError> {
        let version = self.version::<R>()?;
        self.send_as(request, version)
    }

    fn send_as<R: Request>(&mut self, request: &R, version: i16) -> Result<Sent, CliError> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let frame = request_frame(request, version, self.correlation_id, Some(CLIENT_ID));
        self.stream.write_all(&frame).map_err(|error| self.lost(&error))?;
        Ok(Sent { correlation_id: self.correlation_id, version })
    }

    /// Waits for the answer to the oldest request that was sent.
    pub(crate) fn receive<R: Request>(&mut self, sent: Sent) -> Result<R::Response, CliError> {
        let frame = self.frame()?;
        self.read::<R>(&frame, sent)
    }

    fn read<R: Request>(&self, frame: &[u8], sent: Sent) -> Result<R::Response, CliError> {
        let name = R::KEY.name();
        let (correlation_id, response) =
            read_response::<R>(frame, sent.version).map_err(|error| {
                let version = sent.version;
                self.nonsense(&format!("its {name} {version} answer cannot be read: {error}"))
            })?;
        if correlation_id == sent.correlation_id {
            Ok(response)
        } else {
            let wanted = sent.correlation_id;
            Err(self.nonsense(&format!("it answered request {correlation_id}, not {wanted}")))
        }
    }

    fn frame(&mut self) -> Result<Vec<u8>, CliError> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).map_err(|error| self.lost(&error))?;
        let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > ANSWER_BYTES_MAX {
            return Err(self.nonsense("it sent something that is no answer"));
        }
        let mut frame = Vec::new();
        let limit = u64::try_from(length).unwrap_or(0);
        // Memory follows the bytes that come, not the length that was claimed.
        let read = (&self.stream).take(limit).read_to_end(&mut frame);
        match read {
            Ok(bytes) if bytes == length => Ok(frame),
            Ok(_) => Err(self.lost(&io::Error::from(io::ErrorKind::UnexpectedEof))),
            Err(error) => Err(self.lost(&error)),
        }
    }

    fn nonsense(&self, what: &str) -> CliError {
        CliError::unreachable(format!("{}: {what}", self.address))
            .hint("is a Kafka-speaking broker listening there, without TLS?")
    }

    fn lost(&self, error: &io::Error) -> CliError {
        let address = &self.address;
        let is = |kinds: &[io::ErrorKind]| kinds.contains(&error.kind());
        if is(&[
            io::ErrorKind::UnexpectedEof,
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::BrokenPipe,
        ]) {
            CliError::unreachable(format!("{address} closed the connection"))
                .hint("is a Kafka-speaking broker listening there, without TLS? see its log")
        } else if is(&[io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut]) {
            let seconds = ANSWER_TIME_MAX.as_secs();
            CliError::unreachable(format!("{address} did not answer within {seconds} s"))
        } else {
            CliError::unreachable(format!("{address}: {error}"))
        }
    }

    /// The API versions that the broker serves, by key.
    pub(crate) fn served(&self, key: ApiKey) -> Option<(i16, i16)> {
        self.versions.get(&key.code()).copied()
    }
}
