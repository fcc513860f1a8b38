//! Limits of users and client ids, and which of them a client is held to.

use std::collections::BTreeMap;

/// A limit that is above zero, in millionths of a unit per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(u128);

impl Limit {
    /// So many units per second; none where that is nothing or no number.
    pub fn per_second(units: f64) -> Option<Self> {
        /// Beyond this a limit limits nothing: an exabyte per second.
        const UNITS_MAX: f64 = 1e18;
        if units.is_nan() {
            return None;
        }
        let millionths = units.min(UNITS_MAX) * 1_000_000.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least 1 and at most 1e24; the fraction below a millionth is dropped"
        )]
        (millionths >= 1.0).then_some(Self(millionths as u128))
    }

    /// The limit, in millionths of a unit per second; never zero.
    pub const fn millionths_per_second(self) -> u128 {
        self.0
    }

    /// What may be used in so many ms, units.
    pub fn units_in(self, ms: u64) -> u64 {
        u64::try_from(self.0.saturating_mul(ms.into()) / 1_000_000_000).unwrap_or(u64::MAX)
    }
}

/// One half of the entity that a limit is set for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntityName<'a> {
    /// The limit does not look at it.
    Absent,
    /// All that have no limit of their own.
    Default,
    /// This one.
    Named(&'a str),
}

/// Limits by client id.
#[derive(Clone, Debug, Default)]
struct ByClient {
    named: BTreeMap<Box<str>, Limit>,
    default: Option<Limit>,
    /// Of the user, whatever the client.
    absent: Option<Limit>,
}

impl ByClient {
    fn set(&mut self, client: EntityName<'_>, limit: Limit) {
        match client {
            EntityName::Absent => self.absent = Some(limit),
            EntityName::Default => self.default = Some(limit),
            EntityName::Named(name) => {
                self.named.insert(name.into(), limit);
            }
        }
    }

    /// The limit, and whether it is for each client by itself.
    fn find(&self, client: &str) -> Option<(Limit, bool)> {
        let own = self.named.get(client).or(self.default.as_ref()).map(|limit| (*limit, true));
        own.or_else(|| self.absent.map(|limit| (limit, false)))
    }
}

/// All limits of one kind.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    users: BTreeMap<Box<str>, ByClient>,
    default_user: ByClient,
    any_user: ByClient,
    is_empty_not: bool,
}

/// Whose use counts together under a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub limit: Limit,
    pub by_user: bool,
    pub by_client: bool,
}

impl Rules {
    /// True if nobody is held to anything.
    pub const fn is_empty(&self) -> bool {
        !self.is_empty_not
    }

    /// Sets the limit of an entity. One that names neither a user nor a client limits nothing.
    pub fn set(&mut self, user: EntityName<'_>, client: EntityName<'_>, limit: Limit) {
        let by_client = match user {
            EntityName::Absent if client == EntityName::Absent => return,
            EntityName::Absent => &mut self.any_user,
            EntityName::Default => &mut self.default_user,
            EntityName::Named(name) => self.users.entry(name.into()).or_default(),
        };
        by_client.set(client, limit);
        self.is_empty_not = true;
    }

    /// The limit that a client is held to: the first of these that is set.
    ///
    /// ```text
    /// user + client, user + default client, user,
    /// default user + client, default user + default client, default user,
    /// client, default client
    /// ```
    pub fn limit(&self, user: &str, client: &str) -> Option<Limit> {
        self.find(user, client).map(|held| held.limit)
    }

    pub(super) fn find(&self, user: &str, client: &str) -> Option<Held> {
        let of_user = |(limit, by_client)| Held { limit, by_user: true, by_client };
        self.users
            .get(user)
            .and_then(|user| user.find(client))
            .or_else(|| self.default_user.find(client))
            .map(of_user)
            .or_else(|| {
                let (limit, by_client) = self.any_user.find(client)?;
                Some(Held { limit, by_user: false, by_client })
            })
    }
}
