//! The proxy's clocks.

use crate::abi;
use crate::status::Status;
use mesh_policy::time::Nanos;
use std::time::Duration;

/// The monotonic clock, for rates and delays. One clock for all workers.
///
/// # Errors
/// The host's status.
pub fn monotonic() -> Result<Nanos, Status> {
    abi::monotonic().map(Nanos)
}

/// Time since 1970, for what others dated: `exp`, schedules. It can be set back.
///
/// # Errors
/// The host's status.
pub fn since_epoch() -> Result<Duration, Status> {
    abi::wall().map(Duration::from_nanos)
}
