//! The result of a check.

/// Accepted, or the reason for the refusal.
pub(crate) type Verdict = Result<(), String>;
