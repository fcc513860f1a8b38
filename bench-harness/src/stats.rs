//! Medians and bootstrap intervals.

/// A figure with its uncertainty.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Estimate {
    /// The median, or what [`estimate_by`] was asked for.
    pub median: f64,
    /// Lower end of its 95 % bootstrap interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Draws for a bootstrap interval.
const RESAMPLES: usize = 2_000;

/// The median and its 95 % interval by resampling; the same samples give the same answer.
///
/// No samples give zeros.
pub fn estimate(samples: &[f64]) -> Estimate {
    estimate_by(samples, |drawn| median(&drawn.iter().map(|sample| **sample).collect::<Vec<f64>>()))
}

/// A figure of all samples together in place of the median, which it stands in for in the answer, with
/// its 95 % interval by resampling; the same samples give the same answer.
///
/// No samples give zeros.
pub fn estimate_by<T>(samples: &[T], figure: impl Fn(&[&T]) -> f64) -> Estimate {
    if samples.is_empty() {
        return Estimate::default();
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        &samples[usize::try_from(state % samples.len() as u64).unwrap_or(0)]
    };
    let mut figures: Vec<f64> = (0..RESAMPLES)
        .map(|_| figure(&samples.iter().map(|_| draw()).collect::<Vec<&T>>()))
        .collect();
    figures.sort_by(f64::total_cmp);
    let at = |share: usize| figures[(RESAMPLES * share / 1000).min(RESAMPLES - 1)];
    let all: Vec<&T> = samples.iter().collect();
    Estimate { median: figure(&all), low: at(25), high: at(975) }
}

/// The middle sample, or the mean of the middle two; 0 of none.
pub fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 1 => sorted[half],
        _ => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_its_median_and_shrinks_to_a_point_for_equal_samples() {
        let spread = estimate(&[1.0, 2.0, 3.0, 4.0, 100.0]);
        assert!((spread.median - 3.0).abs() < 1e-9);
        assert!(spread.low <= spread.median && spread.median <= spread.high);
        let equal = estimate(&[2.0; 9]);
        assert_eq!(equal, Estimate { median: 2.0, low: 2.0, high: 2.0 });
        assert!((median(&[1.0, 2.0]) - 1.5).abs() < 1e-9);
    }
}
