//! Functions that a host may have beyond the ABI. Their absence is [`Status::NotFound`].

use crate::abi;
use crate::status::Status;

/// Calls a foreign function.
///
/// # Errors
/// [`Status::NotFound`] if the host has no such function, and the function's own status.
pub fn call(name: &str, argument: &[u8]) -> Result<Vec<u8>, Status> {
    abi::call_foreign_function(name.as_bytes(), argument)
}

/// Has Envoy (1.33 and later) choose the route anew, after what it chooses by has changed.
///
/// # Errors
/// As [`call`].
pub fn clear_route_cache() -> Result<(), Status> {
    call("clear_route_cache", &[]).map(drop)
}
