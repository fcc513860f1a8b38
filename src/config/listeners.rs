//! Listeners: what is bound, what clients are told, and the rules between the five names.
//!
//! `listeners`, `advertised.listeners`, `listener.security.protocol.map`,
//! `inter.broker.listener.name` and `controller.listener.names`. The rules are Kafka's; where this
//! broker is kinder, the code says so. Names compare in upper case, as in Kafka.

use millrace_replication::SecurityProtocol;
use millrace_replication::config_key::split_list;

use super::layers::ConfigError;
use super::view::View;

/// An address under a listener's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The name, in upper case.
    pub name: String,
    /// What is spoken there.
    pub protocol: SecurityProtocol,
    /// Host name or address, without brackets; empty for all interfaces.
    pub host: String,
    /// The port; 0 lets the system choose.
    pub port: u16,
}

impl Listener {
    /// True when every interface is bound.
    pub fn is_wildcard(&self) -> bool {
        matches!(self.host.as_str(), "" | "0.0.0.0" | "::" | "0:0:0:0:0:0:0:0")
    }
}

/// The host that clients of a listener are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdvertisedHost {
    /// This one.
    Fixed(String),
    /// All interfaces are bound and nobody said more: the host's name, or, where the answer may
    /// depend on who asks, the address that the client connected to.
    Derived,
}

/// What clients of one listener are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertised {
    /// The listener's name.
    pub name: String,
    /// What is spoken there.
    pub protocol: SecurityProtocol,
    /// The host.
    pub host: AdvertisedHost,
    /// The port; none stands for the port that was bound.
    pub port: Option<u16>,
}

impl Advertised {
    /// The host and port as a client is told them.
    ///
    /// - `fallback`: for a derived host: the address that the client connected to, or the name of
    ///   this host.
    /// - `bound_port`: the port that the listener of this name got.
    pub fn address<'a>(&'a self, fallback: &'a str, bound_port: u16) -> (&'a str, u16) {
        let host = match &self.host {
            AdvertisedHost::Fixed(host) => host.as_str(),
            AdvertisedHost::Derived => fallback,
        };
        (host, self.port.unwrap_or(bound_port))
    }
}

/// All listeners of the node, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listeners {
    /// To be bound, in the order configured; at least one, names distinct.
    pub bound: Vec<Listener>,
    /// What clients are told; each belongs to one in `bound`.
    pub advertised: Vec<Advertised>,
    /// The controller's: accepted, not bound, because this node's controller is in the process.
    pub controller: Vec<Listener>,
    /// The listener that brokers use among themselves.
    pub inter_broker: String,
}

impl Listeners {
    /// Reads and checks the listeners of a configuration.
    pub fn resolve(view: &View<'_>) -> Result<Self, ConfigError> {
        let map = ProtocolMap::resolve(view)?;
        let all = endpoints(view, "listeners", &map)?;
        distinct_ports(&all)?;
        let controller_names = upper_list(view, "controller.listener.names");
        let (controller, bound): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|listener| controller_names.contains(&listener.name));
        if bound.is_empty() {
            return Err(refuse(
                view,
                "listeners",
                "at least one listener that is not a controller's",
            ));
        }
        if let Some(other) =
            bound.iter().find(|listener| listener.protocol != SecurityProtocol::Plaintext)
        {
            return Err(refuse(
                view,
                "listeners",
                &format!(
                    "PLAINTEXT for listener {}: {} is not served yet",
                    other.name,
                    other.protocol.name()
                ),
            ));
        }
        let advertised = advertised(view, &map, &bound, &controller_names)?;
        let inter_broker = inter_broker(view, &advertised)?;
        Ok(Self { bound, advertised, controller, inter_broker })
    }

    /// What clients of the bound listener `name` are told, if it is advertised.
    pub fn advertised(&self, name: &str) -> Option<&Advertised> {
        self.advertised.iter().find(|one| one.name == name)
    }
}

fn refuse(view: &View<'_>, name: &str, right: &str) -> ConfigError {
    view.statics.refuse(name, right)
}

fn upper_list<'a>(view: &View<'a>, name: &'a str) -> Vec<String> {
    let text = view.text(name).unwrap_or_default();
    split_list(&text).into_iter().map(str::to_ascii_uppercase).collect()
}

/// Which protocol each listener name speaks.
struct ProtocolMap {
    entries: Vec<(String, SecurityProtocol)>,
}

impl ProtocolMap {
    const NAME: &'static str = "listener.security.protocol.map";

    fn resolve(view: &View<'_>) -> Result<Self, ConfigError> {
        let mut entries: Vec<(String, SecurityProtocol)> = Vec::new();
        for entry in view.list(Self::NAME) {
            let parsed = entry.split_once(':').and_then(|(name, protocol)| {
                let protocol = SecurityProtocol::from_name(protocol.trim())?;
                Some((name.trim().to_ascii_uppercase(), protocol))
            });
            let Some((name, protocol)) = parsed.filter(|(name, _)| !name.is_empty()) else {
                return Err(refuse(
                    view,
                    Self::NAME,
                    &format!(
                        "NAME:PROTOCOL pairs, PROTOCOL one of PLAINTEXT, SSL, SASL_PLAINTEXT, \
                         SASL_SSL; not '{entry}'"
                    ),
                ));
            };
            if entries.iter().any(|(other, _)| *other == name) {
                return Err(refuse(view, Self::NAME, &format!("without repeats; not '{name}'")));
            }
            entries.push((name, protocol));
        }
        // Kafka does the same for a combined node: a controller's listener needs no map.
        if view.statics.get(Self::NAME).is_none() {
            for name in upper_list(view, "controller.listener.names") {
                if entries.iter().all(|(other, _)| *other != name) {
                    entries.push((name, SecurityProtocol::Plaintext));
                }
            }
        }
        Ok(Self { entries })
    }

