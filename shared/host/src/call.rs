//! Calls to other services through the proxy's clusters, and their answers.

use crate::abi;
use crate::pairs;
use crate::status::Status;
use mesh_policy::headers::{HeaderName, HeaderValue, Headers};
use std::time::Duration;

const HTTP_CALL_RESPONSE_HEADERS: u32 = 6;
const HTTP_CALL_RESPONSE_BODY: u32 = 4;
const GRPC_RECEIVE_BUFFER: u32 = 5;

/// The longest a call may take. The host reads a timeout of zero as for ever.
const LONGEST: Duration = Duration::from_secs(3600);

/// An HTTP call.
#[derive(Clone, Debug)]
pub struct HttpCall {
    /// The proxy's cluster to call. One with `ORIGINAL_DST` can crash Envoy: not one of those.
    pub cluster: String,
    /// `:method`.
    pub method: &'static str,
    /// `:authority`.
    pub authority: HeaderValue,
    /// `:path`, with the query.
    pub path: HeaderValue,
    /// Headers on top.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Vec<u8>,
    /// How long the answer may take; from 1 ms to an hour.
    pub timeout: Duration,
    /// The most bytes of the answer's body that are read.
    pub most: usize,
}

/// A gRPC call of one message and one answer.
#[derive(Clone, Debug)]
pub struct GrpcCall {
    /// The proxy's cluster to call.
    pub cluster: String,
    /// The service's full name.
    pub service: String,
    /// The method's name.
    pub method: String,
    /// The message, serialized.
    pub message: Vec<u8>,
    /// How long the answer may take; from 1 ms to an hour.
    pub timeout: Duration,
    /// The most bytes of the answer that are read.
    pub most: usize,
}

/// What came of a call.
#[derive(Clone, Debug)]
pub enum Answer {
    /// An HTTP answer. Where nobody answered, Envoy makes one: 503 without a connection, 504 after
    /// the timeout.
    Http(HttpAnswer),
    /// A gRPC answer: its message, or the status other than `OK`.
    Grpc(Result<Vec<u8>, u32>),
}

/// An answer to an HTTP call.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// The headers; empty if the call was broken off.
    pub headers: Headers,
    /// The body, up to [`HttpCall::most`] bytes.
    pub body: Vec<u8>,
    /// Whether `body` is all of it.
    pub whole: bool,
}

impl HttpAnswer {
    /// The status; `None` if the call was broken off.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        std::str::from_utf8(self.headers.first(":status")?).ok()?.parse().ok()
    }
}

/// A call that was sent: its number and how much of the answer to read.
pub(crate) struct Sent {
    pub(crate) number: u32,
    pub(crate) most: usize,
}

/// Anything that can be called.
#[derive(Clone, Debug)]
pub enum Call {
    /// Over HTTP.
    Http(HttpCall),
    /// Over gRPC.
    Grpc(GrpcCall),
}

impl Call {
    pub(crate) fn send(&self) -> Result<Sent, Status> {
        match self {
            Self::Http(call) => call.send(),
            Self::Grpc(call) => call.send(),
        }
    }
}

impl HttpCall {
    fn send(&self) -> Result<Sent, Status> {
        let pseudo: [(&[u8], &[u8]); 3] = [
            (b":method", self.method.as_bytes()),
            (b":authority", self.authority.as_bytes()),
            (b":path", self.path.as_bytes()),
        ];
        let named = self.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        let all: Vec<_> = pseudo.into_iter().chain(named).collect();
        let headers = pairs::serialize(all.into_iter())?;
        let number =
            abi::http_call(self.cluster.as_bytes(), &headers, &self.body, milliseconds(self.timeout))?;
        Ok(Sent { number, most: self.most })
    }
}

impl GrpcCall {
    fn send(&self) -> Result<Sent, Status> {
        let number = abi::grpc_call(
            self.cluster.as_bytes(),
            self.service.as_bytes(),
            self.method.as_bytes(),
            &self.message,
            milliseconds(self.timeout),
        )?;
        Ok(Sent { number, most: self.most })
    }
}

/// Reads the answer that the current callback is about.
pub(crate) fn http_answer(body_size: usize, most: usize) -> Answer {
    let headers = abi::map(HTTP_CALL_RESPONSE_HEADERS).ok().and_then(|map| Headers::parse(map).ok());
    let read = body_size.min(most);
    let body = match read {
        0 => Ok(Vec::new()),
        _ => abi::buffer(HTTP_CALL_RESPONSE_BODY, 0, read),
    };
    let whole = body.is_ok() && body_size <= most;
    Answer::Http(HttpAnswer { headers: headers.unwrap_or_default(), body: body.unwrap_or_default(), whole })
}

/// Reads the message that the current callback is about. One that is too large, or that the host
/// does not give, is answered as `INTERNAL`.
pub(crate) fn grpc_message(size: usize, most: usize) -> Answer {
    const INTERNAL: u32 = 13;
    Answer::Grpc(match size {
        0 => Ok(Vec::new()),
        size if size > most => Err(INTERNAL),
        size => abi::buffer(GRPC_RECEIVE_BUFFER, 0, size).map_err(|_| INTERNAL),
    })
}

fn milliseconds(timeout: Duration) -> u32 {
    let bounded = timeout.clamp(Duration::from_millis(1), LONGEST);
    u32::try_from(bounded.as_millis()).unwrap_or(u32::MAX >> 1)
}
