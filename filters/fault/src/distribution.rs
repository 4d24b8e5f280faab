//! Random durations.
