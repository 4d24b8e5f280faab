//! Random durations.
//!
//! A duration is drawn by inversion: one uniform number is a share of all durations, and the result is the duration that
//! this share does not exceed. So a greater number gives a longer duration, to within a nanosecond, and the same number
//! gives the same duration on all platforms.

mod normal;
mod percentile;
mod quantiles;
mod units;

pub use percentile::Percentile;
pub use quantiles::{InvalidQuantiles, Quantiles};

use std::time::Duration;
use units::{nanos, share};

/// How random durations are distributed. Any durations are allowed; the field docs say which ones are useful.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// All durations from `min` to `max` are equally likely.
    Uniform {
        /// The shortest duration.
        min: Duration,
        /// The longest duration, not below `min`.
        max: Duration,
    },
    /// The time to the next of independent events.
    Exponential {
        /// The mean. 37 % are longer, 1 % are longer than 4.6 times the mean.
        mean: Duration,
    },
    /// A bell curve. What would be below zero is zero.
    Normal {
        /// The mean.
        mean: Duration,
        /// The standard deviation. 68 % differ from the mean by less.
        stddev: Duration,
    },
    /// A duration whose logarithm has a normal distribution: never below zero, with a long tail.
    Lognormal {
        /// Half are longer. If it is zero, all are zero.
        median: Duration,
        /// One in a hundred is longer. If it is below the median, all are the median.
        p99: Duration,
    },
    /// Given percentiles, linear in between.
    Quantiles(Quantiles),
}

impl Distribution {
    /// A duration in whole nanoseconds. `uniform` is uniformly distributed over `u64`: random, or a hash. What would be
    /// longer than `max` is `max`.
    ///
    /// The tails end at 36 times an exponential's mean and at 8.2 standard deviations, 1 in 2^53 of all.
    #[must_use]
    pub fn sample(&self, uniform: u64, max: Duration) -> Duration {
        let share = share(uniform);
        let sampled = match self {
            Self::Uniform { min, max } => {
                let (min, max) = (nanos(*min), nanos(*max));
                min + (max - min) * share
            }
            // This difference is exact.
            Self::Exponential { mean } => nanos(*mean) * -libm::log(1.0 - share),
            Self::Normal { mean, stddev } => nanos(*mean) + nanos(*stddev) * normal::quantile(share),
            // It would be infinity times zero.
            Self::Lognormal { median, .. } if median.is_zero() => 0.0,
            Self::Lognormal { median, p99 } => {
                let median = nanos(*median);
                let sigma = libm::log(nanos(*p99) / median) / normal::P99;
                median * libm::exp(sigma.max(0.0) * normal::quantile(share))
            }
            Self::Quantiles(quantiles) => quantiles.at(share),
        };
        // The conversion saturates: below zero is zero.
        Duration::from_nanos((sampled + 0.5) as u64).min(max)
    }
}

#[cfg(test)]
mod tests;
