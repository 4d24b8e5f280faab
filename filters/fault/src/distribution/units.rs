//! Shares and durations as floating-point numbers.

use std::time::Duration;

/// A share of all durations, above 0 and below 1: the middle of one of 2^52 equal parts. All operations are exact, so
/// the shares are symmetric.
pub(super) fn share(uniform: u64) -> f64 {
    const PARTS: f64 = (1u64 << 52) as f64;
    ((uniform >> 12) as f64 + 0.5) / PARTS
}

/// A duration in nanoseconds; exact up to 100 days.
pub(super) fn nanos(duration: Duration) -> f64 {
    duration.as_secs() as f64 * 1e9 + f64::from(duration.subsec_nanos())
}
