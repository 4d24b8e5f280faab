//! Aborts.

use super::super::Abort;
use super::{check, good, rule};
use mesh_policy::effects::GrpcStatus;
use mesh_policy::percent::Percentage;

fn abort(fields: &str) -> String {
    rule(&format!(r#", "abort": {{"percentage": 12.5{fields}}}"#))
}

#[track_caller]
fn only(fields: &str) -> Abort {
    good(&abort(fields)).rules[0].abort.clone().unwrap()
}

/// What is wrong with an abort that has these fields.
#[track_caller]
fn check_field(fields: &str, expected: &str) {
    let separator = if expected.starts_with(':') { "" } else { "." };
    check(&abort(fields), &format!("rules[0].abort{separator}{expected}"));
}

#[test]
fn an_abort_has_every_default() {
    let Abort { percentage, status, grpc_status, message, body, content_type, headers } =
        only(r#", "status": 418"#);
    assert_eq!(Some(percentage), Percentage::from_parts_per_million(125_000));
    assert_eq!((status, grpc_status), (418, GrpcStatus::Unknown));
    assert_eq!((message, body, headers), (None, None, vec![]));
    assert_eq!(content_type.0.as_bytes(), b"text/plain");
}

/// The rows of gRPC's http-grpc-status-mapping.md; all others are UNKNOWN.
#[test]
fn a_status_gives_the_grpc_status_by_grpc_s_table() {
    let rows = [(400, 13), (401, 16), (403, 7), (404, 12), (429, 14), (502, 14), (503, 14), (504, 14)];
    for status in 200..=599 {
        let expected = rows.iter().find(|(http, _)| *http == status).map_or(2, |(_, grpc)| *grpc);
        let abort = only(&format!(r#", "status": {status}"#));
        assert_eq!((abort.status, abort.grpc_status as u8), (status, expected), "{status}");
    }
}

/// The HTTP mappings in the comments of google/rpc/code.proto, by number.
#[test]
fn a_grpc_status_gives_the_status_of_google_rpc_code() {
    let expected = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];
    for (number, status) in (0..=16).zip(expected) {
        let abort = only(&format!(r#", "grpc_status": {number}"#));
        assert_eq!((abort.grpc_status as u8, abort.status), (number, status), "{number}");
    }
}

#[test]
fn both_statuses_are_kept() {
    let abort = only(r#", "status": 200, "grpc_status": 16"#);
    assert_eq!((abort.status, abort.grpc_status), (200, GrpcStatus::Unauthenticated));
    check_field("", ": found none, expected one of `status`, `grpc_status`");
}

#[test]
fn statuses_are_final_ones() {
    for status in ["199", "600", "100", "-1", "503.5"] {
        check_field(
            &format!(r#", "status": {status}"#),
            &format!("status: found {status}, expected an integer from 200 to 599"),
        );
    }
    for status in ["17", "-1", "1.5"] {
        check_field(
            &format!(r#", "grpc_status": {status}"#),
            &format!("grpc_status: found {status}, expected an integer from 0 to 16"),
        );
    }
    check_field(r#", "status": "503""#, "status: found `503`, expected an integer from 200 to 599");
    check_field(
        r#", "grpc_status": "UNAVAILABLE""#,
        "grpc_status: found `UNAVAILABLE`, expected an integer from 0 to 16",
    );
    assert_eq!(only(r#", "status": 503.0"#).status, 503);
}

#[test]
fn a_percentage_has_four_decimals() {
    let with = |number: &str| rule(&format!(r#", "abort": {{"percentage": {number}, "status": 503}}"#));
    for (number, parts) in [("0", 0), ("0.0001", 1), ("1.5", 15_000), ("100", 1_000_000)] {
        let abort = good(&with(number)).rules[0].abort.clone().unwrap();
        assert_eq!(abort.percentage.parts_per_million(), parts, "{number}");
    }
    check(&with("100.0001"), "rules[0].abort.percentage: found 100.0001, expected a number from 0 to 100");
    check(&with("0.00001"), "rules[0].abort.percentage: found 0.00001, expected at most four decimals");
    check(&with("null"), "rules[0].abort.percentage: missing");
}

#[test]
fn a_body_has_a_type_and_a_size() {
    let abort = only(r#", "status": 503, "body": "<p>", "content_type": "text/html""#);
    assert_eq!((abort.body.as_deref(), abort.content_type.0.as_bytes()), (Some("<p>"), &b"text/html"[..]));
    assert_eq!(only(r#", "status": 503, "body": """#).body.as_deref(), Some(""));
    check_field(
        r#", "status": 503, "content_type": "text/html""#,
        "content_type: found one without `body`, expected none: the default body has its own",
    );
    let of = |size: usize| format!(r#", "status": 503, "body": "{}""#, "x".repeat(size));
    assert_eq!(only(&of(65_536)).body.unwrap().len(), 65_536);
    check_field(&of(65_537), "body: found 65537 bytes, expected at most 65536");
    check_field(r#", "status": 503, "body": {"a": 1}"#, "body: found an object, expected a string");
}

#[test]
fn a_status_without_content_has_no_body() {
    for status in [204, 205, 304] {
        assert_eq!(only(&format!(r#", "status": {status}"#)).body, None);
        for body in ["x", ""] {
            check_field(
                &format!(r#", "status": {status}, "body": "{body}""#),
                &format!("body: found one, expected none: a response with status {status} has no content"),
            );
        }
    }
    // The HTTP status that counts may come of the other one.
    assert_eq!(only(r#", "grpc_status": 0, "body": "x""#).status, 200);
    assert_eq!(only(r#", "status": 206, "body": "x""#).status, 206);
}

#[test]
fn a_message_has_1_to_1024_bytes() {
    assert_eq!(only(r#", "grpc_status": 14, "message": "injected""#).message.as_deref(), Some("injected"));
    let of = |size: usize| format!(r#", "grpc_status": 14, "message": "{}""#, "x".repeat(size));
    assert_eq!(only(&of(1024)).message.unwrap().len(), 1024);
    check_field(&of(1025), "message: found 1025 bytes, expected at most 1024");
    check_field(&of(0), "message: found ``, expected a string that is not empty");
}

#[test]
fn headers_are_those_that_the_proxy_does_not_set() {
    let with = |headers: &str| format!(r#", "status": 503, "headers": {headers}"#);
    let headers = only(&with(r#"{"Retry-After": "1", "x-a": ""}"#)).headers;
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    assert_eq!(headers, [("retry-after", &b"1"[..]), ("x-a", b"")]);
    const SET: &str = "expected another name: the proxy or the filter sets this header itself";
    check_field(&with(r#"{"content-length": "0"}"#), &format!("headers.content-length: {SET}"));
    check_field(&with(r#"{"transfer-encoding": "x"}"#), &format!("headers.transfer-encoding: {SET}"));
    // They would make a success of it.
    check_field(&with(r#"{"grpc-status": "0"}"#), &format!("headers.grpc-status: {SET}"));
    check_field(&with(r#"{"Grpc-Message": "x"}"#), &format!("headers.Grpc-Message: {SET}"));
    check_field(
        &with(r#"{"content-type": "x"}"#),
        "headers.content-type: expected in `content_type` instead",
    );
    check_field(&with(r#"{"a b": "x"}"#), "headers[\"a b\"]: not a header name");
    check_field(
        &with(r#"{"a": "x\ny"}"#),
        "headers.a: found `x\\ny`, expected a header value, without control characters",
    );
    let of = |number: usize| {
        let headers: Vec<_> = (0..number).map(|index| format!(r#""x-{index}": "1""#)).collect();
        with(&format!("{{{}}}", headers.join(", ")))
    };
    assert_eq!(only(&of(32)).headers.len(), 32);
    check_field(&of(33), "headers: found 33 headers, expected at most 32");
}

/// The filter adds it itself.
#[test]
fn the_marker_is_no_header_of_an_abort() {
    const CONFLICT: &str =
        "rules[0].abort.headers: found the header of `marker.response_header`, expected others";
    let config = |marker: &str, name: &str| {
        format!(
            r#"{{"marker": {{"response_header": "{marker}"}},
                "rules": [{{"name": "r", "abort": {{"percentage": 1, "status": 503, "headers": {{"{name}": "x"}}}}}}]}}"#
        )
    };
    check(&config("x-mesh-fault", "X-Mesh-Fault"), CONFLICT);
    check(&config("x-injected", "x-injected"), CONFLICT);
    check(&config("x-injected", "x-mesh-fault"), "");
    check(&config("", "x-mesh-fault"), "");
}
