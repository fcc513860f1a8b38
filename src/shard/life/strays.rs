//! Folders of partitions that the cluster does not have: renamed at the start, as Kafka does.
//!
//! A folder is a stray if its topic is not in the metadata (or has no such partition), or if its
//! `partition.metadata` names another topic than the one that has its name now. It becomes
//! `<topic>-<partition>.<32 hex digits>-stray` and is left alone from then on: an operator looks at
//! it, or moves it away. Folders that were being deleted (`…-delete`) are removed.
//!
//! The id is read only where no checkpoint of ours vouches for the folder. A folder without
//! `partition.metadata` is taken for ours: the process died while it made it. Kafka takes that one
//! for a stray, because it never writes a record before that file.
//!
//! Source: Kafka's `LogManager.isStrayKraftReplica`, KIP-858.

use std::path::Path;

use bytes::Bytes;
use millrace_engine::partition_metadata::{PARTITION_METADATA_FILE, read_partition_metadata};
use millrace_io::{Op, Token};
use millrace_replication::Image;
use millrace_wire::Uuid;

use super::super::{LIFE_OWNER, Shard, Turn};
use super::put_off::Job;
use super::start::{TEXT_BYTES_MAX, What};
use crate::setup::METADATA_FOLDER;

/// A file name cannot be longer, bytes.
const NAME_BYTES_MAX: usize = 255;
/// The token number of removals that nobody waits for.
const SEQ_REMOVAL: u32 = (1 << 29) - 1;

/// A folder that has to be looked into.
#[derive(Clone, Debug)]
pub(super) struct Suspect {
    pub(super) dir: usize,
    pub(super) folder: String,
    /// The id of the topic that has its name.
    pub(super) topic: Uuid,
}

/// What is known of a folder by its name alone.
enum Judged {
    /// It is no partition's.
    Other,
    /// What was being deleted.
    Leftover,
    Stray,
    /// A partition of the topic with this id has that name.
    Named(Uuid),
}

fn judge(image: &Image, folder: &str) -> Judged {
    if folder == METADATA_FOLDER {
        return Judged::Other;
    }
    if let Some((_, rest)) = folder.rsplit_once('.')
        && let Some(unique) = rest.strip_suffix("-delete")
        && unique.len() == 32
        && unique.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return Judged::Leftover;
    }
    let Some((topic, index)) = folder.rsplit_once('-') else { return Judged::Other };
    let index = index.parse::<i32>().ok().filter(|index| *index >= 0);
    let (Some(index), false) = (index, topic.is_empty()) else { return Judged::Other };
    match image.topic(topic) {
        Some(topic) if topic.partition(index).is_some() => Judged::Named(topic.id),
        Some(_) | None => Judged::Stray,
    }
}

/// The name that a stray folder gets.
fn stray_name(folder: &str, unique: u128) -> String {
    let (topic, index) = folder.rsplit_once('-').unwrap_or((folder, "0"));
    let suffix = format!("-{index}.{unique:032x}-stray");
    // Names of topics are ASCII.
    let kept = topic.get(..topic.len().min(NAME_BYTES_MAX - suffix.len())).unwrap_or(topic);
    format!("{kept}{suffix}")
}

impl Shard {
    /// Judges all folders by their names; those whose ids have to be read are asked for.
    pub(super) fn look_for_strays(&mut self, turn: &mut Turn) {
        let Some(image) = self.life.start.image.clone() else { return };
        let folders = std::mem::take(&mut self.life.start.folders);
        for (dir, folder) in folders {
            let path = self.setup.log_dirs[dir].path.join(&folder);
            match judge(&image, &folder) {
                Judged::Other => {}
                Judged::Leftover => {
                    let token = Token { owner: LIFE_OWNER, seq: SEQ_REMOVAL };
                    turn.ops.push(Op::Remove { token, path });
                }
                Judged::Stray => {
                    self.life.start.strays.push((dir, folder));
                }
                Judged::Named(topic) => {
                    if !self.life.start.known.vouches_for(&path.to_string_lossy(), topic) {
                        self.ask_for_id(turn, &path, Suspect { dir, folder, topic });
                    }
                }
            }
        }
    }

    fn ask_for_id(&mut self, turn: &mut Turn, path: &Path, suspect: Suspect) {
        let path = path.join(PARTITION_METADATA_FILE);
        let seq = self.start_op(turn, What::PartitionMetadata, suspect.dir, |token| {
            Op::ReadWhole { token, path, length_max: TEXT_BYTES_MAX }
        });
        self.life.start.suspects.insert(seq, suspect);
    }

    /// The `partition.metadata` of a suspect.
    pub(super) fn on_suspect(&mut self, suspect: Suspect, content: &Bytes) {
        match read_partition_metadata(content) {
            Ok(id) if id == suspect.topic => {}
            Ok(_) => self.life.start.strays.push((suspect.dir, suspect.folder)),
            Err(error) => self.note(format!(
                "{}: {PARTITION_METADATA_FILE}: {error}; taken for the topic of that name",
                suspect.folder
            )),
        }
    }

    /// Renames the strays.
    pub(super) fn put_strays_aside(&mut self, turn: &mut Turn) {
        let strays = std::mem::take(&mut self.life.start.strays);
        for (dir, folder) in strays {
            let parent = self.setup.log_dirs[dir].path.clone();
            let name = stray_name(&folder, self.random.uuid().0);
            self.note(format!(
                "{}: {folder} is of no partition that the cluster has; it is renamed to {name}",
                parent.display()
            ));
            self.life.start.known.folders[dir].remove(&folder);
            let (from, to) = (parent.join(&folder), parent.join(&name));
            let rename = |token| Op::Rename { token, from, to };
            let seq = self.start_op(turn, What::Folder, dir, rename);
            self.life.start.deferrable.insert(seq, Job::Stray { dir, folder, name });
            self.life.start.renamed_in.insert(dir);
        }
    }

    /// Makes the renames last.
    pub(super) fn sync_stray_dirs(&mut self, turn: &mut Turn) {
        for dir in std::mem::take(&mut self.life.start.renamed_in) {
            let path = self.setup.log_dirs[dir].path.clone();
            self.start_op(turn, What::Folder, dir, |token| Op::SyncDir { token, path });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stray_has_kafkas_name_and_fits() {
        let unique = 0xab;
        let hex = "000000000000000000000000000000ab";
        assert_eq!(stray_name("a-b-7", unique), format!("a-b-7.{hex}-stray"));
        let long = format!("{}-12", "t".repeat(249));
        let name = stray_name(&long, unique);
        assert_eq!(name.len(), NAME_BYTES_MAX);
        assert!(name.ends_with(&format!("t-12.{hex}-stray")));
    }

    #[test]
    fn only_folders_of_partitions_are_judged() {
        let image = Image::empty();
        let is = |folder: &str| match judge(&image, folder) {
            Judged::Other => "other",
            Judged::Leftover => "leftover",
            Judged::Stray => "stray",
            Judged::Named(_) => "named",
        };
        for folder in ["lost+found", "a-b", "-0", "t-x1", METADATA_FOLDER, "t-0.12-delete"] {
            assert_eq!(is(folder), "other", "{folder}");
        }
        let hex = "000000000000000000000000000000ab";
        assert_eq!(is(&format!("t-0.{hex}-delete")), "leftover");
        assert_eq!(is(&format!("t-0.{hex}-stray")), "other");
        assert_eq!(is("t-0"), "stray");
        assert_eq!(is("a-b-12"), "stray");
    }
}
