//! A complete response.

use bytes::Bytes;
use hyper::{HeaderMap, StatusCode, Version};

/// A complete response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The HTTP version.
    pub version: Version,
    /// The headers; repeated ones in their order.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The trailers; empty if there are none.
    pub trailers: HeaderMap,
}

impl Response {
    /// The body as text, with replacement characters for what is not UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's first value as text, with replacement characters for what is not UTF-8.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        Some(String::from_utf8_lossy(self.headers.get(name)?.as_bytes()).into_owned())
    }

    /// The number of values of a header.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        self.headers.get_all(name).iter().count()
    }
}
