//! A small HTTP client that says exactly what it is told, and a load generator on top of it.
//!
//! - [`send`]: one request, one answer;
//! - [`Connection`]: several on one connection;
//! - [`Load`]: as many as go, on many connections.
//!
//! Requests are those of hyper, with bytes as headers ([`HeaderValue::from_bytes`]) and repeats where
//! they are wanted. A target like `/path` is enough: the host is the address unless the request says it.

mod connection;
mod load;
mod parts;
mod response;

use std::net::SocketAddr;

pub use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
pub use hyper::{Method, Request, StatusCode, Version};

pub use connection::{Connection, Protocol};
pub use load::{Load, Report, Turn, Until};
pub use parts::Parts;
pub use response::Response;

/// Sends one request on a connection of its own.
///
/// # Errors
///
/// Nobody listens, the connection breaks, or the answer takes longer than [`Connection::DEADLINE`].
pub async fn send(
    address: SocketAddr,
    protocol: Protocol,
    request: Request<impl Into<Parts>>,
) -> anyhow::Result<Response> {
    Connection::open(address, protocol).await?.send(request).await
}
