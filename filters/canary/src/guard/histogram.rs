//! A histogram of durations.

use super::bytes::Reader;
use std::time::Duration;

/// Number of buckets.
const BUCKETS: usize = 96;

/// Lower bounds of the buckets in nanoseconds: from 100 us, each 1.2 times the one before. The last bucket begins at
/// 55 minutes. The first also has everything shorter, the last everything longer.
const BOUNDS: [u64; BUCKETS] = {
    let mut bounds = [0; BUCKETS];
    let (mut rest, mut bound): (&mut [u64], u64) = (&mut bounds, 100_000);
    while let Some((first, after)) = rest.split_first_mut() {
        *first = bound;
        bound = bound * 6 / 5;
        rest = after;
    }
    bounds
};

/// Number of durations in each bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Histogram([u32; BUCKETS]);

impl Histogram {
    pub(super) const EMPTY: Self = Self([0; BUCKETS]);

    pub(super) fn count(&mut self, took: Duration) {
        if let Some(count) = self.0.get_mut(bucket(took)) {
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (count, other) in self.0.iter_mut().zip(other.0) {
            *count = count.saturating_add(other);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|count| *count == 0)
    }

    /// Number of durations.
    pub(super) fn total(&self) -> u64 {
        self.0.iter().map(|count| u64::from(*count)).sum()
    }

    /// The counts of all buckets.
    #[cfg(test)]
    pub(super) const fn buckets(&self) -> &[u32] {
        &self.0
    }

    /// Appends the buckets from the first to the last that is not empty: the number of the first, how many there are,
    /// and their counts.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        let first = self.0.iter().take_while(|count| **count == 0).count() % BUCKETS;
        let last = self.0.iter().rposition(|count| *count != 0);
        let length = last.map_or(0, |last| last + 1 - first);
        bytes.extend([first as u8, length as u8]);
        let written = self.0.iter().skip(first).take(length);
        bytes.extend(written.flat_map(|count| count.to_le_bytes()));
    }

    /// `None` if these bytes are not a histogram.
    pub(super) fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        let (first, length) = (usize::from(bytes.u8()?), usize::from(bytes.u8()?));
        let mut histogram = Self::EMPTY;
        for count in histogram.0.get_mut(first..)?.get_mut(..length)? {
            *count = bytes.u32()?;
        }
        Some(histogram)
    }
}

/// The sum of several histograms.
#[derive(Clone, Debug)]
pub(super) struct Sum([u64; BUCKETS]);

impl Sum {
    pub(super) const EMPTY: Self = Self([0; BUCKETS]);

    pub(super) fn add(&mut self, other: &Histogram) {
        for (sum, count) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(u64::from(count));
        }
    }

    /// Number of durations.
    pub(super) fn total(&self) -> u64 {
        self.0.iter().fold(0, |total, count| total.saturating_add(*count))
    }

    /// The 95th percentile within 10 %, for durations up to an hour: the shortest duration that at least 95 % do not
    /// exceed. `None` without durations.
    pub(super) fn p95(&self) -> Option<Duration> {
        let total = self.total();
        // 95 % of the total, rounded up.
        let rank = total - total / 20;
        let mut counted: u64 = 0;
        let reaches = |count: &u64| {
            counted = counted.saturating_add(*count);
            counted >= rank
        };
        let bucket = self.0.iter().position(reaches).filter(|_| total > 0)?;
        BOUNDS.get(bucket).map(|bound| representative(*bound))
    }
}

/// Index of the bucket of a duration.
fn bucket(took: Duration) -> usize {
    let nanos = took.as_nanos();
    BOUNDS.partition_point(|bound| u128::from(*bound) <= nanos).saturating_sub(1)
}

/// A duration that differs by less than 10 % from all in the bucket that begins at `bound`: 1.095 times that.
const fn representative(bound: u64) -> Duration {
    Duration::from_nanos(bound.saturating_mul(219) / 200)
}

#[cfg(test)]
mod tests;
