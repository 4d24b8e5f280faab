//! A small HTTP client that sends requests as they are, and a load generator.
//!
//! - [`send`]: one request on a connection of its own;
//! - [`Connection`]: several requests on one connection;
//! - [`Load`]: many requests on many connections.
//!
//! Requests are hyper's: header values may be any bytes ([`HeaderValue::from_bytes`]), and headers may be
//! repeated. A target may be a path; the host is then the address unless the request has a `host` header.

mod connection;
mod load;
mod parts;
mod response;

use std::net::SocketAddr;

pub use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
pub use hyper::{Method, Request, StatusCode, Version};

pub use connection::{Connection, Protocol, Unanswered};
pub use load::{Load, Report, Turn, Until};
pub use parts::Parts;
pub use response::Response;

/// Sends one request on a connection of its own.
///
/// # Errors
///
/// The connection is refused or breaks, or the response takes longer than [`Connection::DEADLINE`].
pub async fn send(
    address: SocketAddr,
    protocol: Protocol,
    request: Request<impl Into<Parts>>,
) -> anyhow::Result<Response> {
    Connection::open(address, protocol).await?.send(request).await
}
