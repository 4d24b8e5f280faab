//! Attributes of the proxy and of the stream in effect, and filter state.
//!
//! The attributes: <https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes>.

use crate::abi;
use crate::status::{Status, found};

/// Reads an attribute by the parts of its name: `["source", "address"]`. `None` if there is none,
/// which is also the answer to a name in the wrong phase.
///
/// # Errors
/// The host's status.
pub fn get<S: AsRef<str>>(path: &[S]) -> Result<Option<Vec<u8>>, Status> {
    let mut joined = Vec::with_capacity(32);
    for (index, part) in path.iter().enumerate() {
        if index > 0 {
            joined.push(0);
        }
        joined.extend_from_slice(part.as_ref().as_bytes());
    }
    found(abi::property(&joined))
}

/// Writes filter state `wasm.<key>`, for the access log, for routes and for the filters behind.
///
/// # Errors
/// [`Status::NotFound`] without a stream.
pub fn set_filter_state(key: &str, value: &[u8]) -> Result<(), Status> {
    abi::set_property(key.as_bytes(), value)
}
