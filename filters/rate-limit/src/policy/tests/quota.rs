//! The model of a quota.

/// `tokens` per `per` nanoseconds, and a burst.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota {
    pub(super) tokens: u128,
    pub(super) per: u128,
    pub(super) burst: u128,
}

impl Quota {
    /// Whether `tokens` in a window of `nanos` exceed the quota.
    pub(super) fn is_exceeded(self, tokens: u128, nanos: u64) -> bool {
        tokens * self.per > self.burst * self.per + self.tokens * u128::from(nanos)
    }

    /// Time to fill an empty bucket, in nanoseconds.
    pub(super) fn window(self) -> u64 {
        u64::try_from((self.burst * self.per).div_ceil(self.tokens)).unwrap()
    }

    /// The larger or smaller rate and burst of two quotas with the same `per`.
    pub(super) fn pick(self, other: Self, pick: fn(u128, u128) -> u128) -> Self {
        assert_eq!(self.per, other.per);
        Self { tokens: pick(self.tokens, other.tokens), burst: pick(self.burst, other.burst), per: self.per }
    }
}
