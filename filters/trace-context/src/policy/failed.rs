//! Failures of the proxy.

/// The proxy has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failed;
