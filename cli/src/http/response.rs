//! An answer that has come in full.

use bytes::Bytes;
use hyper::{HeaderMap, StatusCode, Version};

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
