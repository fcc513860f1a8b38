//! Why a command did not do what it was asked: what, where, and what to do about it.

use std::io::{self, Write};
use std::process::ExitCode;

use millrace_net::ErrorCode;

/// The kinds, by exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Refused = 1,
    Usage = 2,
    Unreachable = 3,
    Damaged = 4,
    /// Whoever read the output has seen enough; no failure.
    Quiet = 0,
}

/// See the file's head.
#[derive(Debug)]
pub(crate) struct CliError {
    kind: Kind,
    what: String,
    hint: Option<String>,
    /// The code, where a broker gave one.
    pub(crate) code: Option<ErrorCode>,
}

impl CliError {
    fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), hint: None, code: None }
    }

    /// A broker said no, or what it was given cannot be.
    pub(crate) fn refused(what: impl Into<String>) -> Self {
        Self::new(Kind::Refused, what)
    }

    /// The command line asks for what makes no sense.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(Kind::Usage, what)
    }

    /// A broker is not there or does not answer.
    pub(crate) fn unreachable(what: impl Into<String>) -> Self {
        Self::new(Kind::Unreachable, what)
    }

    /// Files are not what they should be.
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::new(Kind::Damaged, what)
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What a failed write to standard output means.
    pub(crate) fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::new(Kind::Quiet, "")
        } else {
            Self::refused(format!("standard output: {error}"))
        }
    }

    /// A broker answered `code`, perhaps with words of its own, about `place`.
    pub(crate) fn broker(place: impl std::fmt::Display, code: i16, words: Option<&str>) -> Self {
        let known = ErrorCode::from_code(code);
        let name = known.map_or_else(|| format!("error {code}"), |code| code.name().to_owned());
        let words = words.filter(|words| !words.is_empty());
        let mut error = Self::refused(words.map_or_else(
            || format!("{place}: {name}"),
            |words| format!("{place}: {name}: {words}"),
        ));
        error.hint = known.and_then(advice).map(str::to_owned);
        error.code = known;
        error
    }

    /// Says it on standard error and gives the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        if self.kind != Kind::Quiet {
            // Nobody is left to be told when this fails.
            let _ = writeln!(io::stderr(), "error: {self}");
        }
        ExitCode::from(self.kind as u8)
    }
}

impl std::fmt::Display for CliError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n  {hint}"))
    }
}

/// Fails unless `code` is NONE.
pub(crate) fn check(
    place: impl std::fmt::Display,
    code: i16,
    words: Option<&str>,
) -> Result<(), CliError> {
    if code == ErrorCode::None.code() { Ok(()) } else { Err(CliError::broker(place, code, words)) }
}

/// What to do about the codes that people meet.
fn advice(code: ErrorCode) -> Option<&'static str> {
    let advice = [
        (
            ErrorCode::UnknownTopicOrPartition,
            "see `millrace topic list`; `millrace topic create NAME` makes a topic",
        ),
        (ErrorCode::TopicAlreadyExists, "--if-not-exists lets an existing topic be"),
        (ErrorCode::OffsetOutOfRange, "`millrace topic describe` shows which offsets there are"),
        (ErrorCode::MessageTooLarge, "the topic's max.message.bytes bounds a batch; --batch-bytes"),
        (ErrorCode::KafkaStorageError, "is the broker's disk full? its log says which folder"),
        (ErrorCode::InvalidReplicationFactor, "leave --replication-factor out for the default"),
        (ErrorCode::NonEmptyGroup, "stop the group's consumers first"),
        (ErrorCode::GroupIdNotFound, "see `millrace group list`"),
        (ErrorCode::InvalidTopicException, "1 to 249 of a-z A-Z 0-9 . _ -"),
    ];
    advice.iter().find(|(known, _)| *known == code).map(|(_, advice)| *advice)
}
