//! AlterConfigs, versions 0 to 2, and what it shares with IncrementalAlterConfigs.
//!
//! What a broker itself has to say to a change is said before the controller is asked: which
//! broker is meant, and that each name comes once with a value. Source: KIP-226, KIP-339.

use std::collections::{BTreeMap, BTreeSet};

use millrace_net::ErrorCode;
use millrace_net::messages::alter_configs::{
    AlterConfigsRequest, AlterConfigsResourceResponse, AlterConfigsResponse,
};
use millrace_replication::controller::{AlterConfig, AlterOp, AlterResource, Mode};
use millrace_replication::{ConfigResource, ResourceType};

use millrace_wire::WireError;

use crate::config::resources::{check_broker_value, check_client_match, check_group_value};
use crate::controller::{AdminAnswer, AdminAsk};
use crate::handlers::admin::Then;
use crate::shard::{ReplyTo, Request, Shard, Turn};
use crate::topic_config;

/// Configurations that Kafka can change while it runs, and this broker cannot.
const FIXED: [&str; 2] = ["listener.security.protocol.map", "listeners"];

/// The code of a resource's answer, and words for people.
pub(crate) type Outcome = (ErrorCodeNumber, Option<String>);
/// A Kafka error code as it stands in a response.
pub(crate) type ErrorCodeNumber = i16;

/// One resource of a request, in the form of either API.
#[derive(Debug)]
pub(crate) struct Resource {
    /// The wire's number.
    pub kind: i8,
    /// Its name.
    pub name: String,
    /// Name, operation (the wire's number) and value.
    pub changes: Vec<(String, i8, Option<String>)>,
}

/// What the answer needs beyond the controller's.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Kind and name of each resource of the request.
    pub resources: Vec<(i8, String)>,
    /// What is known already; none where the controller's answers go, in order.
    pub outcomes: Vec<Option<Outcome>>,
}

impl Waiting {
    /// Each resource with its outcome, in the request's order.
    pub(crate) fn finish(
        self,
        answer: AdminAnswer,
    ) -> impl Iterator<Item = (i8, String, ErrorCodeNumber, Option<String>)> {
        let mut answers = match answer {
            AdminAnswer::AlteredConfigs(answers) => answers,
            AdminAnswer::LogFailed
            | AdminAnswer::CreatedTopics(_)
            | AdminAnswer::DeletedTopics(_)
            | AdminAnswer::CreatedPartitions(_)
            | AdminAnswer::AlteredQuotas(_)
            | AdminAnswer::UpdatedFeatures(_)
            | AdminAnswer::ProducerIds(_) => Vec::new(),
        }
        .into_iter();
        let mut next = move || match answers.next() {
            Some(Ok(())) => (0, None),
            Some(Err(refusal)) => (refusal.code(), Some(refusal.message)),
            None => (ErrorCode::KafkaStorageError.code(), None),
        };
        let each = self.resources.into_iter().zip(self.outcomes);
        each.map(move |((kind, name), outcome)| {
            let (code, message) = outcome.unwrap_or_else(&mut next);
            (kind, name, code, message)
        })
    }
}

impl Shard {
    /// Hands the resources to the controller.
    pub(crate) fn handle_alter_configs(
        &mut self,
        _turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: AlterConfigsRequest = request.decode()?;
        let mode = if body.validate_only { Mode::Validate } else { Mode::Apply };
        let set = AlterOp::SET_ID;
        let resources = body.resources.into_iter().map(|resource| Resource {
            kind: resource.resource_type,
            name: resource.resource_name,
            changes: resource
                .configs
                .into_iter()
                .map(|config| (config.name, set, config.value))
                .collect(),
        });
        let (asked, waiting) = self.plan_alter(resources.collect(), LoggersAre::Unknown);
        let ask = AdminAsk::AlterConfigs(asked, mode);
        self.ask_and_wait(&request.to, ask, Then::AlterConfigs(waiting));
        Ok(())
    }

    /// The controller has answered.
    pub(crate) fn finish_alter_configs(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        waiting: Waiting,
        answer: AdminAnswer,
    ) {
        let responses = waiting.finish(answer).map(|(kind, name, error_code, error_message)| {
            AlterConfigsResourceResponse {
                error_code,
                error_message,
                resource_type: kind,
                resource_name: name,
            }
        });
        let response =
            AlterConfigsResponse { responses: responses.collect(), ..Default::default() };
        self.reply(turn, to, |writer, version| response.encode(writer, version));
    }

    /// What the controller is asked, and what is known without it.
    pub(crate) fn plan_alter(
        &self,
        resources: Vec<Resource>,
        loggers: LoggersAre,
    ) -> (Vec<AlterResource>, Waiting) {
        let mut counts: BTreeMap<(i8, &str), u32> = BTreeMap::new();
        for resource in &resources {
            *counts.entry((resource.kind, &resource.name)).or_default() += 1;
        }
        let plans: Vec<Result<Option<AlterResource>, Outcome>> = resources
            .iter()
            .map(|resource| {
                if counts[&(resource.kind, resource.name.as_str())] > 1 {
                    return Err(invalid_request("each resource may appear once"));
                }
                self.plan_resource(resource, loggers)
            })
            .collect();
        let mut asked = Vec::new();
        let mut outcomes = Vec::with_capacity(plans.len());
        for plan in plans {
            outcomes.push(match plan {
                Ok(Some(resource)) => {
                    asked.push(resource);
                    None
                }
                Ok(None) => Some((0, None)),
                Err(outcome) => Some(outcome),
            });
        }
        let names = resources.into_iter().map(|resource| (resource.kind, resource.name));
        (asked, Waiting { resources: names.collect(), outcomes })
    }

