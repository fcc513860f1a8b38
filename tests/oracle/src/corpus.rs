//! The recorded answers: one text file per group of cases.
//!
//! ```text
//! == produce/unknown-topic
//! > Produce 3 {"Acks":-1,...}
//! < {"Responses":[...]}
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Request text and masked reply, in the order of the script.
pub type Recorded = Vec<(String, Value)>;

/// Cases by name.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// The recordings.
    pub cases: BTreeMap<String, Recorded>,
}

impl Corpus {
    /// Reads every `*.txt` of `folder`; a folder that does not exist is an empty corpus.
    pub fn load(folder: &Path) -> Result<Self> {
        let mut corpus = Self::default();
        if !folder.exists() {
            return Ok(corpus);
        }
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "txt") {
                let text = std::fs::read_to_string(&path)?;
                corpus.parse(&text).with_context(|| path.display().to_string())?;
            }
        }
        Ok(corpus)
    }

    fn parse(&mut self, text: &str) -> Result<()> {
        let mut case: Option<&mut Recorded> = None;
        let mut request = String::new();
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("==", name)) => {
                    case = Some(self.cases.entry(name.to_owned()).or_default());
                }
                Some((">", sent)) => sent.clone_into(&mut request),
                Some(("<", reply)) => {
                    let reply = serde_json::from_str(reply).context(request.clone())?;
                    case.as_mut()
                        .context("an answer before the first case")?
                        .push((request.clone(), reply));
                }
                _ if line.is_empty() || line.starts_with('#') => {}
                _ => bail!("not a line of a corpus: {line}"),
            }
        }
        Ok(())
    }

    /// Writes one file per group; files of groups that are gone are left alone.
    pub fn save(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut groups: BTreeMap<&str, String> = BTreeMap::new();
        for (name, exchanges) in &self.cases {
            let group = name.split('/').next().unwrap_or(name);
            let text = groups.entry(group).or_insert_with(|| {
                "# Apache Kafka 4.3.1's answers, recorded by `millrace-oracle record`.\n".to_owned()
            });
            writeln!(text, "\n== {name}")?;
            for (request, reply) in exchanges {
                writeln!(text, "> {request}\n< {reply}")?;
            }
        }
        for (group, text) in groups {
            std::fs::write(folder.join(format!("{group}.txt")), text)?;
        }
        Ok(())
    }
}
