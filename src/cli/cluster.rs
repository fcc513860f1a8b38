//! The brokers of a cluster: who leads what, and a connection to each.

use std::collections::BTreeMap;

use millrace_net::ErrorCode;
use millrace_net::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseTopic,
};

use super::client::Client;
use super::error::{CliError, check};

/// See the file's head.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// The broker that was asked first; it answers what any broker can.
    pub(crate) bootstrap: Client,
    nodes: BTreeMap<i32, Client>,
    addresses: BTreeMap<i32, String>,
}

impl Cluster {
    /// Connects to the first of the addresses that answers.
    pub(crate) fn connect(addresses: &str) -> Result<Self, CliError> {
        let mut last = CliError::usage("--bootstrap names no address");
        for address in addresses.split(',').map(str::trim).filter(|address| !address.is_empty()) {
            let address = with_port(address);
            match Client::connect(&address) {
                Ok(bootstrap) => {
                    return Ok(Self {
                        bootstrap,
                        nodes: BTreeMap::new(),
                        addresses: BTreeMap::new(),
                    });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// All topics' metadata, or that of some. Makes no topic.
    pub(crate) fn metadata(
        &mut self,
        topics: Option<&[String]>,
    ) -> Result<MetadataResponse, CliError> {
        self.metadata_or_create(topics, false)
    }

    /// As [`Self::metadata`]; `create` lets the broker make topics that are not there, if it does.
    pub(crate) fn metadata_or_create(
        &mut self,
        topics: Option<&[String]>,
        create: bool,
    ) -> Result<MetadataResponse, CliError> {
        let named = |names: &[String]| {
            names
                .iter()
                .map(|name| MetadataRequestTopic {
                    name: Some(name.clone()),
                    ..MetadataRequestTopic::default()
                })
                .collect()
        };
        let request = MetadataRequest {
            topics: topics.map(named),
            allow_auto_topic_creation: create,
            ..MetadataRequest::default()
        };
        let answer = self.bootstrap.call(&request)?;
        check(&self.bootstrap.address, answer.error_code, None)?;
        let address = |host: &str, port| {
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
        };
        self.addresses = answer
            .brokers
            .iter()
            .map(|broker| (broker.node_id, address(&broker.host, broker.port)))
            .collect();
        Ok(answer)
    }

    /// One topic's metadata. Its absence is an error.
    pub(crate) fn topic(
        &mut self,
        name: &str,
        create: bool,
    ) -> Result<MetadataResponseTopic, CliError> {
        let names = [name.to_owned()];
        let answer = self.metadata_or_create(Some(&names), create)?;
        let topic = answer.topics.into_iter().next().ok_or_else(|| {
            CliError::refused(format!("{}: no answer for topic {name}", self.bootstrap.address))
        })?;
        check(format_args!("topic {name}"), topic.error_code, None)?;
        Ok(topic)
    }

    /// The connection to a node that the last metadata named.
    pub(crate) fn node(&mut self, id: i32) -> Result<&mut Client, CliError> {
        if !self.nodes.contains_key(&id) {
            let Some(address) = self.addresses.get(&id) else {
                return Err(CliError::broker(
                    format_args!("node {id}"),
                    ErrorCode::LeaderNotAvailable.code(),
                    Some("no such broker is up"),
                ));
            };
            let client = Client::connect(address).map_err(|error| {
                let first = &self.bootstrap.address;
                CliError::unreachable(format!("{first} names node {id} at {address}; {error}"))
                    .hint("what brokers are called is the broker's advertised.listeners")
            })?;
            self.nodes.insert(id, client);
        }
        Ok(self.nodes.get_mut(&id).unwrap_or(&mut self.bootstrap))
    }

    /// All brokers' ids and addresses, by the last metadata.
    pub(crate) const fn brokers(&self) -> &BTreeMap<i32, String> {
        &self.addresses
    }
}

/// Adds Kafka's port where none is given.
fn with_port(address: &str) -> String {
    let is_bare_v6 = address.matches(':').count() > 1 && !address.contains(']');
    if is_bare_v6 {
        format!("[{address}]:9092")
    } else if address.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']')) {
        address.to_owned()
    } else {
        format!("{address}:9092")
    }
}

#[cfg(test)]
mod tests {
    use super::with_port;

    #[test]
    fn an_address_without_a_port_gets_kafkas() {
        assert_eq!(with_port("broker"), "broker:9092");
        assert_eq!(with_port("broker:1"), "broker:1");
        assert_eq!(with_port("::1"), "[::1]:9092");
        assert_eq!(with_port("[::1]"), "[::1]:9092");
        assert_eq!(with_port("[::1]:5"), "[::1]:5");
    }
}
