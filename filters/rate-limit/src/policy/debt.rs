//! What a bucket owes beyond its level after configs with different quotas have charged it.
//!
//! A config that takes over a bucket clips what the bucket owes to its own burst, or clients would wait for tokens that
//! the bucket cannot hold. The clipped amount is kept as a debt, a second level that every charge adds to. The next
//! config that takes over the bucket starts from the debt. So clipping gains a client nothing, in whatever order
//! configs charge.
//!
//! A debt refills at the fastest rate of the configs that charged it. So it never exceeds the largest of their bursts,
//! and ends no later than the slowest of their buckets would be full. A debt that does not exceed the level is
//! dropped, so a bucket that only one config charges has none.

use super::bucket::{Level, Quota, Rate, Read};
use mesh_policy::time::Nanos;

/// The unclipped level of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Debt(Level);

/// Size of a debt in a record; all bytes are zero if there is none.
pub(crate) const DEBT_BYTES: usize = 32;

impl Debt {
    /// The debt of a bucket when a config with this rate takes it over.
    pub(crate) fn taken_over(level: &Level, debt: Option<&Self>, rate: Rate, now: Nanos) -> Self {
        let rate = debt.map_or(level.rate, |debt| debt.0.rate.faster(level.rate)).faster(rate);
        let owed = level.units(rate, now).max(debt.map_or(0, |debt| debt.0.units(rate, now)));
        Self(Level { full_at: rate.at(now).saturating_add(owed), rate })
    }

    /// What the bucket owes when a config with this quota takes it over.
    pub(crate) fn owed(&self, quota: &Quota, now: Nanos) -> Read {
        self.0.owed(quota, now)
    }

    /// The debt after `cost` more tokens were taken.
    pub(crate) fn charged(self, cost: u64, now: Nanos) -> Self {
        let Self(Level { full_at, rate }) = self;
        Self(Level { full_at: full_at.max(rate.at(now)).saturating_add(rate.units(cost)), rate })
    }

    /// The debt after `units` of `rate` were given back, rounded to the client's disadvantage.
    pub(crate) fn after_giving_back(self, units: u128, rate: Rate) -> Self {
        let Self(level) = self;
        Self(Level { full_at: level.full_at.saturating_sub(rate.convert(units, level.rate)), ..level })
    }

    /// The debt, if it exceeds the level.
    pub(crate) fn above(self, level: &Level, now: Nanos) -> Option<Self> {
        let owed = level.units(level.rate, now);
        (self.0.units(level.rate, now) > owed).then_some(self)
    }

    pub(crate) fn is_paid(&self, now: Nanos) -> bool {
        self.0.is_full(now)
    }

    pub(crate) fn parse(bytes: &[u8; DEBT_BYTES]) -> Option<Self> {
        let ([full_at, terms], _) = bytes.as_chunks::<16>() else { return None };
        let terms = u128::from_le_bytes(*terms);
        let rate = Rate::from_terms(terms as u64, (terms >> 64) as u64)?;
        Some(Self(Level { full_at: u128::from_le_bytes(*full_at), rate }))
    }

    pub(crate) fn to_bytes(self) -> [u8; DEBT_BYTES] {
        let (tokens, nanos) = self.0.rate.terms();
        let terms = u128::from(tokens) | u128::from(nanos) << 64;
        let mut bytes = [0; DEBT_BYTES];
        let parts = [self.0.full_at, terms];
        for (chunk, part) in bytes.as_chunks_mut().0.iter_mut().zip(parts) {
            *chunk = part.to_le_bytes();
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::num::NonZeroU64;
    use std::time::Duration;

    fn quota(rate: u64, per: u64, burst: u64) -> Quota {
        let rate = Rate::new(NonZeroU64::new(rate).unwrap(), Duration::from_nanos(per)).unwrap();
        Quota { rate, burst: NonZeroU64::new(burst).unwrap() }
    }

    #[test]
    fn what_is_clipped_stays_owed() {
        let (large, small) = (quota(1, 1000, 8), quota(1, 1000, 2));
        let now = Nanos(5000);
        let level = Level::new(&large, large.take(Default::default(), 8).unwrap(), now);
        let debt = Debt::taken_over(&level, None, small.rate, now);
        let clipped = debt.owed(&small, now);
        assert!(clipped.clipped);
        let level = Level::new(&small, clipped.owed, now);
        let debt = debt.above(&level, now).unwrap();
        // The small bucket is full at 7000, the large one at 13000.
        assert!(level.is_full(Nanos(7000)) && !debt.is_paid(Nanos(12_999)) && debt.is_paid(Nanos(13_000)));
        assert_eq!(debt.owed(&large, Nanos(7000)).owed, large.take(Default::default(), 6).unwrap());
        assert_eq!(
            debt.charged(1, now).owed(&large, Nanos(8000)).owed,
            large.take(Default::default(), 6).unwrap()
        );
    }

    #[test]
    fn a_debt_that_is_not_above_the_level_is_dropped() {
        let (fast, slow) = (quota(10, 1000, 8), quota(1, 1000, 8));
        let now = Nanos(5000);
        let level = Level::new(&slow, slow.take(Default::default(), 3).unwrap(), now);
        let debt = Debt::taken_over(&level, None, fast.rate, now);
        assert_eq!(debt.above(&level, now), None);
        assert_eq!(debt.charged(1, now).above(&level, now), Some(debt.charged(1, now)));
        assert_eq!(debt.charged(1, now).above(&level, Nanos(5200)), None);
    }

    proptest! {
        #[test]
        fn bytes_read_back(full_at: u128, tokens in 1u64.., nanos in 1u64..) {
            let debt = Debt(Level { full_at, rate: Rate::from_terms(tokens, nanos).unwrap() });
            prop_assert_eq!(Debt::parse(&debt.to_bytes()), Some(debt));
        }

        /// Arithmetic does not overflow for arbitrary bytes in a record.
        #[test]
        fn arbitrary_bytes_are_a_debt_or_none(bytes: [[u8; 16]; 2], now: u64, cost: u64, units: u128) {
            let mut record = [0; DEBT_BYTES];
            record.as_chunks_mut().0.copy_from_slice(&bytes);
            if let Some(debt) = Debt::parse(&record) {
                let quota = quota(3, 7, 5);
                let level = Level::new(&quota, debt.owed(&quota, Nanos(now)).owed, Nanos(now));
                let debt = Debt::taken_over(&level, Some(&debt), quota.rate, Nanos(now));
                let debt = debt.charged(cost, Nanos(now)).after_giving_back(units, quota.rate);
                debt.above(&level, Nanos(now));
            }
        }
    }
}
