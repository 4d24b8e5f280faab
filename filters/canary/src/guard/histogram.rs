//! A histogram of durations.

use super::bytes::Reader;
use std::time::Duration;

/// Number of buckets.
const BUCKETS: usize = 183;

/// Lower bounds of the buckets in nanoseconds: from 100 us, each 1.1 times the one before. The last bucket would end at
/// 62 minutes. The first also has everything shorter, the last everything longer.
const BOUNDS: [u64; BUCKETS] = {
    let mut bounds = [0; BUCKETS];
    let (mut rest, mut bound): (&mut [u64], u64) = (&mut bounds, 100_000);
    while let Some((first, after)) = rest.split_first_mut() {
        *first = bound;
        bound = bound * 11 / 10;
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
        if let Some(count) = self.0.get_mut(Bucket::of(took).0) {
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (count, other) in self.0.iter_mut().zip(other.0) {
            *count = count.saturating_add(other);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0 == [0; BUCKETS]
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

    /// The bucket with the 95th percentile: the shortest duration that at least 95 % do not exceed. `None` without
    /// durations.
    pub(super) fn p95(&self) -> Option<Bucket> {
        let total = self.total();
        // 95 % of the total, rounded up.
        let rank = total - total / 20;
        let mut counted: u64 = 0;
        let reaches = |count: &u64| {
            counted = counted.saturating_add(*count);
            counted >= rank
        };
        self.0.iter().position(reaches).filter(|_| total > 0).map(Bucket)
    }
}

/// A bucket, by its index: what is known of a duration in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket(usize);

impl Bucket {
    /// The bucket of a duration.
    pub(super) fn of(took: Duration) -> Self {
        let nanos = took.as_nanos();
        Self(BOUNDS.partition_point(|bound| u128::from(*bound) <= nanos).saturating_sub(1))
    }

    /// A duration that differs by less than 5 % from all in the bucket, from 100 us to an hour: 1.0475 times the lower
    /// bound.
    #[must_use]
    pub fn about(self) -> Duration {
        let bound = BOUNDS.get(self.0).copied().unwrap_or_default();
        Duration::from_nanos(bound.saturating_mul(419) / 400)
    }

    /// How much longer the durations in this bucket are than those in another, at least.
    pub(super) fn exceeds_by(self, other: Self) -> Duration {
        let (own, others) = (BOUNDS.get(self.0), BOUNDS.get(other.0.saturating_add(1)));
        // The last bucket has no upper bound.
        let exceeded = own.zip(others).map_or(0, |(own, others)| own.saturating_sub(*others));
        Duration::from_nanos(exceeded)
    }
}

#[cfg(test)]
mod tests;
