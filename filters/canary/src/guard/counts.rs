//! Outcomes of requests, and their counts.

use super::bytes::Reader;
use super::histogram::{Bucket, Histogram, Sum};
use mesh_policy::time::Nanos;
use std::time::Duration;

/// The two variants that a guard compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arm {
    /// The variant that the guard watches.
    Variant,
    /// The variant that it is compared with.
    Baseline,
}

/// The outcome of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outcome {
    /// The variant that got the request.
    pub arm: Arm,
    /// When the request began.
    pub began: Nanos,
    /// The time from then to the response headers; without a response, to the end of the stream.
    pub took: Duration,
    /// When it became known. The trailers of a gRPC response may come long after its headers.
    pub known_at: Nanos,
    /// Whether it counts as an error.
    pub is_error: bool,
}

/// Counts of the outcomes of one arm. The number of requests is that of the durations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) errors: u32,
    pub(super) took: Histogram,
}

impl Counts {
    const EMPTY: Self = Self { errors: 0, took: Histogram::EMPTY };

    fn count(&mut self, outcome: &Outcome) {
        self.errors = self.errors.saturating_add(outcome.is_error.into());
        self.took.count(outcome.took);
    }

    fn add(&mut self, other: &Self) {
        self.errors = self.errors.saturating_add(other.errors);
        self.took.add(&other.took);
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.errors.to_le_bytes());
        self.took.write(bytes);
    }

    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        let counts = Self { errors: bytes.u32()?, took: Histogram::read(bytes)? };
        (u64::from(counts.errors) <= counts.took.total()).then_some(counts)
    }
}

/// A value for each arm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Both<T> {
    pub(super) variant: T,
    pub(super) baseline: T,
}

impl<T> Both<T> {
    const fn of(&mut self, arm: Arm) -> &mut T {
        match arm {
            Arm::Variant => &mut self.variant,
            Arm::Baseline => &mut self.baseline,
        }
    }
}

impl Both<Counts> {
    pub(super) const EMPTY: Self = Self { variant: Counts::EMPTY, baseline: Counts::EMPTY };

    pub(super) fn count(&mut self, outcome: &Outcome) {
        self.of(outcome.arm).count(outcome);
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.variant.add(&other.variant);
        self.baseline.add(&other.baseline);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.variant.took.is_empty() && self.baseline.took.is_empty()
    }

    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        self.variant.write(bytes);
        self.baseline.write(bytes);
    }

    /// `None` if these bytes are not counts.
    pub(super) fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        Some(Self { variant: Counts::read(bytes)?, baseline: Counts::read(bytes)? })
    }
}

/// What is judged of one arm, and reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Number of requests.
    pub requests: u64,
    /// Number of errors.
    pub errors: u64,
    /// The 95th percentile of the time to response headers; `None` without requests.
    pub p95: Option<Bucket>,
}

impl Figures {
    /// The figures of the sum of these counts.
    pub(super) fn of<'a>(counts: impl Iterator<Item = &'a Counts>) -> Self {
        let (mut errors, mut took) = (0_u64, Sum::EMPTY);
        for counts in counts {
            errors = errors.saturating_add(u64::from(counts.errors));
            took.add(&counts.took);
        }
        Self { requests: took.total(), errors, p95: took.p95() }
    }
}
