//! When requests arrive that know nothing of each other: a Poisson process.

use std::time::Duration;

use super::shuffle::next;

/// The times of arrivals after a start, without end. The same seed gives the same times, but for the rate.
pub(super) struct Arrivals {
    /// Seconds between two arrivals, in the mean.
    mean: f64,
    seed: u64,
    /// Seconds.
    last: f64,
}

impl Arrivals {
    /// So many a second. `rate` is positive.
    pub(super) fn new(rate: f64, seed: u64) -> Self {
        Self { mean: rate.recip(), seed, last: 0.0 }
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        // 53 random bits: above 0, and 1 at most.
        let random = ((next(&mut self.seed) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        self.last -= self.mean * random.ln();
        Duration::try_from_secs_f64(self.last).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_come_at_the_rate_in_order_and_as_often_together_as_chance_has_it() {
        let times: Vec<f64> =
            Arrivals::new(1000.0, 7).take(100_000).map(|after| after.as_secs_f64()).collect();
        assert!((99.0..101.0).contains(times.last().unwrap()), "{:?}", times.last());
        let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| *gap >= 0.0));
        // Of exponential gaps, 1 - 1/e are below the mean.
        let short = gaps.iter().filter(|gap| **gap < 0.001).count();
        assert!((62_700..63_700).contains(&short), "{short}");
    }
}
