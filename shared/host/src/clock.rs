//! The proxy's clocks.

use crate::abi;
use crate::status::Status;
use mesh_policy::time::Nanos;
use std::time::Duration;

/// The monotonic clock, for rates and delays. All workers of a proxy read the same clock.
pub fn monotonic() -> Result<Nanos, Status> {
    abi::monotonic().map(Nanos)
}

/// Time since 1970, for dates set by others, such as `exp`. It can be set back.
pub fn since_epoch() -> Result<Duration, Status> {
    abi::wall().map(Duration::from_nanos)
}
