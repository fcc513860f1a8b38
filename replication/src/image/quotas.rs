//! Which client quotas a filter means. Source: KIP-546.

use std::collections::BTreeMap;

use super::{Image, QuotaEntity};

/// What one entity type of a filter lets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuotaMatch {
    /// This name; none is the type's default.
    Exactly(Option<String>),
    /// Any name, and the default.
    Any,
}

impl Image {
    /// The quotas of entities that have every type of the filter with a name that it lets through.
    ///
    /// - `strict`: entities with further types are left out.
    pub fn quotas_matching<'a>(
        &'a self,
        filter: &'a BTreeMap<String, QuotaMatch>,
        strict: bool,
    ) -> impl Iterator<Item = (&'a QuotaEntity, &'a BTreeMap<String, f64>)> {
        self.quotas().filter(move |(entity, _)| {
            let passes = |(kind, wanted): (&String, &QuotaMatch)| match (entity.get(kind), wanted) {
                (None, _) => false,
                (Some(_), QuotaMatch::Any) => true,
                (Some(name), QuotaMatch::Exactly(wanted)) => name == wanted,
            };
            filter.iter().all(passes) && (!strict || entity.len() == filter.len())
        })
    }
}
