//! Feature levels: which there are, and how they are changed. Source: KIP-584, KIP-1022.

use std::collections::BTreeMap;

use super::{METADATA_VERSION, Mode, Refusal, RefusalKind, supported_features};
use crate::image::Image;
use crate::record::{FeatureLevelRecord, Record};

/// How a level may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpgradeType {
    /// A number that Kafka has no meaning for.
    Unknown,
    /// Up only.
    Upgrade,
    /// Down, if nothing is lost.
    SafeDowngrade,
    /// Down, whatever is lost.
    UnsafeDowngrade,
}

impl UpgradeType {
    /// The wire's number.
    pub const fn of(code: i8) -> Self {
        match code {
            1 => Self::Upgrade,
            2 => Self::SafeDowngrade,
            3 => Self::UnsafeDowngrade,
            _ => Self::Unknown,
        }
    }
}

/// A level that a feature is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureUpdate {
    /// The feature.
    pub name: String,
    /// The level; 0 switches it off.
    pub level: i16,
    /// How it may move.
    pub upgrade_type: UpgradeType,
}

/// Decides a request for feature levels: all of them, or none with the reason.
///
/// Of a feature that is named twice the last counts, as in Kafka.
pub fn update_features(
    image: &Image,
    updates: &[FeatureUpdate],
    mode: Mode,
) -> Result<Vec<Record>, Refusal> {
    let last: BTreeMap<&str, &FeatureUpdate> =
        updates.iter().map(|update| (update.name.as_str(), update)).collect();
    let mut records = Vec::new();
    for update in last.values() {
        check(image, update).map_err(|why| Refusal::new(RefusalKind::InvalidUpdateVersion, why))?;
        if update.level != image.feature_level(&update.name) {
            records.push(Record::FeatureLevel(FeatureLevelRecord {
                name: update.name.clone(),
                feature_level: update.level,
            }));
        }
    }
    if mode == Mode::Validate {
        records.clear();
    }
    Ok(records)
}

/// Why a level cannot be had, in the order of Kafka's checks.
fn check(image: &Image, update: &FeatureUpdate) -> Result<(), String> {
    let FeatureUpdate { name, level, upgrade_type } = update;
    let refuse = |why: &str| Err(format!("level {level} of {name} cannot be had: {why}"));
    if *upgrade_type == UpgradeType::Unknown {
        return refuse("the upgrade type is unknown");
    }
    if *level < 0 {
        return refuse("a level is at least 0");
    }
    let supported = supported_features().into_iter().find(|feature| feature.name == *name);
    let Some(range) = supported else { return refuse("there is no such feature here") };
    let (min, max) = (range.min_supported_version, range.max_supported_version);
    if !(min..=max).contains(level) {
        return refuse(&format!("levels {min} to {max} are supported"));
    }
    let current = image.feature_level(name);
    match upgrade_type {
        UpgradeType::Upgrade if *level < current => {
            refuse("going down needs a safe or unsafe downgrade")
        }
        UpgradeType::SafeDowngrade | UpgradeType::UnsafeDowngrade if *level > current => {
            refuse("a downgrade does not go up")
        }
        // Records are written in the newest form only, so any of them might be lost on older ones.
        _ if *level < current && name == METADATA_VERSION => {
            refuse("the metadata might lose what an older version does not know")
        }
        UpgradeType::Unknown
        | UpgradeType::Upgrade
        | UpgradeType::SafeDowngrade
        | UpgradeType::UnsafeDowngrade => Ok(()),
    }
}
