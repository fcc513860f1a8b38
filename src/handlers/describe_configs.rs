//! DescribeConfigs, versions 1 to 4.

use millrace_net::ErrorCode;
use millrace_net::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
    DescribeConfigsResponse, DescribeConfigsResult, DescribeConfigsSynonym,
};
use millrace_replication::controller::topic_name_check;
use millrace_replication::{ConfigResource, ResourceType};

use millrace_wire::WireError;

use crate::config::describe::{self, Described, Wanted};
use crate::handlers::alter_configs::Outcome;
use crate::shard::{Request, Shard, Turn};
use crate::topic_config;

impl Shard {
    /// Answers from the image and the settings of this start.
    pub(crate) fn handle_describe_configs(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: DescribeConfigsRequest = request.decode()?;
        let results = body.resources.iter().map(|resource| {
            let mut result = DescribeConfigsResult {
                resource_type: resource.resource_type,
                resource_name: resource.resource_name.clone(),
                ..DescribeConfigsResult::default()
            };
            match self.describe_resource(resource) {
                Ok(configs) => {
                    let each = configs.into_iter().map(|config| shown(config, &body));
                    result.configs = each.collect();
                }
                Err((error_code, error_message)) => {
                    result.error_code = error_code;
                    result.error_message = error_message;
                }
            }
            result
        });
        let response = DescribeConfigsResponse { results: results.collect(), ..Default::default() };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }

    fn describe_resource(
        &self,
        resource: &DescribeConfigsResource,
    ) -> Result<Vec<Described>, Outcome> {
        let name = resource.resource_name.as_str();
        let keys: Option<Vec<&str>> = resource
            .configuration_keys
            .as_ref()
            .filter(|keys| !keys.is_empty())
            .map(|keys| keys.iter().map(String::as_str).collect());
        let wanted: Wanted<'_> = keys.as_deref();
        let view = topic_config::view(&self.setup, &self.image);
        let own = |kind| self.image.config(&ConfigResource { kind, name: name.to_owned() });
        match ResourceType::from_id(resource.resource_type) {
            Some(ResourceType::Topic) => {
                self.check_topic(name)?;
                Ok(describe::describe_topic(&view, self.image.topic_config(name), wanted))
            }
            Some(ResourceType::Broker) if name.is_empty() => {
                Ok(describe::describe_cluster(self.image.cluster_config(), wanted))
            }
            Some(ResourceType::Broker) => {
                self.check_broker_id(name)?;
                Ok(describe::describe_broker(&view, wanted))
            }
            // Log levels are no configuration here: there are no loggers.
            Some(ResourceType::BrokerLogger) => {
                self.check_broker_id(name)?;
                Ok(Vec::new())
            }
            Some(ResourceType::Group | ResourceType::ClientMetrics) if name.is_empty() => {
                Err(refusal(ErrorCode::InvalidRequest, "a resource of this type needs a name"))
            }
            Some(kind @ ResourceType::Group) => {
                Ok(describe::describe_group(&view, own(kind), wanted))
            }
            Some(kind @ ResourceType::ClientMetrics) => {
                Ok(describe::describe_client_metrics(own(kind), wanted))
            }
            None => Err(refusal(ErrorCode::InvalidRequest, "the resource type is unknown")),
        }
    }

    fn check_topic(&self, name: &str) -> Result<(), Outcome> {
        if let Err(why) = topic_name_check(name) {
            return Err(refusal(ErrorCode::InvalidTopicException, &why));
        }
        if self.image.topic(name).is_none() {
            return Err(refusal(ErrorCode::UnknownTopicOrPartition, "there is no such topic"));
        }
        Ok(())
    }
}

fn refusal(error: ErrorCode, message: &str) -> Outcome {
    (error.code(), Some(message.to_owned()))
}

fn shown(config: Described, body: &DescribeConfigsRequest) -> DescribeConfigsResourceResult {
    let synonyms = config.synonyms.into_iter().map(|synonym| DescribeConfigsSynonym {
        name: synonym.name,
        value: synonym.value,
        source: synonym.source.id(),
    });
    DescribeConfigsResourceResult {
        name: config.name,
        value: config.value,
        read_only: config.read_only,
        config_source: config.source.id(),
        is_sensitive: config.sensitive,
        synonyms: if body.include_synonyms { synonyms.collect() } else { Vec::new() },
        config_type: config.kind,
        documentation: config
            .documentation
            .filter(|_| body.include_documentation)
            .map(str::to_owned),
    }
}
