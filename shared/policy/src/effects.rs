//! What a decision may do to a request or a response, as plain data. One place, the host layer,
//! carries it out.

use crate::headers::{HeaderName, HeaderValue};

/// A change to a header map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The header has this value and no other, whatever it had.
    Set(HeaderName, HeaderValue),
    /// The header has this value too.
    Add(HeaderName, HeaderValue),
    /// The header is gone, every value of it.
    Remove(HeaderName),
    /// The request's target (`:path`) is this. Of no effect on a response.
    Target(HeaderValue),
}

/// An answer that the proxy gives in the upstream's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status. For a gRPC request Envoy answers 200 and puts [`Reply::grpc_status`] in.
    pub status: u16,
    /// Why, for the access log's `%RESPONSE_CODE_DETAILS%`: `rate_limited{per-client}`. Never a
    /// secret, never what the client sent.
    pub details: String,
    /// Headers on top of those that the proxy adds.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body; for a gRPC request it becomes `grpc-message`.
    pub body: Vec<u8>,
    /// The gRPC status, used if the request is a gRPC request.
    pub grpc_status: Option<GrpcStatus>,
}

/// The gRPC status codes that our filters answer with
/// (<https://grpc.github.io/grpc/core/md_doc_statuscodes.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum GrpcStatus {
    /// `INVALID_ARGUMENT`
    InvalidArgument = 3,
    /// `PERMISSION_DENIED`
    PermissionDenied = 7,
    /// `RESOURCE_EXHAUSTED`
    ResourceExhausted = 8,
    /// `INTERNAL`
    Internal = 13,
    /// `UNAVAILABLE`
    Unavailable = 14,
    /// `UNAUTHENTICATED`
    Unauthenticated = 16,
}
