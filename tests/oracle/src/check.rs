//! Recording every case against Kafka, and checking a broker against the recording.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Result;

use crate::cases;
use crate::compare::{self, Allowed, Difference};
use crate::corpus::{Corpus, Recorded};
use crate::layout::Layouts;
use crate::mask::{Wanted, masked};
use crate::script::{Player, Script};

/// What came out for one case.
#[derive(Debug)]
pub enum Outcome {
    /// Every field equal; so many differences are on the list of allowed ones.
    Equal {
        /// Differences covered by `allow.txt`.
        allowed: usize,
    },
    /// Fields that differ and are not allowed, with the request they belong to.
    Different(Vec<(String, Difference)>),
    /// The recording does not belong to this script: it has to be recorded again.
    Stale(String),
    /// The script could not be played to its end.
    Broken(String),
}

/// The outcome of every case that was played.
#[derive(Debug, Default)]
pub struct Report {
    /// Case name and outcome, in order.
    pub cases: Vec<(String, Outcome)>,
    /// Entries of `allow.txt` that nothing needed, or that name a case that does not need them,
    /// when every case was played.
    pub unused: Vec<String>,
}

impl Report {
    /// Cases that are equal or differ as allowed.
    pub fn passed(&self) -> usize {
        self.cases.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Equal { .. })).count()
    }

    /// The other cases.
    pub fn failed(&self) -> usize {
        self.cases.len() - self.passed()
    }
}

/// The folder of the recordings in this repository.
pub fn corpus_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The allowed differences of this repository.
pub fn allow_list() -> Result<Vec<Allowed>> {
    compare::allow_list(include_str!("../allow.txt"))
}

/// Cases whose name contains `filter`.
pub fn chosen(filter: &str) -> Vec<Script> {
    cases::all().into_iter().filter(|script| script.name.contains(filter)).collect()
}

/// What Millrace does not serve yet (`pending.txt`). It is recorded, and left out of a check of
/// everything; naming a case plays all of it.
struct Pending {
    cases: Vec<&'static str>,
    apis: Vec<&'static str>,
}

impl Pending {
    fn read(filter: &str) -> Self {
        let listed = |kind: &str| {
            include_str!("../pending.txt")
                .lines()
                .filter(|_| filter.is_empty())
                .filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' '))
                .collect()
        };
        Self { cases: listed("case"), apis: listed("api") }
    }

    fn holds_case(&self, name: &str) -> bool {
        self.cases.iter().any(|prefix| name.starts_with(prefix))
    }

    fn holds_request(&self, request: &str) -> bool {
        self.apis.iter().any(|api| request.split(' ').next() == Some(api))
    }
}

/// A text that tells this run's topics from those of earlier runs.
fn run_name() -> String {
    let now =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_millis());
    format!("run{:010x}", now & 0xff_ffff_ffff)
}

/// Plays `script` and masks its replies.
fn play(player: &mut Player<'_>, script: &Script) -> Result<Recorded> {
    let exchanges = player.play(script)?;
    let wanted = Wanted {
        prefix: player.prefix(),
        only_own: script.only_own,
        tells_waits: script.tells_waits,
    };
    Ok(exchanges
        .into_iter()
        .map(|exchange| {
            let reply = masked(&exchange.api, &exchange.reply, wanted);
            (exchange.request, reply)
        })
        .collect())
}

/// Plays the chosen cases against Apache Kafka at `bootstrap` and stores the answers. Cases that no
/// longer exist leave the recording when everything is recorded (`filter` empty).
pub fn record(bootstrap: &str, filter: &str) -> Result<usize> {
    let layouts = Layouts::built_in()?;
    let folder = corpus_folder();
    let mut corpus = if filter.is_empty() { Corpus::default() } else { Corpus::load(&folder)? };
    let mut player = Player::new(&layouts, bootstrap, &run_name());
    let scripts = chosen(filter);
    let mut recorded = 0;
    for script in &scripts {
        match play(&mut player, script) {
            Ok(exchanges) => {
                corpus.cases.insert(script.name.clone(), exchanges);
                recorded += 1;
            }
            Err(error) => println!("FAILED {}: {error:#}", script.name),
        }
    }
    corpus.save(&folder)?;
    anyhow::ensure!(recorded == scripts.len(), "{recorded} of {} cases recorded", scripts.len());
    Ok(recorded)
}

/// Plays the chosen cases against the broker at `bootstrap` and compares with the recording.
pub fn check(
    bootstrap: &str,
    filter: &str,
    tell: &mut dyn FnMut(&str, &Outcome),
) -> Result<Report> {
    let layouts = Layouts::built_in()?;
    let corpus = Corpus::load(&corpus_folder())?;
    let allow = allow_list()?;
    let mut used = vec![BTreeSet::new(); allow.len()];
    let mut report = Report::default();
    let mut player = Player::new(&layouts, bootstrap, &run_name());
    let pending = Pending::read(filter);
    for script in chosen(filter) {
        if pending.holds_case(&script.name) {
            continue;
        }
        let outcome = match (corpus.cases.get(&script.name), play(&mut player, &script)) {
            (None, _) => Outcome::Stale("never recorded".to_owned()),
            (_, Err(error)) => Outcome::Broken(format!("{error:#}")),
            (Some(kafka), Ok(other)) => {
                judge(&script.name, kafka, &other, (&allow, &pending), &mut used)
            }
        };
        tell(&script.name, &outcome);
        report.cases.push((script.name, outcome));
    }
    if filter.is_empty() {
        report.unused = unused(&allow, &used, &report.cases);
    }
    Ok(report)
}

/// What is said of an entry that is wider than what differs.
fn unused(
    allow: &[Allowed],
    used: &[BTreeSet<String>],
    cases: &[(String, Outcome)],
) -> Vec<String> {
    let mut told = Vec::new();
    for (entry, used) in allow.iter().zip(used) {
        if used.is_empty() {
            told.push(format!("nothing differs so: {entry}"));
        }
        let mut named = cases.iter().map(|(name, _)| name).filter(|name| entry.names_case(name));
        let not_so = named.find(|name| !used.contains(*name));
        if let Some(name) = not_so.filter(|_| !entry.is_of_a_whole_group()) {
            told.push(format!("{name} does not differ so: {entry}"));
        }
    }
    told
}

fn judge(
    case: &str,
    kafka: &Recorded,
    other: &Recorded,
    (allow, pending): (&[Allowed], &Pending),
    used: &mut [BTreeSet<String>],
) -> Outcome {
    let mut found = Vec::new();
    let mut allowed = 0;
    for (index, (request, reply)) in kafka.iter().enumerate() {
        let Some((sent, answer)) = other.get(index) else {
            return Outcome::Stale(format!("{} answers recorded", kafka.len()));
        };
        if sent != request {
            return Outcome::Stale(format!("recorded: {request}\n  sent: {sent}"));
        }
        if pending.holds_request(request) {
            continue;
        }
        for difference in compare::differences(reply, answer) {
            match compare::allowed(allow, case, &difference) {
                Some(entry) => {
                    used[entry].insert(case.to_owned());
                    allowed += 1;
                }
                None => found.push((request.clone(), difference)),
            }
        }
    }
    if kafka.len() != other.len() {
        return Outcome::Stale(format!("{} answers recorded", kafka.len()));
    }
    if found.is_empty() { Outcome::Equal { allowed } } else { Outcome::Different(found) }
}
