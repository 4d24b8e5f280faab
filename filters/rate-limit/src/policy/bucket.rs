//! The arithmetic of a token bucket that refills continuously, in integers that lose nothing.
//!
//! A rate of R tokens in P nanoseconds is kept in lowest terms, and tokens are counted in **units**
//! of 1/P token. Then a nanosecond refills exactly R units and a token is exactly P units, at any
//! rate: 700 000/s, a token every 1428.57 ns, is 7 units a nanosecond and 10 000 units a token.
//!
//! A bucket is described by what it **owes**: the units missing from full. Owing nothing, it is
//! full; owing its capacity (burst × P), it is empty. A [`Level`] says it as an instant, the one at
//! which the bucket will be full again, so time that passes needs no writing.

use mesh_policy::time::Nanos;
use std::num::NonZeroU64;
use std::time::Duration;

/// Tokens over time, in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    tokens: NonZeroU64,
    nanos: NonZeroU64,
}

impl Rate {
    /// So many tokens in so much time; `None` if the time is zero or beyond 584 years.
    #[must_use]
    pub fn new(tokens: NonZeroU64, per: Duration) -> Option<Self> {
        let nanos = NonZeroU64::new(u64::try_from(per.as_nanos()).ok()?)?;
        let divisor = greatest_common_divisor(tokens, nanos);
        Some(Self {
            tokens: NonZeroU64::new(tokens.get() / divisor)?,
            nanos: NonZeroU64::new(nanos.get() / divisor)?,
        })
    }

    /// A rate that was written down as its two terms.
    pub(crate) fn from_terms(tokens: u64, nanos: u64) -> Option<Self> {
        Some(Self { tokens: NonZeroU64::new(tokens)?, nanos: NonZeroU64::new(nanos)? })
    }

    /// Tokens and nanoseconds, to write down.
    pub(crate) const fn terms(self) -> (u64, u64) {
        (self.tokens.get(), self.nanos.get())
    }

    /// The one that refills faster.
    pub(crate) fn faster(self, other: Self) -> Self {
        let product = |rate: Self, other: Self| u128::from(rate.tokens.get()) * u128::from(other.nanos.get());
        if product(other, self) > product(self, other) { other } else { self }
    }

    /// The unit of tokens at this instant: nanoseconds × R.
    pub(crate) fn at(self, instant: Nanos) -> u128 {
        u128::from(instant.0) * u128::from(self.tokens.get())
    }

    pub(crate) fn units(self, tokens: u64) -> u128 {
        u128::from(tokens) * u128::from(self.nanos.get())
    }

    /// Units of this rate as units of another, rounded down.
    pub(crate) fn convert(self, units: u128, to: Self) -> u128 {
        let (from, to) = (u128::from(self.nanos.get()), u128::from(to.nanos.get()));
        // In two parts, since the product of both would not fit.
        (units / from).saturating_mul(to).saturating_add(units % from * to / from)
    }

    fn convert_up(self, units: u128, to: Self) -> u128 {
        let (from, to) = (u128::from(self.nanos.get()), u128::from(to.nanos.get()));
        (units / from).saturating_mul(to).saturating_add((units % from * to).div_ceil(from))
    }

    /// How long units take to refill, rounded up.
    fn refill(self, units: u128) -> Duration {
        let tokens = self.tokens.get();
        // Usual quotas stay within 64 bits, where a division is an instruction rather than a loop.
        let nanos = match u64::try_from(units) {
            Ok(units) => units.div_ceil(tokens),
            Err(_) => u64::try_from(units.div_ceil(tokens.into())).unwrap_or(u64::MAX),
        };
        Duration::from_nanos(nanos)
    }
}

fn greatest_common_divisor(a: NonZeroU64, b: NonZeroU64) -> NonZeroU64 {
    match NonZeroU64::new(a.get() % b) {
        Some(rest) => greatest_common_divisor(b, rest),
        None => b,
    }
}

/// A bucket's rate and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How fast it refills.
    pub rate: Rate,
    /// How many tokens it holds.
    pub burst: NonZeroU64,
}

impl Quota {
    fn capacity(&self) -> u128 {
        self.rate.units(self.burst.get())
    }

    /// Takes `cost` tokens from a bucket that owes `owed`.
    pub(crate) fn take(&self, owed: Owed, cost: u64) -> Result<Owed, Short> {
        let after = owed.0.saturating_add(self.rate.units(cost));
        match after.checked_sub(self.capacity()) {
            None | Some(0) => Ok(Owed(after)),
            Some(missing) => Err(Short { wait: self.rate.refill(missing) }),
        }
    }

    /// Whole tokens in a bucket.
    pub(crate) fn remaining(&self, owed: Owed) -> u64 {
        let units = self.capacity().saturating_sub(owed.0);
        let token = self.rate.nanos.get();
        match u64::try_from(units) {
            Ok(units) => units / token,
            Err(_) => u64::try_from(units / u128::from(token)).unwrap_or(u64::MAX),
        }
    }

    /// The share of the bucket that is left, from 0 to 1; to compare buckets, not to decide.
    #[allow(clippy::cast_precision_loss, reason = "a comparison for the eye of a client")]
    pub(crate) fn remaining_share(&self, owed: Owed) -> f64 {
        self.capacity().saturating_sub(owed.0) as f64 / self.capacity() as f64
    }

    /// How long until a bucket is full.
    pub(crate) fn until_full(&self, owed: Owed) -> Duration {
        self.rate.refill(owed.0)
    }

    /// How long an empty bucket takes to fill.
    pub(crate) fn window(&self) -> Duration {
        self.rate.refill(self.capacity())
    }
}

/// What a bucket owes, in units of its own rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owed(u128);

/// There are not enough tokens; there will be after `wait`, if nobody else takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Short {
    pub(crate) wait: Duration,
}

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
        let nanos = quota.rate.units(cost) / u128::from(quota.rate.tokens.get());
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX).min(not_refilled);
        Self(self.0.saturating_sub(nanos))
    }
}

#[cfg(test)]
mod tests;
