//! Kafka's text checkpoints: a version, a count, and one entry per line.
//!
//! ```text
//!  0                 0
//!  2                 2
//!  0 0               logs 0 1500        leader-epoch-checkpoint: epoch, start offset
//!  3 120             logs 1 1733        the others: topic, partition, offset
//! ```
//!
//! Written with `\n`, read with `\r\n` too and with blank lines at the end. Anything else that is
//! not exactly the format is refused with the line it stands on: a checkpoint that is believed
//! half is worse than none. The files are replaced whole; that is the caller's business.

use std::fmt::Write as _;

use crate::ids::{LeaderEpoch, Offset};
use crate::leader_epoch::{EpochChange, EpochEntry, LeaderEpochs};

/// The epochs of a partition, in its folder.
pub const LEADER_EPOCH_FILE: &str = "leader-epoch-checkpoint";
/// Per log folder: everything below is on the device.
pub const RECOVERY_POINT_FILE: &str = "recovery-point-offset-checkpoint";
/// Per log folder: the first readable offset, where it is not the first segment's.
pub const LOG_START_FILE: &str = "log-start-offset-checkpoint";
/// Per log folder: the high watermarks.
pub const HIGH_WATERMARK_FILE: &str = "replication-offset-checkpoint";
/// Per log folder: up to where logs are compacted.
pub const CLEANER_FILE: &str = "cleaner-offset-checkpoint";

/// The only version.
const VERSION: &str = "0";

/// Why a text file of ours or Kafka's is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextError {
    /// 1-based line; one past the last if something is missing at the end.
    pub line: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

impl std::fmt::Display for TextError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for TextError {}

/// One partition's line of a checkpoint per log folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OffsetEntry {
    /// The topic's name.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// What the file is about.
    pub offset: Offset,
}

/// The text of a checkpoint of offsets. Entries are written in the order given.
pub fn write_offsets<'a>(entries: impl ExactSizeIterator<Item = &'a OffsetEntry>) -> String {
    let mut text = front(entries.len());
    for entry in entries {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} {} {}", entry.topic, entry.partition, entry.offset);
    }
    text
}

/// Reads a checkpoint of offsets. A partition that is named twice is refused.
pub fn read_offsets(bytes: &[u8]) -> Result<Vec<OffsetEntry>, TextError> {
    let mut entries = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for (line, text) in body(bytes)? {
        let [topic, partition, offset] = fields(line, text)?;
        let partition: i32 = number(line, partition, "the partition is not a number")?;
        let offset: i64 = number(line, offset, "the offset is not a number")?;
        if partition < 0 {
            return Err(TextError { line, reason: "the partition is negative" });
        }
        if !seen.insert((topic, partition)) {
            return Err(TextError { line, reason: "the partition is named twice" });
        }
        entries.push(OffsetEntry { topic: topic.to_owned(), partition, offset: Offset(offset) });
    }
    Ok(entries)
}

/// The text of a `leader-epoch-checkpoint`.
pub fn write_epochs(epochs: &LeaderEpochs) -> String {
    let mut text = front(epochs.entries().len());
    for entry in epochs.entries() {
        let _ = writeln!(text, "{} {}", entry.epoch, entry.start_offset);
    }
    text
}

/// Reads a `leader-epoch-checkpoint`. Epochs and offsets must strictly increase.
pub fn read_epochs(bytes: &[u8]) -> Result<LeaderEpochs, TextError> {
    let mut epochs = LeaderEpochs::new();
    for (line, text) in body(bytes)? {
        let [epoch, start_offset] = fields(line, text)?;
        let epoch: i32 = number(line, epoch, "the epoch is not a number")?;
        let start_offset: i64 = number(line, start_offset, "the start offset is not a number")?;
        if epoch < 0 || start_offset < 0 {
            return Err(TextError { line, reason: "the epoch or its start offset is negative" });
        }
        if let Some(latest) = epochs.latest()
            && (epoch <= latest.epoch.0 || start_offset <= latest.start_offset.0)
        {
            return Err(TextError { line, reason: "epochs or start offsets do not increase" });
        }
        let change = epochs
            .assign(EpochEntry { epoch: LeaderEpoch(epoch), start_offset: Offset(start_offset) });
        assert_eq!(change, EpochChange::Changed, "an increasing epoch is always new");
    }
    Ok(epochs)
}

fn front(count: usize) -> String {
    format!("{VERSION}\n{count}\n")
}

/// The lines behind version and count, with their numbers; their count is checked.
fn body(bytes: &[u8]) -> Result<Vec<(usize, &str)>, TextError> {
    let text = utf8(bytes)?;
    let mut lines = (1..).zip(text.lines());
    match lines.next() {
        Some((_, VERSION)) => {}
        Some(_) => return Err(TextError { line: 1, reason: "the version is not 0" }),
        None => return Err(TextError { line: 1, reason: "the file is empty" }),
    }
    let Some((line, count)) = lines.next() else {
        return Err(TextError { line: 2, reason: "the count is missing" });
    };
    let count: usize = number(line, count, "the count is not a number")?;
    let mut entries: Vec<(usize, &str)> = lines.collect();
    while entries.last().is_some_and(|(_, text)| text.is_empty()) {
        entries.pop();
    }
    if entries.len() < count {
        let line = entries.len() + 3;
        return Err(TextError { line, reason: "there are fewer entries than the count says" });
    }
    if entries.len() > count {
        let line = count + 3;
        return Err(TextError { line, reason: "there are more entries than the count says" });
    }
    // The last line of a file that was cut is a line all the same, with a shorter number in it.
    if count > 0 && !text.ends_with('\n') {
        return Err(TextError { line: count + 2, reason: "the last line does not end" });
    }
    Ok(entries)
}