    fn protocol(&self, name: &str) -> Option<SecurityProtocol> {
        self.entries.iter().find(|(other, _)| other == name).map(|(_, protocol)| *protocol)
    }
}

/// Splits `NAME://host:port`; the host may stand in brackets.
fn split_endpoint(text: &str) -> Option<(&str, &str, u16)> {
    let (name, address) = text.split_once("://")?;
    let (host, port) = address.rsplit_once(':')?;
    let host = host.strip_prefix('[').unwrap_or(host);
    let host = host.strip_suffix(']').unwrap_or(host);
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-%._:".contains(&byte);
    if name.is_empty() || !host.bytes().all(legal) {
        return None;
    }
    Some((name, host, port.parse().ok()?))
}

fn endpoints<'a>(
    view: &View<'a>,
    config: &'a str,
    map: &ProtocolMap,
) -> Result<Vec<Listener>, ConfigError> {
    let mut listeners: Vec<Listener> = Vec::new();
    let text = view.text(config).unwrap_or_default();
    for endpoint in split_list(&text) {
        let Some((name, host, port)) = split_endpoint(endpoint) else {
            return Err(refuse(
                view,
                config,
                &format!("NAME://host:port between commas, port 0 to 65535; not '{endpoint}'"),
            ));
        };
        let name = name.to_ascii_uppercase();
        let Some(protocol) = map.protocol(&name) else {
            return Err(refuse(
                view,
                config,
                &format!("names that listener.security.protocol.map holds; '{name}' is not there"),
            ));
        };
        if listeners.iter().any(|other| other.name == name) {
            return Err(refuse(view, config, &format!("each name once; '{name}' is there twice")));
        }
        listeners.push(Listener { name, protocol, host: host.to_owned(), port });
    }
    Ok(listeners)
}

/// One port, one listener; only an IPv4 and an IPv6 address may share one.
fn distinct_ports(listeners: &[Listener]) -> Result<(), ConfigError> {
    for (index, one) in listeners.iter().enumerate() {
        for other in &listeners[..index] {
            let families = [one, other].map(|listener| listener.host.parse::<std::net::IpAddr>());
            let apart = matches!(
                &families,
                [Ok(one), Ok(other)] if one.is_ipv4() != other.is_ipv4()
            );
            if one.port == other.port && one.port != 0 && !apart {
                return Err(ConfigError::Together(format!(
                    "listeners {} and {} must not share port {}",
                    other.name, one.name, one.port
                )));
            }
        }
    }
    Ok(())
}

fn advertised(
    view: &View<'_>,
    map: &ProtocolMap,
    bound: &[Listener],
    controller_names: &[String],
) -> Result<Vec<Advertised>, ConfigError> {
    const NAME: &str = "advertised.listeners";
    if view.text_not_empty(NAME).is_none() {
        let derive = |listener: &Listener| Advertised {
            name: listener.name.clone(),
            protocol: listener.protocol,
            host: if listener.is_wildcard() {
                AdvertisedHost::Derived
            } else {
                AdvertisedHost::Fixed(listener.host.clone())
            },
            port: Some(listener.port).filter(|port| *port != 0),
        };
        return Ok(bound.iter().map(derive).collect());
    }
    let mut all = endpoints(view, NAME, map)?;
    all.retain(|listener| !controller_names.contains(&listener.name));
    let mut advertised = Vec::with_capacity(all.len());
    for listener in all {
        if bound.iter().all(|other| other.name != listener.name) {
            return Err(refuse(
                view,
                NAME,
                &format!("names that listeners holds; '{}' is not there", listener.name),
            ));
        }
        if listener.is_wildcard() && !listener.host.is_empty() {
            return Err(refuse(
                view,
                NAME,
                &format!("addresses that clients can reach; {} is none", listener.host),
            ));
        }
        advertised.push(Advertised {
            host: if listener.host.is_empty() {
                AdvertisedHost::Derived
            } else {
                AdvertisedHost::Fixed(listener.host)
            },
            name: listener.name,
            protocol: listener.protocol,
            port: Some(listener.port).filter(|port| *port != 0),
        });
    }
    if advertised.is_empty() {
        return Err(refuse(view, NAME, "at least one listener that is not a controller's"));
    }
    Ok(advertised)
}

fn inter_broker(view: &View<'_>, advertised: &[Advertised]) -> Result<String, ConfigError> {
    const NAME: &str = "inter.broker.listener.name";
    const PROTOCOL: &str = "security.inter.broker.protocol";
    let named = |name: &str| advertised.iter().find(|one| one.name == name);
    let Some(name) = view.text_not_empty(NAME) else {
        let protocol = view.text(PROTOCOL).unwrap_or_default();
        // Kafka refuses to start when no listener has the protocol's name. A single node has no
        // use for the listener, so the first one does.
        let listener = named(&protocol).or(advertised.first());
        return Ok(listener.map(|one| one.name.clone()).unwrap_or_default());
    };
    if view.statics.get(PROTOCOL).is_some() {
        return Err(ConfigError::Together(format!("only one of {NAME} and {PROTOCOL} may be set")));
    }
    let name = name.to_ascii_uppercase();
    match named(&name) {
        Some(_) => Ok(name),
        None => Err(refuse(view, NAME, "the name of an advertised listener")),
    }
}

#[cfg(test)]
mod tests;
