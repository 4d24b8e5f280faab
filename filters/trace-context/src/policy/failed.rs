//! Failures of the proxy.

/// The proxy has failed, and the request passes untouched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failed;