fn fields<const N: usize>(line: usize, text: &str) -> Result<[&str; N], TextError> {
    let reason = "the line has not as many fields as it should";
    let mut fields = [""; N];
    let mut parts = text.split_whitespace();
    for field in &mut fields {
        *field = parts.next().ok_or(TextError { line, reason })?;
    }
    parts.next().map_or(Ok(fields), |_| Err(TextError { line, reason }))
}

/// The text of a file, or the line where it stops being text.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, TextError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = good.split(|byte| *byte == b'\n').count();
        TextError { line, reason: "not UTF-8" }
    })
}

/// A number, without a sign that Kafka would not write.
pub(crate) fn number<T: std::str::FromStr>(
    line: usize,
    text: &str,
    reason: &'static str,
) -> Result<T, TextError> {
    if text.starts_with('+') {
        return Err(TextError { line, reason });
    }
    text.parse().map_err(|_| TextError { line, reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn offset_entry(topic: &str, partition: i32, offset: i64) -> OffsetEntry {
        OffsetEntry { topic: topic.to_owned(), partition, offset: Offset(offset) }
    }

    #[test]
    fn checkpoints_have_kafkas_text() {
        let entries = [offset_entry("logs", 0, 1500), offset_entry("a.b_c-d", 11, 0)];
        let text = write_offsets(entries.iter());
        assert_eq!(text, "0\n2\nlogs 0 1500\na.b_c-d 11 0\n");
        assert_eq!(read_offsets(text.as_bytes()).as_deref(), Ok(&entries[..]));
        assert_eq!(read_offsets(b"0\r\n1\r\nlogs 0 7\r\n"), Ok(vec![offset_entry("logs", 0, 7)]));
        assert_eq!(read_offsets(b"0\n0\n"), Ok(vec![]));
        assert_eq!(read_offsets(b"0\n0"), Ok(vec![]));

        let epochs = read_epochs(b"0\n2\n0 0\n3 120\n").expect("good");
        assert_eq!(epochs.entries().len(), 2);
        assert_eq!(write_epochs(&epochs), "0\n2\n0 0\n3 120\n");
    }

    #[test]
    fn corrupt_checkpoints_are_refused_with_the_line() {
        for (text, line) in [
            (&b""[..], 1),
            (b"1\n0\n", 1),
            (b"0", 2),
            (b"0\nx\n", 2),
            (b"0\n-1\n", 2),
            (b"0\n2\nlogs 0 1\n", 4),
            (b"0\n1\nlogs 0 1\nlogs 1 1\n", 4),
            (b"0\n1\nlogs 0\n", 3),
            (b"0\n1\nlogs 0 1 2\n", 3),
            (b"0\n1\nlogs x 1\n", 3),
            (b"0\n1\nlogs -1 1\n", 3),
            (b"0\n1\nlogs 0 +1\n", 3),
            (b"0\n1\nlogs 0 15", 3),
            (b"0\n2\nlogs 0 1\nlogs 0 2\n", 4),
            (b"0\n2\nlogs 0 1\nlo\xffgs 0 2\n", 4),
        ] {
            let seen = read_offsets(text).map_err(|error| error.line);
            assert_eq!(seen, Err(line), "{:?}", String::from_utf8_lossy(text));
        }
        for (text, line) in [
            (&b"0\n1\n-1 0\n"[..], 3),
            (b"0\n1\n0 -5\n", 3),
            (b"0\n2\n1 0\n1 5\n", 4),
            (b"0\n2\n1 5\n2 5\n", 4),
            (b"0\n1\n1 5 6\n", 3),
        ] {
            let seen = read_epochs(text).map_err(|error| error.line);
            assert_eq!(seen, Err(line), "{:?}", String::from_utf8_lossy(text));
        }
    }

    proptest! {
        #[test]
        fn offsets_round_trip_and_every_cut_is_refused(
            entries in proptest::collection::btree_map(
                ("[a-zA-Z0-9._-]{1,20}", 0..i32::MAX), 0..i64::MAX, 1..20),
            cut in any::<prop::sample::Index>(),
        ) {
            let entries: Vec<_> = entries
                .into_iter()
                .map(|((topic, partition), offset)| offset_entry(&topic, partition, offset))
                .collect();
            let text = write_offsets(entries.iter());
            let read = read_offsets(text.as_bytes());
            prop_assert_eq!(read.as_deref(), Ok(&entries[..]));
            let cut = &text.as_bytes()[..cut.index(text.len())];
            prop_assert!(read_offsets(cut).is_err());
        }

        #[test]
        fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_offsets(&bytes);
            let _ = read_epochs(&[&b"0\n2\n"[..], &bytes].concat());
        }
    }
}
