//! gRPC over HTTP/2: requests and statuses.

mod status;

pub use status::GrpcStatus;

use crate::headers::Headers;

/// Whether the content type is `application/grpc`, possibly with a format (`+proto`) or parameters (`;…`).
/// `application/grpc-web` is another protocol. Equivalent to Envoy's `Grpc::Common::isGrpcRequestHeaders`, which
/// decides the form of a local reply; like there, the comparison is case-sensitive.
#[must_use]
pub fn is_grpc(headers: &Headers) -> bool {
    let content_type = headers.first("content-type").unwrap_or_default();
    matches!(content_type.strip_prefix(b"application/grpc"), Some([] | [b'+' | b';', ..]))
}

#[cfg(test)]
mod tests {
    use super::is_grpc;
    use crate::headers::Headers;
    use crate::testing::test;

    #[track_caller]
    fn check(content_type: &[u8], expected: bool) {
        let headers = Headers::from_pairs([("content-type", content_type)]);
        assert_eq!(is_grpc(&headers), expected, "{}", content_type.escape_ascii());
    }

    #[test]
    fn content_types() {
        check(b"application/grpc", true);
        check(b"application/grpc+proto", true);
        check(b"application/grpc;charset=utf-8", true);
        check(b"application/grpc-web", false);
        check(b"application/grpc-web+proto", false);
        check(b"application/grpcx", false);
        check(b"application/grp", false);
        check(b"application/json", false);
        check(b"\xff", false);
        assert!(!is_grpc(&Headers::default()));
    }
}
