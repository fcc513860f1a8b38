//! How much was used lately, and how long it takes until that is within a limit again.

use std::collections::VecDeque;

use super::rules::Limit;

/// How use is sampled: `quota.window.num` samples of `quota.window.size.seconds` each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowConfig {
    /// Samples that are kept, at least 1.
    pub samples: u32,
    /// Length of a sample, ms, at least 1.
    pub sample_ms: u64,
}

impl Default for WindowConfig {
    /// Kafka's: eleven of a second.
    fn default() -> Self {
        Self { samples: 11, sample_ms: 1000 }
    }
}

impl WindowConfig {
    /// All samples together, ms.
    pub const fn window_ms(&self) -> u64 {
        self.sample_ms.saturating_mul(self.samples as u64)
    }

    /// The samples before the last, together, ms: the least that use is divided by, so that the
    /// first bytes of a client are not a high rate.
    const fn window_ms_min(&self) -> u64 {
        self.sample_ms.saturating_mul(self.samples.saturating_sub(1) as u64)
    }
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    begin_ms: u64,
    last_ms: u64,
    used: i64,
}

/// Use over a sliding window.
///
/// ```text
///   │ sample │ sample │   …   │ sample │ current ▌ now
///   ◀──── divided by this: whole samples that never were count, too ────▶
/// ```
#[derive(Clone, Debug, Default)]
pub struct Rate {
    samples: VecDeque<Sample>,
}

impl Rate {
    /// Notes use; a negative amount takes back what was noted.
    pub fn record(&mut self, config: &WindowConfig, now_ms: u64, amount: i64) {
        self.purge(config, now_ms);
        match self.samples.back_mut() {
            Some(sample) if now_ms.saturating_sub(sample.begin_ms) < config.sample_ms => {
                sample.used = sample.used.saturating_add(amount);
                sample.last_ms = now_ms;
            }
            Some(_) | None => {
                self.samples.push_back(Sample { begin_ms: now_ms, last_ms: now_ms, used: amount });
            }
        }
    }

    /// Units used within the window, and its length, ms.
    fn used(&mut self, config: &WindowConfig, now_ms: u64) -> (u64, u64) {
        self.purge(config, now_ms);
        let used: i64 = self.samples.iter().map(|sample| sample.used).sum();
        let begin_ms = self.samples.front().map_or(now_ms, |sample| sample.begin_ms);
        let elapsed_ms = now_ms.saturating_sub(begin_ms);
        let whole_ms = elapsed_ms - elapsed_ms % config.sample_ms;
        let missing_ms = config.window_ms_min().saturating_sub(whole_ms);
        (u64::try_from(used).unwrap_or(0), (elapsed_ms + missing_ms).max(1))
    }

    /// How long nothing may be used until the rate is within the limit again, ms; 0 if it is.
    ///
    /// That is (rate − limit) ÷ limit × window, rounded as Kafka does.
    pub fn throttle_ms(&mut self, config: &WindowConfig, now_ms: u64, limit: Limit) -> u64 {
        let (used, window_ms) = self.used(config, now_ms);
        let limit = limit.millionths_per_second();
        // used × 1000 ÷ window ÷ limit × window, in millionths.
        let whole_ms = (u128::from(used) * 1_000_000_000 + limit / 2) / limit;
        u64::try_from(whole_ms.saturating_sub(window_ms.into())).unwrap_or(u64::MAX)
    }

    /// True if nothing within the window was used: forgetting it changes nothing.
    pub fn is_idle(&mut self, config: &WindowConfig, now_ms: u64) -> bool {
        self.purge(config, now_ms);
        self.samples.is_empty()
    }

    fn purge(&mut self, config: &WindowConfig, now_ms: u64) {
        while let Some(sample) = self.samples.front()
            && now_ms.saturating_sub(sample.last_ms) >= config.window_ms()
        {
            self.samples.pop_front();
        }
        while self.samples.len() > config.samples as usize {
            self.samples.pop_front();
        }
    }
}
