//! Attributes of the proxy and of the effective stream, and filter state.
//!
//! The attributes: <https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes>.

use crate::abi;
use crate::status::{Status, optional};

/// Reads an attribute by its path, such as `["source", "address"]`. `None` if it has no value, also where
/// the attribute is not available in this phase.
pub fn get<S: AsRef<str>>(path: &[S]) -> Result<Option<Vec<u8>>, Status> {
    let mut joined = Vec::with_capacity(32);
    for (index, part) in path.iter().enumerate() {
        if index > 0 {
            joined.push(0);
        }
        joined.extend_from_slice(part.as_ref().as_bytes());
    }
    optional(abi::property(&joined))
}

/// Writes filter state `wasm.<key>`, which access logs, routes and later filters can read. Fails with
/// [`Status::NotFound`] if no stream is in effect.
pub fn set_filter_state(key: &str, value: &[u8]) -> Result<(), Status> {
    abi::set_property(key.as_bytes(), value)
}
