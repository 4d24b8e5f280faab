//! Functions that a host may offer beyond the ABI. A missing one is [`Status::NotFound`].

use crate::abi;
use crate::status::Status;

/// Calls a foreign function. Besides [`Status::NotFound`], the error is the function's own status.
pub fn call(name: &str, argument: &[u8]) -> Result<Vec<u8>, Status> {
    abi::call_foreign_function(name.as_bytes(), argument)
}

/// Makes Envoy (1.33 or later) select the route again.
pub fn clear_route_cache() -> Result<(), Status> {
    call("clear_route_cache", &[]).map(drop)
}
