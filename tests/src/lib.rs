//! Common parts of the tests with a real Envoy: gateways with filters, an upstream that reports requests, tokens and key
//! servers, and waiting for conditions.

mod gateway;
mod key_server;
pub mod keys;
mod raw;
pub mod token;
mod upstream;
mod versions;
mod wait;

pub use gateway::{Gateway, Plugin, Setup};
pub use key_server::{Behaviour, KeyServer};
pub use keys::{Algorithm, Key, key_set};
pub use raw::{chunked, header_map};
pub use token::Token;
pub use upstream::Upstream;
pub use versions::Versions;
pub use wait::eventually;

use bytes::Bytes;
use mesh_filters::http::Request;
use std::io::Write as _;

/// Prints a measured figure, bypassing the test runner, which hides the output of tests that pass.
pub fn show(figure: &str) {
    // A closed stderr does not fail the test.
    let _ = writeln!(std::io::stderr(), "{figure}");
}

/// A GET request with these headers.
///
/// # Panics
/// If a header is invalid.
#[must_use]
pub fn get(path: &str, headers: &[(&str, &str)]) -> Request<Bytes> {
    let builder =
        headers.iter().fold(Request::get(path), |builder, (name, value)| builder.header(*name, *value));
    builder.body(Bytes::new()).unwrap()
}
