//! Calls to other services through the proxy's clusters, and the responses to them.

use crate::abi::{self, Buffer, HeaderMap};
use crate::pairs;
use crate::status::Status;
use mesh_policy::headers::{HeaderName, HeaderValue, Headers};
use std::fmt;
use std::time::Duration;

/// The host reads a timeout of zero as no timeout.
const MIN_TIMEOUT: Duration = Duration::from_millis(1);
const MAX_TIMEOUT: Duration = Duration::from_secs(3600);

/// An HTTP call.
#[derive(Clone, Debug)]
pub struct HttpCall {
    /// Name of the cluster to call. Not one of type `ORIGINAL_DST`: that can crash Envoy
    /// (<https://github.com/envoyproxy/envoy/issues/14878>).
    pub cluster: String,
    /// `:method`
    pub method: &'static str,
    /// `:authority`
    pub authority: HeaderValue,
    /// `:path`, with the query.
    pub path: HeaderValue,
    /// Headers besides the pseudo-headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The request's body.
    pub body: Vec<u8>,
    /// Time limit for the response; clamped to 1 ms to 1 h.
    pub timeout: Duration,
    /// Maximum number of bytes to read of the response's body.
    pub max_body_bytes: usize,
}

/// A unary gRPC call.
#[derive(Clone, Debug)]
pub struct GrpcCall {
    /// Name of the cluster to call.
    pub cluster: String,
    /// Full name of the service.
    pub service: String,
    /// Name of the method.
    pub method: String,
    /// The serialized request message.
    pub message: Vec<u8>,
    /// Time limit for the response; clamped to 1 ms to 1 h.
    pub timeout: Duration,
    /// Maximum size of the response message. A larger one counts as status `INTERNAL`.
    pub max_body_bytes: usize,
}

/// The response to a call.
#[derive(Clone, Debug)]
pub enum CallResponse {
    /// To an [`HttpCall`]. If the upstream did not respond, Envoy sends status 503 (no connection) or 504
    /// (timeout).
    Http(HttpResponse),
    /// To a [`GrpcCall`]: the message, or a gRPC status other than `OK`.
    Grpc(Result<Vec<u8>, u32>),
}

/// The response to an HTTP call.
#[derive(Clone, Debug)]
pub struct HttpResponse {
    /// The headers; empty if the call was reset.
    pub headers: Headers,
    /// The first [`HttpCall::max_body_bytes`] bytes of the body.
    pub body: Vec<u8>,
    /// Whether `body` is the complete body.
    pub is_complete: bool,
}

impl HttpResponse {
    /// The status; `None` if the call was reset.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        std::str::from_utf8(self.headers.first(":status")?).ok()?.parse().ok()
    }
}

/// A call over HTTP or gRPC.
#[derive(Clone, Debug)]
pub enum Call {
    /// Over HTTP.
    Http(HttpCall),
    /// Over gRPC.
    Grpc(GrpcCall),
}

/// Why a call cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The proxy has no cluster of this name, or has not finished loading it.
    NoCluster(String),
    /// Sending failed with this status.
    Failed(Status),
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCluster(cluster) => write!(formatter, "Envoy has no cluster `{cluster}`"),
            Self::Failed(status) => write!(formatter, "the request cannot be sent: {status}"),
        }
    }
}

impl std::error::Error for CallError {}

impl Call {
    /// Sends the call and returns its id.
    pub(crate) fn send(&self) -> Result<u32, CallError> {
        // The other causes of these statuses are ruled out: missing pseudo-headers, a negative timeout.
        let (sent, cluster, unknown) = match self {
            Self::Http(call) => (call.send(), &call.cluster, Status::BadArgument),
            Self::Grpc(call) => (call.send(), &call.cluster, Status::ParseFailure),
        };
        sent.map_err(|status| match status {
            status if status == unknown => CallError::NoCluster(cluster.clone()),
            status => CallError::Failed(status),
        })
    }

    pub(crate) const fn max_body_bytes(&self) -> usize {
        match self {
            Self::Http(call) => call.max_body_bytes,
            Self::Grpc(call) => call.max_body_bytes,
        }
    }
}

impl HttpCall {
    fn send(&self) -> Result<u32, Status> {
        let pseudo: [(&[u8], &[u8]); 3] = [
            (b":method", self.method.as_bytes()),
            (b":authority", self.authority.as_bytes()),
            (b":path", self.path.as_bytes()),
        ];
        let named = self.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        let all: Vec<_> = pseudo.into_iter().chain(named).collect();
        let headers = pairs::serialize(all.into_iter())?;
        abi::http_call(self.cluster.as_bytes(), &headers, &self.body, milliseconds(self.timeout))
    }
}

impl GrpcCall {
    fn send(&self) -> Result<u32, Status> {
        abi::grpc_call(
            self.cluster.as_bytes(),
            self.service.as_bytes(),
            self.method.as_bytes(),
            &self.message,
            milliseconds(self.timeout),
        )
    }
}

/// Reads the response that the current callback reports.
pub(crate) fn http_response(body_size: usize, max_body_bytes: usize) -> CallResponse {
    let headers = abi::map(HeaderMap::HttpCallResponse).ok().and_then(|map| Headers::parse(map).ok());
    let body = match body_size.min(max_body_bytes) {
        0 => Ok(Vec::new()),
        length => abi::buffer(Buffer::HttpCallResponseBody, 0, length),
    };
    CallResponse::Http(HttpResponse {
        headers: headers.unwrap_or_default(),
        is_complete: body.is_ok() && body_size <= max_body_bytes,
        body: body.unwrap_or_default(),
    })
}

/// Reads the message that the current callback reports. One that is too large or cannot be read counts as
/// status `INTERNAL`.
pub(crate) fn grpc_message(size: usize, max_body_bytes: usize) -> CallResponse {
    const INTERNAL: u32 = 13;
    CallResponse::Grpc(match size {
        0 => Ok(Vec::new()),
        size if size > max_body_bytes => Err(INTERNAL),
        size => abi::buffer(Buffer::GrpcReceive, 0, size).map_err(|_| INTERNAL),
    })
}

fn milliseconds(timeout: Duration) -> u32 {
    let clamped = timeout.clamp(MIN_TIMEOUT, MAX_TIMEOUT);
    u32::try_from(clamped.as_millis()).unwrap_or(u32::MAX >> 1)
}
