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

use std::net::SocketAddr;

use bytes::Bytes;
pub use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
pub use hyper::{Method, Request, StatusCode, Version};

pub use connection::Connection;
pub use load::{Load, Report, Turn, Until};
pub use parts::Parts;

/// What is spoken on a connection, without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, the connection kept.
    Http1,
    /// HTTP/2 without an upgrade ("prior knowledge").
    Http2,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The version of the answer.
    pub version: Version,
    /// The headers, repeats in their order.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// What came after the body; empty where nothing came.
    pub trailers: HeaderMap,
}

impl Response {
    /// The body, with replacement characters where it is not text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's first value, with replacement characters where it is not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        Some(String::from_utf8_lossy(self.headers.get(name)?.as_bytes()).into_owned())
    }

    /// How often a header was sent.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        self.headers.get_all(name).iter().count()
    }
}

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
