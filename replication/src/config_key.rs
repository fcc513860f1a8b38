//! What a configuration is: its type, what it may hold, when it may change. Data, no table.
//!
//! The tables of names are the broker's; this crate owns the notation because the controller
//! checks what it stores. Parsing follows Kafka's `ConfigDef`: values are trimmed, booleans ignore
//! case, lists are split at commas.

/// The type of a configuration's value. The discriminants are those of DescribeConfigs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum ConfigKind {
    /// `true` or `false`.
    Boolean = 1,
    /// Text.
    String = 2,
    /// 32-bit integer.
    Int = 3,
    /// 16-bit integer.
    Short = 4,
    /// 64-bit integer.
    Long = 5,
    /// Floating-point number.
    Double = 6,
    /// Texts between commas.
    List = 7,
    /// A Java class name; known, never loaded here.
    Class = 8,
    /// Text that is never shown.
    Password = 9,
}

impl ConfigKind {
    /// The wire's number.
    pub const fn id(self) -> i8 {
        self as i8
    }
}

/// What a value may be beyond its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Anything of the type.
    Any,
    /// An integer of at least this.
    AtLeast(i64),
    /// An integer between the two, inclusive.
    Between(i64, i64),
    /// An integer between the first two, inclusive, or the third.
    BetweenOr(i64, i64, i64),
    /// A number between the two, inclusive.
    Fraction(f64, f64),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// One of these in any case.
    OneOfAnyCase(&'static [&'static str]),
    /// Text that is not empty.
    NotEmpty,
    /// A list that may be empty, whose repeats count once; of these values, or of any if there are
    /// none.
    Set(&'static [&'static str]),
    /// As [`Rule::Set`], with at least one value.
    SetNotEmpty(&'static [&'static str]),
    /// `partition:broker` pairs, or `*`.
    ThrottledReplicas,
}

/// When and how a configuration changes while the broker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateMode {
    /// Only at a start.
    ReadOnly,
    /// For one broker.
    PerBroker,
    /// For one broker, or for all by default.
    ClusterWide,
}

/// What this broker does with a configuration that Kafka knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It takes effect.
    Used,
    /// It is accepted and has no meaning here (yet).
    Accepted,
    /// As `Accepted`, and described only where it is set, as in Kafka.
    Internal,
}

/// One configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfigKey {
    /// Kafka's name, or ours with the prefix `millrace.`.
    pub name: &'static str,
    /// Its type.
    pub kind: ConfigKind,
    /// The value it has unless set; none where Kafka has null.
    pub default: Option<&'static str>,
    /// What it may hold.
    pub rule: Rule,
    /// How it changes while the broker runs. Topic configurations are all `ClusterWide`.
    pub update: UpdateMode,
    /// What it does here.
    pub status: Status,
    /// One line for people.
    pub doc: &'static str,
}

impl ConfigKey {
    /// True when the value must never be shown.
    pub const fn is_sensitive(&self) -> bool {
        matches!(self.kind, ConfigKind::Password)
    }

    /// Checks a value; the error says what would be right, to follow "must be ".
    pub fn check(&self, value: &str) -> Result<(), String> {
        let value = value.trim();
        match self.kind {
            ConfigKind::Boolean => {
                parse_bool(value).map(|_| ()).ok_or_else(|| "true or false".to_owned())
            }
            ConfigKind::Int => self.check_integer(value, i32::MIN.into(), i32::MAX.into()),
            ConfigKind::Short => self.check_integer(value, i16::MIN.into(), i16::MAX.into()),
            ConfigKind::Long => self.check_integer(value, i64::MIN, i64::MAX),
            ConfigKind::Double => self.check_double(value),
            ConfigKind::List => self.check_list(value),
            ConfigKind::String | ConfigKind::Class | ConfigKind::Password => self.check_text(value),
        }
    }

    fn check_integer(&self, value: &str, type_min: i64, type_max: i64) -> Result<(), String> {
        let (min, max, or) = match self.rule {
            Rule::AtLeast(min) => (min, type_max, None),
            Rule::Between(min, max) => (min, max, None),
            Rule::BetweenOr(min, max, or) => (min, max, Some(or)),
            Rule::Any
            | Rule::Fraction(..)
            | Rule::OneOf(_)
            | Rule::OneOfAnyCase(_)
            | Rule::NotEmpty
            | Rule::Set(_)
            | Rule::SetNotEmpty(_)
            | Rule::ThrottledReplicas => (type_min, type_max, None),
        };
        match value.parse::<i64>() {
            Ok(number) if (min..=max).contains(&number) || or == Some(number) => Ok(()),
            Ok(_) | Err(_) => Err(match or {
                None if max == type_max => format!("an integer of at least {min}"),
                None => format!("an integer from {min} to {max}"),
                Some(or) => format!("an integer from {min} to {max}, or {or}"),
            }),
        }
    }

