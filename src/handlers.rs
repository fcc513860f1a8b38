//! What each API does: one file per API, named after it.
//!
//! A handler decodes the request, answers what it can at once from the shard's image, and parks
//! the rest. It never waits. Codes and defaults are Kafka's; where ours differ on purpose,
//! `docs/PROTOCOL.md` says why.

pub(crate) mod admin;
pub(crate) mod alter_configs;
pub(crate) mod api_versions;
pub(crate) mod create_partitions;
pub(crate) mod create_topics;
pub(crate) mod delete_topics;
pub(crate) mod describe_cluster;
pub(crate) mod describe_configs;
pub(crate) mod fetch;
pub(crate) mod gather;
pub(crate) mod incremental_alter_configs;
pub(crate) mod init_producer_id;
pub(crate) mod list_offsets;
pub(crate) mod metadata;
pub(crate) mod produce;
