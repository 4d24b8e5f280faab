//! The level of a token bucket that refills continuously, in the units of [`crate::quota`].
//!
//! The level is stored as the instant at which the bucket will be full again, so refilling needs no write.

pub(crate) use crate::quota::{Owed, Quota, Rate};
use mesh_policy::time::Nanos;

/// A bucket's stored state: the instant at which the bucket is full, in units of the stored rate. The rate is stored
/// because a reader may have another one, as while an old config drains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) full_at: u128,
    pub(crate) rate: Rate,
}

impl Level {
    pub(crate) fn new(quota: &Quota, owed: Owed, now: Nanos) -> Self {
        Self { full_at: quota.rate.at(now).saturating_add(owed.0), rate: quota.rate }
    }

    /// Whether the bucket is full. A full bucket can be forgotten, as a new one is full, too.
    pub(crate) fn is_full(&self, now: Nanos) -> bool {
        self.full_at <= self.rate.at(now)
    }

    /// What the bucket owes, in the units of `quota`.
    ///
    /// Tokens owed under another rate stay owed. The result is rounded up, and clipped to the capacity.
    pub(crate) fn owed(&self, quota: &Quota, now: Nanos) -> Read {
        Read::clipped(quota, self.units(quota.rate, now))
    }

    /// What is owed, in units of `rate`, rounded up.
    pub(crate) fn units(&self, rate: Rate, now: Nanos) -> u128 {
        let owed = self.full_at.saturating_sub(self.rate.at(now));
        if self.rate == rate { owed } else { self.rate.convert_up(owed, rate) }
    }

    /// `full_at` after tokens are given back whose charge resulted in `charged`.
    ///
    /// What has been refilled since the charge is not given back, as a full bucket would not have been refilled without
    /// the charge. So giving back gains a client nothing, and loses at most what is refilled in between; concurrent
    /// returns can gain as much. Under another rate nothing is given back.
    pub(crate) fn after_giving_back(&self, cost: u64, charged: &Self, now: Nanos) -> u128 {
        let not_refilled = charged.full_at.saturating_sub(charged.rate.at(now));
        if self.rate == charged.rate {
            self.full_at.saturating_sub(self.rate.units(cost).min(not_refilled))
        } else {
            self.full_at
        }
    }
}

/// What a bucket owes according to a stored level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) owed: Owed,
    /// Whether the level exceeded the capacity. The clipped level must then be written back, or the client would wait for
    /// tokens that the bucket cannot hold.
    pub(crate) clipped: bool,
}

impl Read {
    pub(crate) fn clipped(quota: &Quota, owed: u128) -> Self {
        let capacity = quota.capacity();
        Self { owed: Owed(owed.min(capacity)), clipped: owed > capacity }
    }
}

/// The level of a set's overflow: the instant at which it is full, in nanoseconds, as buckets of all rates share it.
/// Each bucket converts the time with its own rate, so a fast rate cannot refill what a slow bucket has taken. Rounded
/// up, to the client's disadvantage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OverflowLevel(pub(crate) u64);

impl OverflowLevel {
    pub(crate) fn new(quota: &Quota, owed: Owed, now: Nanos) -> Self {
        Self(now.after(quota.until_full(owed)).0)
    }

    /// What the overflow owes, in units of `quota`. It may exceed the capacity if a slower limit was charged.
    pub(crate) fn owed(self, quota: &Quota, now: Nanos) -> Owed {
        Owed(quota.rate.at(Nanos(self.0.saturating_sub(now.0))))
    }

    /// What a new bucket owes: as much as the overflow, as its client may have been charged there, clipped to the
    /// capacity.
    pub(crate) fn as_start(self, quota: &Quota, now: Nanos) -> Read {
        Read::clipped(quota, self.owed(quota, now).0)
    }

    /// The level after tokens are given back, like [`Level::after_giving_back`].
    pub(crate) fn after_giving_back(self, quota: &Quota, cost: u64, charged: Self, now: Nanos) -> Self {
        let not_refilled = charged.0.saturating_sub(now.0);
        // Rounded down, as the charge was rounded up.
        let nanos = quota.rate.units(cost) / u128::from(quota.rate.terms().0);
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX).min(not_refilled);
        Self(self.0.saturating_sub(nanos))
    }
}

#[cfg(test)]
mod tests;
