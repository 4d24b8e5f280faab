//! Slows down a body to a mean rate.

use mesh_policy::time::Nanos;
use std::time::Duration;

/// A body that is slowed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    bytes_per_second: u32,
    /// Number of bytes so far.
    bytes: u64,
    /// When the headers were sent on.
    since: Nanos,
}

impl Throttle {
    /// `bytes_per_second`: at least 1.
    #[must_use]
    pub const fn new(bytes_per_second: u32) -> Self {
        Self { bytes_per_second, bytes: 0, since: Nanos(0) }
    }

    /// The headers were sent on.
    pub const fn start(&mut self, now: Nanos) {
        self.since = now;
    }

    /// A part of the body has come. Returns when it may be sent on, with everything before it.
    pub fn pass(&mut self, bytes: usize) -> Nanos {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.due()
    }

    /// When everything so far may have been sent on.
    #[must_use]
    pub fn due(&self) -> Nanos {
        let rate = u128::from(self.bytes_per_second.max(1));
        let nanoseconds = (u128::from(self.bytes) * 1_000_000_000).div_ceil(rate);
        self.since.after(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests;
