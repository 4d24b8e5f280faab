//! Who is told the trace: the client and the access log.

use super::*;
use mesh_policy::effects::Edit;

/// The response header of each request; empty if there is none.
#[track_caller]
fn check_told(config: &str, requests: &[(&str, &str)]) {
    let gateway = Gateway::new(config);
    for (request, expected) in requests {
        let verdict = gateway.decide(request);
        let found = match verdict.response.as_slice() {
            [] => "",
            [Edit::Set(name, value)] if name.as_str() == "x-trace-id" => {
                str::from_utf8(value.as_bytes()).unwrap()
            }
            edits => panic!("{edits:?}"),
        };
        assert_eq!(found, expand(expected), "{request}");
    }
}

#[test]
fn the_response_has_the_trace_id_where_it_is_known() {
    check_told(
        r#"{"response": {"header": "x-trace-id"}}"#,
        &[
            ("traceparent: 00-<t>-<s>-00", "<t>"),
            ("b3: <short>-<s>-1", "<padded>"),
            ("", ""),
            ("b3: 0", ""),
            ("traceparent: nonsense", ""),
        ],
    );
    check_told(
        r#"{"response": {"header": "x-trace-id"}, "generate": {"when_missing": true}}"#,
        &[("", "<new>"), ("traceparent: 00-<t>-<s>-00", "<t>")],
    );
    check_told(
        r#"{"response": {"header": "x-trace-id"}, "boundary": "restart"}"#,
        &[("traceparent: 00-<t>-<s>-00", "<new>")],
    );
    check_told(
        r#"{"response": {"header": "x-trace-id"}, "boundary": "strip"}"#,
        &[("traceparent: 00-<t>-<s>-00", "")],
    );
    check_told("{}", &[("traceparent: 00-<t>-<s>-00", "")]);
}

#[test]
fn the_trace_id_is_logged_only_if_wanted() {
    let logged = |config: &str, request: &str| {
        let gateway = Gateway::new(config);
        gateway.decide(request).logged
    };
    let trace_id = Some(("trace_id", expand("<t>")));
    assert_eq!(logged(r#"{"log_trace_id": true}"#, "traceparent: 00-<t>-<s>-00"), trace_id);
    assert_eq!(logged(r#"{"log_trace_id": true}"#, ""), None);
    assert_eq!(logged("{}", "traceparent: 00-<t>-<s>-00"), None);
}
