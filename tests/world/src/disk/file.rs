//! One file's content: what the page cache shows, and what a power loss may leave of it.

use crate::Rng;
use crate::rng::scramble;

/// The page cache's unit.
const PAGE_BYTES: usize = 4096;
/// The unit that a disk writes whole.
const SECTOR_BYTES: usize = 512;

/// A file's bytes: as cached, as durable, and the changes between the two.
#[derive(Clone, Debug, Default)]
pub(super) struct FileData {
    cached: Vec<u8>,
    durable: Vec<u8>,
    /// What happened since the last sync, oldest first.
    pending: Vec<Change>,
    /// Blocks reserved up to this byte, kept beyond the file's length.
    allocated: u64,
}

#[derive(Clone, Debug)]
enum Change {
    Write { position: usize, data: Vec<u8> },
    Truncate { length: usize },
}

impl FileData {
    /// A file whose content is durable.
    pub(super) fn durable(content: Vec<u8>) -> Self {
        Self { durable: content.clone(), cached: content, ..Self::default() }
    }

    /// What a reader sees.
    pub(super) fn content(&self) -> &[u8] {
        &self.cached
    }

    /// What is certain to survive a power loss.
    pub(super) fn durable_content(&self) -> &[u8] {
        &self.durable
    }

    /// Bytes of disk it takes.
    pub(super) fn disk_bytes(&self) -> u64 {
        self.allocated.max(self.cached.len() as u64)
    }

    pub(super) fn allocate(&mut self, end: u64) {
        self.allocated = self.allocated.max(end);
    }

    pub(super) fn write(&mut self, position: usize, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        overwrite(&mut self.cached, position, data);
        self.pending.push(Change::Write { position, data: data.to_vec() });
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.cached.resize(length, 0);
        self.allocated = length as u64;
        self.pending.push(Change::Truncate { length });
    }

    /// Makes durable all that is in the cache.
    pub(super) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            match change {
                Change::Write { position, data } => overwrite(&mut self.durable, position, &data),
                Change::Truncate { length } => self.durable.resize(length, 0),
            }
        }
    }

    /// A sync that failed: some of the dirty pages reached the disk, and the cache takes all of
    /// them for clean from now on. Reads still show them until they are evicted, which may be now.
    ///
    /// A cut is no page but an entry for the journal, which a page that cannot be written does not
    /// take back: it stays to be done, and the next sync that works makes it durable.
    pub(super) fn fail_sync(&mut self, rng: &mut Rng, torn_page: u32) {
        self.settle(rng, torn_page);
        let length = self.cached.len();
        if rng.chance(500) {
            self.cached.clone_from(&self.durable);
            self.cached.truncate(length);
        }
        if length < self.durable.len() {
            self.pending.push(Change::Truncate { length });
        }
    }

    /// Forgets clean pages, so that the next read shows what is on the disk.
    pub(super) fn evict(&mut self) {
        if self.pending.is_empty() {
            self.cached.clone_from(&self.durable);
        }
    }

    /// The power goes: decides what of the dirty pages had reached the disk.
    pub(super) fn lose_power(&mut self, rng: &mut Rng, torn_page: u32) {
        self.settle(rng, torn_page);
        self.cached.clone_from(&self.durable);
        self.allocated = self.cached.len() as u64;
    }

    /// Replaces the durable content by one that writeback could have left, and forgets the changes.
    ///
    /// Every page was last written back at some moment since the last sync, or not at all, so it
    /// holds some prefix of the changes; a torn page holds one prefix up to some sector and another
    /// after it. The length comes from a journal, so it is that of some moment too, and a cut that
    /// is in the journal applies to all pages. Pages within the length that never reached the disk
    /// read as zeros: they are new blocks, and ordered mode never shows a stranger's bytes.
    fn settle(&mut self, rng: &mut Rng, torn_page: u32) {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return;
        }
        let count = pending.len();
        let style = rng.below(4);
        let length_moment = match style {
            0 => 0,
            1 => count,
            _ => rng.index(count + 1),
        };
        // Up to the next cut, which the journal does not have, any page may be ahead of the length.
        let horizon = (length_moment..count)
            .find(|&at| matches!(pending[at], Change::Truncate { .. }))
            .unwrap_or(count);
        let salt = rng.word();
        let moment_of = |sector: usize| match style {
            0 => 0,
            1 => horizon,
            2 => length_moment.min(horizon),
            _ => page_moment(salt, sector, horizon, torn_page),
        };
        let mut length = self.durable.len();
        for (at, change) in pending.iter().enumerate().take(horizon) {
            match change {
                Change::Write { position, data } => {
                    write_sectors(&mut self.durable, *position, data, |sector| {
                        at < moment_of(sector)
                    });
                    if at < length_moment {
                        length = length.max(position + data.len());
                    }
                }
                Change::Truncate { length: cut } => {
                    self.durable.resize(*cut, 0);
                    length = *cut;
                }
            }
        }
        self.durable.resize(length, 0);
    }
}

