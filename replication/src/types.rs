//! The small types that cluster metadata is made of: ids, endpoints, ranges, config resources.

use millrace_wire::Uuid;

/// A broker's or controller's `node.id`. Kafka allows 0 and up; -1 on the wire means none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokerId(pub i32);

impl BrokerId {
    /// The wire's "no broker".
    pub const NONE: Self = Self(-1);
}

impl std::fmt::Display for BrokerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The log directory ids that are no directory. Source: KIP-858.
pub mod directory {
    use super::Uuid;

    /// The record was written before directories were part of the metadata.
    pub const MIGRATING: Uuid = Uuid(0);
    /// The replica is not assigned to a directory yet.
    pub const UNASSIGNED: Uuid = Uuid(1);
    /// The replica's directory is lost.
    pub const LOST: Uuid = Uuid(2);
}

/// What kind of thing a configuration belongs to. The discriminants are the wire's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i8)]
pub enum ResourceType {
    /// A topic.
    Topic = 2,
    /// A broker; an empty name means the default of the whole cluster.
    Broker = 4,
    /// The log levels of one broker. Never stored in the metadata.
    BrokerLogger = 8,
    /// A client metrics subscription (KIP-714).
    ClientMetrics = 16,
    /// A group (KIP-848).
    Group = 32,
}

impl ResourceType {
    /// The wire's number.
    pub const fn id(self) -> i8 {
        self as i8
    }

    /// The type a wire number names, if any.
    pub const fn from_id(id: i8) -> Option<Self> {
        match id {
            2 => Some(Self::Topic),
            4 => Some(Self::Broker),
            8 => Some(Self::BrokerLogger),
            16 => Some(Self::ClientMetrics),
            32 => Some(Self::Group),
            _ => None,
        }
    }
}

/// What a configuration belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigResource {
    /// Topic, broker, …
    pub kind: ResourceType,
    /// Topic name, broker id in digits (empty: cluster default), subscription or group name.
    pub name: String,
}

impl ConfigResource {
    /// The topic called `name`.
    pub fn topic(name: &str) -> Self {
        Self { kind: ResourceType::Topic, name: name.to_owned() }
    }

    /// One broker.
    pub fn broker(id: BrokerId) -> Self {
        Self { kind: ResourceType::Broker, name: id.to_string() }
    }

    /// The default of all brokers.
    pub fn cluster_default() -> Self {
        Self { kind: ResourceType::Broker, name: String::new() }
    }
}

/// Kafka's security protocols; the numbers are the wire's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i16)]
pub enum SecurityProtocol {
    /// Neither encrypted nor authenticated.
    Plaintext = 0,
    /// TLS.
    Ssl = 1,
    /// SASL over a bare connection.
    SaslPlaintext = 2,
    /// SASL over TLS.
    SaslSsl = 3,
}

impl SecurityProtocol {
    /// The wire's number.
    pub const fn id(self) -> i16 {
        self as i16
    }

    /// Kafka's name, as in `listener.security.protocol.map`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }

    /// The protocol of that name, whatever its case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Plaintext, Self::Ssl, Self::SaslPlaintext, Self::SaslSsl]
            .into_iter()
            .find(|protocol| protocol.name().eq_ignore_ascii_case(name))
    }
}
