//! Replies in place of the upstream's.

use super::gateway::{label, shown};
use super::{Gateway, with_rules};
use mesh_policy::effects::Reply;

/// The reply to a request that a rule `chaos` with these fields aborts.
fn reply_of(top: &str, abort: &str, is_grpc: bool) -> Reply {
    let config = with_rules(top, &[&format!(r#""abort": {{"percentage": 100, {abort}}}"#)]);
    let config = config.replace(r#""name": "a""#, r#""name": "chaos""#);
    let gateway = Gateway::new(&config);
    reply(&gateway, "", is_grpc)
}

fn reply(gateway: &Gateway, headers: &str, is_grpc: bool) -> Reply {
    let fault = gateway.decide(headers).outcome.unwrap();
    let verdict = gateway.policy.proceed(&fault, false);
    assert!(verdict.request.is_empty() && verdict.response.is_empty());
    verdict.refusal.unwrap().into_reply(is_grpc)
}

/// Headers of a reply, one a line.
fn headers(reply: &Reply) -> String {
    let line = |(name, value): &(mesh_policy::headers::HeaderName, mesh_policy::headers::HeaderValue)| {
        format!("{}: {}\n", name.as_str(), String::from_utf8_lossy(value.as_bytes()))
    };
    reply.headers.iter().map(line).collect()
}

fn body(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.body).unwrap()
}

#[test]
fn the_default_body_is_a_problem_document_with_the_rule_s_name() {
    let reply = reply_of("", r#""status": 503"#, false);
    assert_eq!((reply.status, reply.details.as_str()), (503, "fault_injected{chaos}"));
    assert_eq!(headers(&reply), "x-mesh-fault: chaos\ncontent-type: application/problem+json\n");
    let document: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(document["rule"], "chaos");
    assert_eq!(document["status"], 503);
    assert_eq!(document["detail"], "a fault was injected: chaos");
}

#[test]
fn body_type_headers_and_marker_are_those_of_the_config() {
    let abort =
        r#""status": 429, "body": "<p>", "content_type": "text/html", "headers": {"Retry-After": "1"}"#;
    let reply = reply_of("", abort, false);
    assert_eq!((reply.status, body(&reply)), (429, "<p>"));
    assert_eq!(headers(&reply), "x-mesh-fault: chaos\ncontent-type: text/html\nretry-after: 1\n");
    let plain = reply_of("", r#""status": 500, "body": """#, false);
    assert_eq!(
        (body(&plain), headers(&plain).as_str()),
        ("", "x-mesh-fault: chaos\ncontent-type: text/plain\n")
    );
    let other =
        reply_of(r#", "marker": {"response_header": "x-injected"}"#, r#""status": 500, "body": """#, false);
    assert_eq!(headers(&other), "x-injected: chaos\ncontent-type: text/plain\n");
    let none = reply_of(r#", "marker": {"response_header": ""}"#, r#""status": 500, "body": """#, false);
    assert_eq!(headers(&none), "content-type: text/plain\n");
}

/// `expected`: the HTTP status, and the status for gRPC.
#[track_caller]
fn check_status(abort: &str, expected: (u16, u8)) {
    for is_grpc in [false, true] {
        let reply = reply_of("", abort, is_grpc);
        assert_eq!((reply.status, reply.grpc_status.unwrap() as u8), expected, "{abort}");
    }
}

#[test]
fn each_request_gets_the_status_of_its_protocol() {
    check_status(r#""status": 503"#, (503, 14));
    check_status(r#""status": 404"#, (404, 12));
    check_status(r#""status": 418"#, (418, 2));
    check_status(r#""grpc_status": 14"#, (503, 14));
    check_status(r#""grpc_status": 0"#, (200, 0));
    check_status(r#""grpc_status": 1"#, (499, 1));
    check_status(r#""status": 500, "grpc_status": 16"#, (500, 16));
}

#[test]
fn a_grpc_request_gets_the_message() {
    let default = reply_of("", r#""status": 503, "body": "b""#, true);
    assert_eq!(body(&default), "a fault was injected: chaos");
    assert_eq!(headers(&default), "x-mesh-fault: chaos\n");
    let own = reply_of("", r#""grpc_status": 14, "message": "injected""#, true);
    assert_eq!(body(&own), "injected");
    // It is the detail of a problem document as well.
    let document = reply_of("", r#""grpc_status": 14, "message": "injected""#, false);
    let document: serde_json::Value = serde_json::from_slice(&document.body).unwrap();
    assert_eq!(document["detail"], "injected");
}

#[test]
fn a_status_without_content_has_none() {
    for status in [204, 205, 304] {
        let reply = reply_of("", &format!(r#""status": {status}"#), false);
        assert_eq!((reply.status, body(&reply)), (status, ""));
        assert_eq!(headers(&reply), "x-mesh-fault: chaos\ncontent-type: text/plain\n");
        // For gRPC it is HTTP 200.
        let message = reply_of("", &format!(r#""status": {status}, "message": "m""#), true);
        assert_eq!(body(&message), "m");
    }
}

#[test]
fn what_is_asked_for_has_the_name_trigger() {
    let gateway = Gateway::new(r#"{"trigger": {"secret": "12345678"}}"#);
    let reply = reply(&gateway, "x-fault: abort=429; x-fault-key: 12345678", false);
    assert_eq!((reply.status, reply.grpc_status.unwrap() as u8), (429, 14));
    assert_eq!(reply.details, "fault_injected{trigger}");
    assert_eq!(headers(&reply), "x-mesh-fault: trigger\ncontent-type: application/problem+json\n");
    let document: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(
        (&document["rule"], &document["detail"]),
        (&"trigger".into(), &"a fault was injected: trigger".into())
    );
    let none = super::aborts::reply(&gateway, "x-fault: abort=204; x-fault-key: 12345678", false);
    assert_eq!((none.status, body(&none)), (204, ""));
}

#[test]
fn an_abort_is_counted_and_recorded() {
    let gateway = Gateway::new(&with_rules(
        "",
        &[r#""delay": {"percentage": 100, "fixed": "1s"}, "abort": {"percentage": 100, "status": 503}"#],
    ));
    let decision = gateway.decide("");
    let fault = decision.outcome.unwrap();
    let delayed = gateway.policy.delayed(&decision, &fault);
    assert_eq!(
        (gateway.counted(&delayed), label(&delayed).as_str()),
        (vec!["faults a delay".to_owned()], "delay{a}")
    );
    let aborted = gateway.policy.proceed(&fault, false);
    assert_eq!(
        (gateway.counted(&aborted), label(&aborted).as_str()),
        (vec!["faults a abort".to_owned()], "abort{a}")
    );
    // It has no marker: nothing of it goes on.
    assert_eq!(shown(&aborted.request), Vec::<String>::new());
    assert_eq!(gateway.policy.label(fault.cause, fault.kinds()), "delay{a}+abort{a}");
}
