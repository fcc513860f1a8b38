//! Reads a segment batch by batch, checking every CRC, in pieces of bounded size.
//!
//! Pure: it says which bytes it wants, is fed them, and tells the batches it finds. A batch that is
//! larger than a piece is summed up as it streams by, so memory does not depend on what a corrupt
//! length field claims.

use crate::Offset;
use crate::batch::{ATTRIBUTES_AT, BatchError, BatchHeader, HEADER_BYTES};
use crate::crc;

/// Bytes asked for at a time.
pub const SCAN_BYTES: u32 = 1 << 20;
/// A batch up to this size that is cut off by the end of a piece is read again as a whole.
const REREAD_BYTES_MAX: u64 = SCAN_BYTES as u64 / 4;

/// Why a scan stopped before the end of the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutReason {
    /// The last batch is not there as a whole: a torn write.
    Torn,
    /// Zeros: space that was reserved or grown, and never written.
    Blank,
    /// The CRC is not that of the bytes.
    Crc,
    /// No batch header.
    Header,
    /// A batch that does not follow the one before it.
    Order,
    /// The next segment starts further on: what lay between was never made durable.
    Gap,
}

/// A batch that was found whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) header: BatchHeader,
    /// Its bytes, if it lay in one piece. Small batches always do.
    pub(crate) bytes: Option<&'a [u8]>,
}

/// What a scan wants or has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// These bytes.
    Read { position: u64, length: u32 },
    /// Nothing: it ended at `position`, the end of the last whole batch.
    End { position: u64, cut: Option<CutReason> },
}

/// A scan over one segment's file.
#[derive(Debug)]
pub(crate) struct Scanner {
    /// The next byte to look at: where a batch starts, unless `body` streams by.
    position: u64,
    /// Length of the file, bytes.
    end: u64,
    /// No batch may start below this.
    expected: Offset,
    /// No batch may reach beyond this: the next segment starts there.
    limit: Offset,
    body: Option<Body>,
    cut: Option<(u64, CutReason)>,
    /// Header of the batch with the wrong CRC at which it stopped.
    bad: Option<BatchHeader>,
}

/// A large batch that streams by.
#[derive(Clone, Copy, Debug)]
struct Body {
    header: BatchHeader,
    start: u64,
    crc: u32,
    left: u64,
}

impl Scanner {
    /// A scan from `position`, where a batch starts, to `end`.
    ///
    /// - `expected`: the smallest offset that may come first.
    pub(crate) const fn new(position: u64, end: u64, expected: Offset) -> Self {
        let limit = Offset(i64::MAX);
        Self { position, end, expected, limit, body: None, cut: None, bad: None }
    }

    /// The same, of a segment behind which another one starts at `limit`.
    pub(crate) const fn until(self, limit: Offset) -> Self {
        Self { limit, ..self }
    }

    /// The offset behind the last batch found.
    pub(crate) const fn next_offset(&self) -> Offset {
        self.expected
    }

    /// What it wants.
    pub(crate) fn want(&self) -> Want {
        if let Some((position, reason)) = self.cut {
            return Want::End { position, cut: Some(reason) };
        }
        let left = self.end - self.position;
        if left == 0 {
            return Want::End { position: self.position, cut: None };
        }
        let length = u32::try_from(left).unwrap_or(u32::MAX).min(SCAN_BYTES);
        Want::Read { position: self.position, length }
    }

    /// Steps over the batch at which the scan stopped for its CRC, if it ends at or below `point`.
    ///
    /// - Returns its header; `None` if the scan did not stop, or not for that reason.
    pub(crate) fn skip_bad_batch(&mut self, point: Offset) -> Option<BatchHeader> {
        let (position, CutReason::Crc) = self.cut? else {
            return None;
        };
        let header = self.bad.filter(|header| header.next_offset() <= point)?;
        self.cut = None;
        self.position = position + header.bytes_total() as u64;
        self.expected = header.next_offset();
        Some(header)
    }

    /// The file has grown: the scan goes on to `end`.
    pub(crate) fn extend(&mut self, end: u64) {
        self.end = self.end.max(end);
    }

