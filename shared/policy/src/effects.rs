//! Effects of a decision on a request or response, as data that the host layer carries out.

use crate::headers::{HeaderName, HeaderValue};

pub use crate::grpc::GrpcStatus;

/// A change to a header map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Sets the header to this value, replacing all others.
    Set(HeaderName, HeaderValue),
    /// Adds a value of the header.
    Add(HeaderName, HeaderValue),
    /// Removes all values of the header.
    Remove(HeaderName),
    /// Sets the request target (`:path`). Has no effect on a response.
    Target(HeaderValue),
    /// Sets the status (`:status`) of a response. The body stays as it is. Has no effect on a request or on trailers.
    ///
    /// The status is a final one with a registered class, 200 to 599 (RFC 9110, section 15); another one is refused. With 204
    /// or 304, whoever sets it also drops the body and its length: Envoy would send them, and an HTTP/1 client would take
    /// them for the next response (RFC 9112, section 6.3).
    Status(u16),
}

/// A local reply, sent by the proxy instead of the upstream's response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status. For a gRPC request Envoy replies with 200 and [`Reply::grpc_status`].
    pub status: u16,
    /// The reason for the access log's `%RESPONSE_CODE_DETAILS%`, such as `rate_limited{per-client}`. Contains no secrets
    /// and nothing that the client sent.
    pub details: String,
    /// Headers in addition to those that the proxy adds.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body. For a gRPC request it becomes `grpc-message`.
    pub body: Vec<u8>,
    /// The gRPC status, for gRPC requests.
    pub grpc_status: Option<GrpcStatus>,
}