    /// What the controller is asked about one resource; none if there is nothing to ask.
    fn plan_resource(
        &self,
        resource: &Resource,
        loggers: LoggersAre,
    ) -> Result<Option<AlterResource>, Outcome> {
        let mut names = BTreeSet::new();
        if !resource.changes.iter().all(|(name, ..)| names.insert(name)) {
            return Err(invalid_request("each configuration may appear once"));
        }
        let delete = AlterOp::DELETE_ID;
        if let Some((name, ..)) =
            resource.changes.iter().find(|(_, op, value)| *op != delete && value.is_none())
        {
            return Err(invalid_request(&format!("configuration '{name}' has no value")));
        }
        let kind = match ResourceType::from_id(resource.kind) {
            Some(ResourceType::BrokerLogger) if loggers == LoggersAre::Known => {
                self.check_broker_id(&resource.name)?;
                return alter_loggers(resource);
            }
            None | Some(ResourceType::BrokerLogger) => {
                let why = format!("resource type {} is unknown", resource.kind);
                return Err(invalid_request(&why));
            }
            Some(kind) => kind,
        };
        if kind == ResourceType::Broker && !resource.name.is_empty() {
            self.check_broker_id(&resource.name)?;
        }
        self.check_values(kind, resource)?;
        let changes = resource.changes.iter().map(|(name, op, value)| {
            // An operation nobody knows breaks Kafka's forwarding; the answer is its code.
            // A broker's own configurations are looked at before they are forwarded.
            let op = AlterOp::from_id(*op).ok_or_else(|| match kind {
                ResourceType::Broker => invalid_request(&format!("operation {op} is unknown")),
                ResourceType::Topic
                | ResourceType::BrokerLogger
                | ResourceType::ClientMetrics
                | ResourceType::Group => (ErrorCode::UnknownServerError.code(), None::<String>),
            })?;
            Ok(AlterConfig { name: name.clone(), op, value: value.clone() })
        });
        Ok(Some(AlterResource {
            resource: ConfigResource { kind, name: resource.name.clone() },
            changes: changes.collect::<Result<_, Outcome>>()?,
        }))
    }

    /// Checks what depends on more than a configuration's own type.
    fn check_values(&self, kind: ResourceType, resource: &Resource) -> Result<(), Outcome> {
        let view = topic_config::view(&self.setup, &self.image);
        let is_fixed = |(name, ..): &&(String, i8, Option<String>)| FIXED.contains(&name.as_str());
        if kind == ResourceType::Broker
            && let Some((name, ..)) = resource.changes.iter().find(is_fixed)
        {
            let why =
                format!("'{name}' is set for a start; it cannot change while the broker runs");
            return Err(invalid_request(&why));
        }
        for (name, op, value) in &resource.changes {
            let Some(value) = value.as_deref().filter(|_| *op == AlterOp::SET_ID) else { continue };
            let checked = match kind {
                ResourceType::Group => check_group_value(&view, name, value),
                ResourceType::ClientMetrics if name == "match" => check_client_match(value),
                ResourceType::Broker => {
                    check_broker_value(&view, name, value).map_err(|why| invalid_request(&why))?;
                    Ok(())
                }
                ResourceType::Topic | ResourceType::BrokerLogger | ResourceType::ClientMetrics => {
                    Ok(())
                }
            };
            checked.map_err(|why| (ErrorCode::InvalidConfig.code(), Some(why)))?;
        }
        Ok(())
    }

    /// Refuses the name of a broker resource that is not this broker.
    pub(crate) fn check_broker_id(&self, name: &str) -> Result<(), Outcome> {
        match name.parse::<i32>() {
            Ok(id) if id == self.setup.node_id => Ok(()),
            Ok(id) => {
                let own = self.setup.node_id;
                Err(invalid_request(&format!("broker {id} is asked for, this is broker {own}")))
            }
            Err(_) => Err(invalid_request(&format!("'{name}' is not a broker's id"))),
        }
    }
}

/// Whether an API knows brokers' loggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoggersAre {
    /// IncrementalAlterConfigs does.
    Known,
    /// AlterConfigs does not.
    Unknown,
}

/// This broker has no loggers whose level could change: each is one that does not exist.
fn alter_loggers(resource: &Resource) -> Result<Option<AlterResource>, Outcome> {
    match resource.changes.first() {
        None => Ok(None),
        Some((name, ..)) => {
            let why = format!("there is no logger '{name}'");
            Err((ErrorCode::InvalidConfig.code(), Some(why)))
        }
    }
}

fn invalid_request(message: &str) -> Outcome {
    (ErrorCode::InvalidRequest.code(), Some(message.to_owned()))
}