    fn check_double(&self, value: &str) -> Result<(), String> {
        let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
        let (min, max) = match self.rule {
            Rule::Fraction(min, max) => (min, max),
            Rule::Any
            | Rule::AtLeast(_)
            | Rule::Between(..)
            | Rule::BetweenOr(..)
            | Rule::OneOf(_)
            | Rule::OneOfAnyCase(_)
            | Rule::NotEmpty
            | Rule::Set(_)
            | Rule::SetNotEmpty(_)
            | Rule::ThrottledReplicas => (f64::MIN, f64::MAX),
        };
        match number {
            Some(number) if (min..=max).contains(&number) => Ok(()),
            Some(_) => Err(format!("a number from {min} to {max}")),
            None => Err("a number".to_owned()),
        }
    }

    fn check_text(&self, value: &str) -> Result<(), String> {
        let (right, what) = match self.rule {
            Rule::OneOf(allowed) => (allowed.contains(&value), one_of(allowed)),
            Rule::OneOfAnyCase(allowed) => {
                (allowed.iter().any(|one| one.eq_ignore_ascii_case(value)), one_of(allowed))
            }
            Rule::NotEmpty => (!value.is_empty(), "a text that is not empty".to_owned()),
            Rule::Any
            | Rule::AtLeast(_)
            | Rule::Between(..)
            | Rule::BetweenOr(..)
            | Rule::Fraction(..)
            | Rule::Set(_)
            | Rule::SetNotEmpty(_)
            | Rule::ThrottledReplicas => (true, String::new()),
        };
        if right { Ok(()) } else { Err(what) }
    }

    fn check_list(&self, value: &str) -> Result<(), String> {
        let values = split_list(value);
        let (allowed, empty_allowed) = match self.rule {
            Rule::Set(allowed) => (allowed, true),
            Rule::SetNotEmpty(allowed) => (allowed, false),
            Rule::ThrottledReplicas => return check_throttled(&values),
            Rule::Any
            | Rule::AtLeast(_)
            | Rule::Between(..)
            | Rule::BetweenOr(..)
            | Rule::Fraction(..)
            | Rule::OneOf(_)
            | Rule::OneOfAnyCase(_)
            | Rule::NotEmpty => return Ok(()),
        };
        if values.is_empty() && !empty_allowed {
            return Err("a list that is not empty".to_owned());
        }
        for value in &values {
            if value.is_empty() {
                return Err("a list without empty values".to_owned());
            }
            if !allowed.is_empty() && !allowed.contains(value) {
                return Err(format!("a list of {}", one_of(allowed)));
            }
        }
        Ok(())
    }
}

fn one_of(allowed: &[&str]) -> String {
    allowed.join(", ")
}

fn check_throttled(values: &[&str]) -> Result<(), String> {
    let pair = |value: &&str| {
        value.split_once(':').is_some_and(|(partition, broker)| {
            partition.parse::<u32>().is_ok() && broker.parse::<u32>().is_ok()
        })
    };
    if values.is_empty() || *values == ["*"] || values.iter().all(pair) {
        Ok(())
    } else {
        Err("partition:broker pairs between commas, or *".to_owned())
    }
}

/// A boolean as Kafka reads it: any case, nothing but the two words.
pub fn parse_bool(value: &str) -> Option<bool> {
    let value = value.trim();
    if value.eq_ignore_ascii_case("true") {
        Some(true)
    } else if value.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// A list as Kafka reads it: split at commas, trimmed; an empty text is an empty list.
pub fn split_list(value: &str) -> Vec<&str> {
    let value = value.trim();
    if value.is_empty() {
        return Vec::new();
    }
    value.split(',').map(str::trim).collect()
}

/// The tables that the controller checks configurations by. Each is sorted by name.
#[derive(Clone, Copy, Debug)]
pub struct ConfigTables {
    /// Topic configurations.
    pub topic: &'static [ConfigKey],
    /// Broker configurations.
    pub broker: &'static [ConfigKey],
    /// Group configurations.
    pub group: &'static [ConfigKey],
    /// Client metrics subscriptions.
    pub client_metrics: &'static [ConfigKey],
}

/// The entry of that name in a table sorted by name.
pub fn find_key<'a>(table: &'a [ConfigKey], name: &str) -> Option<&'a ConfigKey> {
    table.binary_search_by(|key| key.name.cmp(name)).ok().map(|index| &table[index])
}
