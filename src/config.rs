//! Configuration: every Kafka name, where a value comes from, and what the broker makes of it.
//!
//! Pure: texts in, values out. `main` reads the file, the environment and the host's name, and
//! hands them to [`load`]. Layers, the later over the earlier:
//!
//! ```text
//! built-in defaults < server.properties < environment < flags        (static: one start)
//!                   < cluster-wide dynamic < this broker's dynamic   (metadata, while running)
//!                   < a topic's own overrides                        (topic configurations)
//! ```
//!
//! A name that nobody knows is a warning in a file, and refused as a flag; a value that its rule
//! does not allow is refused wherever it stands. [`View`] resolves one name over all layers,
//! [`BrokerConfig`] and [`TopicConfig`] are the typed results, [`describe`] is what DescribeConfigs
//! says.

pub mod broker;
pub mod describe;
pub mod env;
pub mod layers;
pub mod listeners;
pub mod markdown;
pub mod nearest;
pub mod properties;
pub mod resources;
pub mod tables;
pub mod topic;
pub mod view;

pub use broker::{BrokerConfig, IoBackend, connections};
pub use layers::{ConfigError, Flags, Inputs, Loaded, Origin, Setting, Statics, load};
pub use listeners::{AdvertisedHost, Listener, Listeners};
pub use tables::TABLES;
pub use topic::{CleanupPolicy, Durability, TimestampType, TopicConfig, Validation};
pub use view::{Source, View};
