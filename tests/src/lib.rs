//! What the tests in a real Envoy have in common: gateways with filters in them, an upstream that
//! says what it got, tokens and the server of their keys, and waiting for conditions.

mod gateway;
mod key_server;
pub mod keys;
mod raw;
pub mod token;
mod upstream;
mod wait;

pub use gateway::{Gateway, Plugin, Setup};
pub use key_server::{Behaviour, KeyServer};
pub use keys::{Algorithm, Key, key_set};
pub use raw::{chunked, header_map};
pub use token::Token;
pub use upstream::Upstream;
pub use wait::eventually;

use bytes::Bytes;
use mesh_filters::http::Request;
use std::io::Write as _;

/// Shows a measured figure. Past the test runner, which keeps what a test that passes prints to itself.
pub fn show(figure: &str) {
    // A test does not fail because nobody listens.
    let _ = writeln!(std::io::stderr(), "{figure}");
}

/// A GET request with these headers.
///
/// # Panics
/// If a header is not one.
#[must_use]
pub fn get(path: &str, headers: &[(&str, &str)]) -> Request<Bytes> {
    let builder =
        headers.iter().fold(Request::get(path), |builder, (name, value)| builder.header(*name, *value));
    builder.body(Bytes::new()).unwrap()
}
