//! The level of a token bucket that refills continuously, in the units of [`crate::quota`].
//!
//! What a bucket owes is written down as an instant, the one at which the bucket will be full again, so time
//! that passes needs no writing.

pub(crate) use crate::quota::{Owed, Quota, Rate};
use mesh_policy::time::Nanos;

/// A bucket's state as it is written down: the instant at which it is full, in units of the rate
/// that stands beside it. The rate is written down too, because a reader may have another one: the
/// old config while the new one already writes, or the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) full_at: u128,
    pub(crate) rate: Rate,
}

impl Level {
    pub(crate) fn new(quota: &Quota, owed: Owed, now: Nanos) -> Self {
        Self { full_at: quota.rate.at(now).saturating_add(owed.0), rate: quota.rate }
    }

    /// A full bucket can be forgotten: a new one is full as well.
    pub(crate) fn is_full(&self, now: Nanos) -> bool {
        self.full_at <= self.rate.at(now)
    }

    /// What the bucket owes, in the units of `quota`.
    ///
    /// Tokens owed under another rate stay owed, rounded up, and never more than the bucket holds.
    pub(crate) fn owed(&self, quota: &Quota, now: Nanos) -> Read {
        Read::clipped(quota, self.units(quota.rate, now))
    }

    /// What is owed, in units of `rate`, rounded up.
    pub(crate) fn units(&self, rate: Rate, now: Nanos) -> u128 {
        let owed = self.full_at.saturating_sub(self.rate.at(now));
        if self.rate == rate { owed } else { self.rate.convert_up(owed, rate) }
    }

    /// When the bucket is full after tokens are put back that were charged when it came to `charged`.
    ///
    /// What has refilled since then is not put back: had they not been taken, a bucket that was full
    /// would not have refilled. So one return gains nobody anything, and loses nobody more than
    /// what refills between the charge and this; returns that cross each other can gain as much. Under another rate nothing is put back.
    pub(crate) fn after_giving_back(&self, cost: u64, charged: &Self, now: Nanos) -> u128 {
        let not_refilled = charged.full_at.saturating_sub(charged.rate.at(now));
        if self.rate == charged.rate {
            self.full_at.saturating_sub(self.rate.units(cost).min(not_refilled))
        } else {
            self.full_at
        }
    }
}

/// What was read from a level that somebody wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) owed: Owed,
    /// The level said more than the bucket holds. The reader writes down what it made of it, or the
    /// client would wait for tokens that its bucket cannot hold.
    pub(crate) clipped: bool,
}

impl Read {
    pub(crate) fn clipped(quota: &Quota, owed: u128) -> Self {
        let capacity = quota.capacity();
        Self { owed: Owed(owed.min(capacity)), clipped: owed > capacity }
    }
}

/// The overflow's level: the instant at which it is full, in whole nanoseconds, because buckets of
/// every rate meet in it. Each reads the time as tokens of its own rate, so what a slow bucket has
/// taken can't be refilled by a fast one. Rounded up, against the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OverflowLevel(pub(crate) u64);

impl OverflowLevel {
    pub(crate) fn new(quota: &Quota, owed: Owed, now: Nanos) -> Self {
        Self(now.after(quota.until_full(owed)).0)
    }

    /// What the overflow owes, in units of `quota`: more than a bucket holds, where a slower limit
    /// has taken much.
    pub(crate) fn owed(self, quota: &Quota, now: Nanos) -> Owed {
        Owed(quota.rate.at(Nanos(self.0.saturating_sub(now.0))))
    }

    /// What a bucket owes that begins now: as much as the overflow, since its client may have been
    /// served there, and at the most all it holds.
    pub(crate) fn as_start(self, quota: &Quota, now: Nanos) -> Read {
        Read::clipped(quota, self.owed(quota, now).0)
    }

    /// As [`Level::after_giving_back`].
    pub(crate) fn after_giving_back(self, quota: &Quota, cost: u64, charged: Self, now: Nanos) -> Self {
        let not_refilled = charged.0.saturating_sub(now.0);
        // Rounded down, where the charge was rounded up.
        let nanos = quota.rate.units(cost) / u128::from(quota.rate.terms().0);
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX).min(not_refilled);
        Self(self.0.saturating_sub(nanos))
    }
}

#[cfg(test)]
mod tests;