    /// Takes the bytes asked for.
    ///
    /// - `bytes`: from the position asked for on; fewer than asked for mean the file is shorter.
    /// - `found`: told each whole batch, in order.
    pub(crate) fn feed(&mut self, bytes: &[u8], found: &mut impl FnMut(Found<'_>)) {
        let Want::Read { length, .. } = self.want() else {
            return;
        };
        if bytes.len() < length as usize {
            self.end = self.position + bytes.len() as u64;
        }
        let mut rest = bytes;
        while !rest.is_empty() && self.cut.is_none() {
            let used = match self.body {
                Some(body) => self.stream(body, rest, found),
                None => self.step(rest, found),
            };
            if used == 0 {
                break;
            }
            self.position += used as u64;
            rest = &rest[used..];
        }
        if self.position == self.end
            && let Some(body) = self.body
        {
            self.cut = Some((body.start, CutReason::Torn));
        }
    }

    /// Looks at the batch at the front of `rest`. Returns the bytes used; 0: read again from here.
    fn step(&mut self, rest: &[u8], found: &mut impl FnMut(Found<'_>)) -> usize {
        let left = self.end - self.position;
        let is_rest_all = rest.len() as u64 == left;
        if rest.len() < HEADER_BYTES && !is_rest_all {
            return 0;
        }
        let header = match BatchHeader::parse(rest) {
            Ok(header) => header,
            Err(error) => {
                self.cut = Some((self.position, reason_of(rest, error)));
                return 0;
            }
        };
        let is_beyond = header.next_offset() > self.limit;
        if header.base_offset < self.expected || header.last_offset_delta < 0 || is_beyond {
            self.cut = Some((self.position, CutReason::Order));
            return 0;
        }
        let total = header.bytes_total();
        if total as u64 > left {
            self.cut = Some((self.position, CutReason::Torn));
            return 0;
        }
        if let Some(batch) = rest.get(..total) {
            if crc::crc32c(&batch[ATTRIBUTES_AT..]) != header.crc {
                self.cut = Some((self.position, CutReason::Crc));
                self.bad = Some(header);
                return 0;
            }
            self.expected = header.next_offset();
            found(Found { header, bytes: Some(batch) });
            return total;
        }
        if total as u64 <= REREAD_BYTES_MAX {
            return 0;
        }
        self.body = Some(Body {
            header,
            start: self.position,
            crc: crc::crc32c(&rest[ATTRIBUTES_AT..]),
            left: (total - rest.len()) as u64,
        });
        rest.len()
    }

    /// Takes in more of a large batch. Returns the bytes used.
    fn stream(&mut self, body: Body, rest: &[u8], found: &mut impl FnMut(Found<'_>)) -> usize {
        let used = usize::try_from(body.left).unwrap_or(usize::MAX).min(rest.len());
        let more = crc::crc32c(&rest[..used]);
        let crc = crc::combine(body.crc, more, used as u64);
        let left = body.left - used as u64;
        if left > 0 {
            self.body = Some(Body { crc, left, ..body });
            return used;
        }
        self.body = None;
        if crc == body.header.crc {
            self.expected = body.header.next_offset();
            found(Found { header: body.header, bytes: None });
        } else {
            self.cut = Some((body.start, CutReason::Crc));
            self.bad = Some(body.header);
        }
        used
    }
}

fn reason_of(rest: &[u8], error: BatchError) -> CutReason {
    // A batch at offset 0 starts with zeros, too; a whole header of them is none.
    if rest.len() >= HEADER_BYTES && rest[..HEADER_BYTES].iter().all(|byte| *byte == 0) {
        return CutReason::Blank;
    }
    match error {
        BatchError::Short { .. } => CutReason::Torn,
        BatchError::Length { .. } | BatchError::Magic { .. } => CutReason::Header,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::{BatchBuilder, BatchSpec};

    fn batch(base: i64, value_bytes: usize) -> Vec<u8> {
        let mut builder = BatchBuilder::new(BatchSpec::default());
        builder.append(1000, None, Some(&vec![7; value_bytes]), &[]);
        let mut bytes = builder.build().expect("not packed").to_vec();
        bytes[..8].copy_from_slice(&base.to_be_bytes());
        bytes
    }

    fn scan(file: &[u8]) -> (Vec<i64>, Want) {
        let mut scanner = Scanner::new(0, file.len() as u64, Offset(0));
        let mut found = Vec::new();
        loop {
            let Want::Read { position, length } = scanner.want() else {
                return (found, scanner.want());
            };
            let at = usize::try_from(position).unwrap();
            let bytes = &file[at..at + length as usize];
            scanner.feed(bytes, &mut |batch| found.push(batch.header.base_offset.0));
        }
    }

    #[test]
    fn batches_across_pieces_and_larger_than_pieces_are_found() {
        let mut file = Vec::new();
        for (base, bytes) in [(0, 10), (1, 900_000), (2, 200_000), (3, 3_000_000), (4, 5)] {
            file.extend_from_slice(&batch(base, bytes));
        }
        let end = Want::End { position: file.len() as u64, cut: None };
        assert_eq!(scan(&file), (vec![0, 1, 2, 3, 4], end));
    }

    #[test]
    fn a_flipped_bit_anywhere_under_the_crc_is_found() {
        for bytes in [10, 900_000, 3_000_000] {
            let first = batch(0, 10);
            let second = batch(1, bytes);
            for at in [ATTRIBUTES_AT, second.len() / 2, second.len() - 1] {
                let mut file = [first.clone(), second.clone()].concat();
                file[first.len() + at] ^= 1;
                let end = Want::End { position: first.len() as u64, cut: Some(CutReason::Crc) };
                assert_eq!(scan(&file), (vec![0], end));
            }
        }
    }

    #[test]
    fn a_file_cut_at_any_byte_ends_at_the_last_whole_batch() {
        let first = batch(0, 30);
        let file = [first.clone(), batch(1, 40)].concat();
        for length in 0..file.len() {
            let (found, want) = scan(&file[..length]);
            let whole = usize::from(length >= first.len());
            assert_eq!(found.len(), whole, "cut at {length}");
            let position = (whole * first.len()) as u64;
            let cut = (length != whole * first.len()).then_some(CutReason::Torn);
            assert_eq!(want, Want::End { position, cut }, "cut at {length}");
        }
    }

    #[test]
    fn zeros_and_older_offsets_are_no_batches() {
        let mut file = batch(5, 10);
        let end = file.len() as u64;
        file.extend_from_slice(&batch(4, 10));
        let cut = Some(CutReason::Order);
        assert_eq!(scan(&file), (vec![5], Want::End { position: end, cut }));
        file.truncate(usize::try_from(end).unwrap());
        file.resize(file.len() + 5000, 0);
        let cut = Some(CutReason::Blank);
        assert_eq!(scan(&file), (vec![5], Want::End { position: end, cut }));
    }
}
