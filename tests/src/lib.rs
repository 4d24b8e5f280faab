//! Common parts of the tests with a real Envoy: gateways with filters, an upstream that reports requests, an
//! application that makes calls, a tracing backend that reports spans, tokens and key servers, and waiting for conditions.

mod application;
mod collector;
mod form;
mod gateway;
mod key_server;
pub mod keys;
mod raw;
mod server;
mod sidecar;
mod timed;
pub mod token;
mod upstream;
mod versions;
mod wait;

pub use application::Application;
pub use collector::{Collector, Span};
pub use form::Form;
pub use gateway::{Gateway, Plugin, Setup, assert_no_trap};
pub use key_server::{Behaviour, KeyServer};
pub use keys::{Algorithm, Key, key_set};
pub use raw::{chunked, header_map};
pub use server::Server;
pub use sidecar::Sidecar;
pub use timed::{Timed, measure, percentile, timed};
pub use token::Token;
pub use upstream::{Upstream, numbered};
pub use versions::Versions;
pub use wait::{eventually, unspoilt};

use bytes::Bytes;
use mesh_filters::http::Request;
use serde_json::Value;
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

/// The object with the fields of `extra`, which replace its own.
///
/// # Panics
/// If one of them is no object.
#[must_use]
pub fn with(mut object: Value, extra: Value) -> Value {
    let Value::Object(extra) = extra else { panic!("{extra}") };
    object.as_object_mut().unwrap().extend(extra);
    object
}

/// The values of a header or trailer in every spelling, as the upstream reports them, each with the name.
#[must_use]
pub fn received(text: &str, name: &str) -> Vec<(String, String)> {
    let plain =
        |name: &str| name.to_ascii_lowercase().replace(|char: char| !char.is_ascii_alphanumeric(), "_");
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    let found = lines.filter(|(found, _)| plain(found) == plain(name));
    found.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