/// The moment, `0..=horizon`, of which the sector shows the state.
fn page_moment(salt: u64, sector: usize, horizon: usize, torn_page: u32) -> usize {
    let page = sector / (PAGE_BYTES / SECTOR_BYTES);
    let mut rng = Rng::new(scramble(salt ^ page as u64));
    // Pages mostly hold the first or the last state; anything between is rarer.
    let mut moment = || match rng.below(3) {
        0 => 0,
        1 => horizon,
        _ => rng.index(horizon + 1),
    };
    let (low, high) = (moment(), moment());
    let torn = rng.chance(torn_page);
    let tear = rng.index(PAGE_BYTES / SECTOR_BYTES);
    if torn && sector % (PAGE_BYTES / SECTOR_BYTES) >= tear { high } else { low }
}

/// Writes those sectors of `data` that `keep` names.
fn write_sectors(
    content: &mut Vec<u8>,
    position: usize,
    data: &[u8],
    mut keep: impl FnMut(usize) -> bool,
) {
    let mut done = 0;
    while done < data.len() {
        let at = position + done;
        let sector = at / SECTOR_BYTES;
        let end = ((sector + 1) * SECTOR_BYTES - position).min(data.len());
        if keep(sector) {
            overwrite(content, at, &data[done..end]);
        }
        done = end;
    }
}

fn overwrite(content: &mut Vec<u8>, position: usize, data: &[u8]) {
    let end = position + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[position..end].copy_from_slice(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(content: &[u8], wanted: u8) -> usize {
        content.iter().map(|&byte| usize::from(byte == wanted)).sum()
    }

    #[test]
    fn synced_bytes_survive_every_power_loss() {
        for seed in 0..200 {
            let mut file = FileData::default();
            file.write(0, &[1; 10_000]);
            file.sync();
            file.write(10_000, &[2; 10_000]);
            file.lose_power(&mut Rng::new(seed), 500);
            assert!(file.content().len() >= 10_000, "seed {seed}");
            assert!(file.content()[..10_000].iter().all(|&byte| byte == 1));
            assert!(
                file.content()[10_000..].iter().all(|&byte| byte == 0 || byte == 2),
                "only zeros or the new bytes, seed {seed}"
            );
        }
    }

    #[test]
    fn a_power_loss_keeps_loses_and_tears_in_different_seeds() {
        let (mut kept, mut lost, mut holes, mut torn) = (0, 0, 0, 0);
        for seed in 0..400 {
            let mut file = FileData::default();
            file.write(0, &[7; 3 * PAGE_BYTES]);
            file.lose_power(&mut Rng::new(seed), 500);
            let content = file.content();
            let written = count(content, 7);
            kept += u32::from(written == 3 * PAGE_BYTES);
            lost += u32::from(content.is_empty());
            holes += u32::from(written < content.len());
            torn += u32::from(!written.is_multiple_of(PAGE_BYTES));
            assert!(written.is_multiple_of(SECTOR_BYTES), "never within a sector");
        }
        assert!(kept > 20 && lost > 20 && holes > 20 && torn > 5, "{kept} {lost} {holes} {torn}");
    }

    #[test]
    fn an_overwritten_page_is_the_old_or_the_new_one() {
        let (mut old, mut new) = (0, 0);
        for seed in 0..100 {
            let mut file = FileData::durable(vec![1; PAGE_BYTES]);
            file.write(0, &[2; PAGE_BYTES]);
            file.lose_power(&mut Rng::new(seed), 0);
            match file.content() {
                content if content.iter().all(|&byte| byte == 1) => old += 1,
                content if content.iter().all(|&byte| byte == 2) => new += 1,
                content => panic!("seed {seed}: mixed, {} bytes", content.len()),
            }
        }
        assert!(old > 10 && new > 10, "{old} {new}");
    }

    #[test]
    fn bytes_cut_off_durably_never_come_back() {
        for seed in 0..200 {
            let mut file = FileData::durable(vec![1; 2 * PAGE_BYTES]);
            file.truncate(100);
            file.write(100, &[2; PAGE_BYTES]);
            file.lose_power(&mut Rng::new(seed), 300);
            let content = file.content();
            let old = count(content, 1);
            let new = count(content, 2);
            assert!(old == 2 * PAGE_BYTES && new == 0 || old == 100, "seed {seed}: {old} {new}");
        }
    }

    #[test]
    fn a_failed_sync_loses_pages_that_a_later_sync_does_not_bring_back() {
        let mut lost = 0;
        for seed in 0..100 {
            let mut file = FileData::default();
            file.write(0, &[1; PAGE_BYTES]);
            file.fail_sync(&mut Rng::new(seed), 0);
            file.sync();
            file.lose_power(&mut Rng::new(seed), 0);
            lost += u32::from(file.content() != [1; PAGE_BYTES]);
        }
        assert!(lost > 20, "{lost}");
    }

    #[test]
    fn a_cut_is_not_lost_by_a_failed_sync() {
        let mut pending = 0;
        for seed in 0..100 {
            let mut file = FileData::durable(vec![1; PAGE_BYTES]);
            file.truncate(100);
            file.fail_sync(&mut Rng::new(seed), 0);
            assert_eq!(file.content().len(), 100, "seed {seed}: readers see the cut");
            pending += u32::from(file.durable_content().len() > 100);
            file.sync();
            file.lose_power(&mut Rng::new(seed), 0);
            assert_eq!(file.content().len(), 100, "seed {seed}");
        }
        assert!(pending > 20, "{pending}");
    }
}
