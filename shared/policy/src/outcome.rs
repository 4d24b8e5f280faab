//! The outcome of a request that a policy observes.

use crate::time::Nanos;
use std::time::Duration;

/// Asks for the outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What the policy calls the request. It comes back with the outcome.
    pub subject: usize,
    /// When the request arrived; `None` if its duration is not of interest.
    pub began: Option<Nanos>,
    /// Whether it is a gRPC request, whose status is in headers or trailers of the response.
    pub is_grpc: bool,
}

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// [`Observation::subject`].
    pub subject: usize,
    /// When the request arrived, and the time until the response headers or, without a response, until the end of the
    /// stream. `None` if nobody asked, or the proxy has no clock.
    pub timing: Option<Timing>,
    /// Whether the upstream, or the proxy in its place, failed. A stream without a response and an injected fault are no
    /// errors.
    pub is_error: bool,
}

/// When a request arrived, and how long it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// When the request arrived.
    pub began: Nanos,
    /// The time to the response headers; without a response, to the end of the stream.
    pub took: Duration,
    /// When the outcome became known: with the headers, with the trailers of a gRPC response, or at the end of the stream.
    pub known_at: Nanos,
}

/// Whether an HTTP status is an error of the server (RFC 9110, section 15.6).
#[must_use]
pub fn is_server_error(status: &[u8]) -> bool {
    matches!(status, [b'5', b'0'..=b'9', b'0'..=b'9'])
}

/// Whether a `grpc-status` is an error of the server: `UNKNOWN`, `DEADLINE_EXCEEDED`, `UNIMPLEMENTED`, `INTERNAL`,
/// `UNAVAILABLE` or `DATA_LOSS`. The others are those of a client.
#[must_use]
pub fn is_grpc_server_error(grpc_status: &[u8]) -> bool {
    matches!(grpc_status, b"2" | b"4" | b"12" | b"13" | b"14" | b"15")
}

/// Whether response-code details say that a fault was injected.
#[must_use]
pub fn is_injected(details: &[u8]) -> bool {
    details.starts_with(b"fault_")
}

#[cfg(test)]
mod tests {
    use super::{is_grpc_server_error, is_injected, is_server_error};
    use crate::testing::test;

    #[test]
    fn statuses() {
        assert!([&b"500"[..], b"503", b"599"].into_iter().all(is_server_error));
        assert!(
            ![&b""[..], b"200", b"404", b"50", b"5000", b"5xx", b"\xff"].into_iter().any(is_server_error)
        );
    }

    #[test]
    fn grpc_statuses() {
        let errors: Vec<_> =
            (0..=17).filter(|status: &u32| is_grpc_server_error(status.to_string().as_bytes())).collect();
        assert_eq!(errors, [2, 4, 12, 13, 14, 15]);
        assert!(![&b""[..], b"02", b"14 ", b"-2"].into_iter().any(is_grpc_server_error));
    }

    #[test]
    fn injected_faults() {
        assert!(is_injected(b"fault_filter_abort") && is_injected(b"fault_abort{chaos}"));
        assert!(!is_injected(b"via_upstream") && !is_injected(b"") && !is_injected(b"default"));
    }
}
