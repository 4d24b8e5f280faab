//! Trips when a variant is worse than its baseline.
