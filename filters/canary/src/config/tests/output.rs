//! Where the variant is written, and who may name it.

use super::{check, good, header};

fn output(fields: &str) -> String {
    format!(r#"{{"output": {{{fields}}}}}"#)
}

fn overriding(fields: &str) -> String {
    format!(r#"{{"trusted_override": {{{fields}}}}}"#)
}

const OF_ITS_OWN: &str =
    "expected another header: the connection, the client or another filter depends on this one";

#[test]
fn only_what_an_output_names_is_written() {
    let found = good(&output(r#""filter_state": "variant""#)).output;
    assert_eq!(
        (found.header, found.filter_state.as_deref(), found.response_header),
        (None, Some("variant"), None)
    );
    let found = good(&output(r#""header": "X-Variant", "response_header": "X-Served""#)).output;
    assert_eq!(found.header, Some(header("x-variant")));
    assert_eq!((found.filter_state, found.response_header), (None, Some(header("x-served"))));
}

#[test]
fn an_output_is_written_somewhere_where_routes_can_see_it() {
    const NONE: &str = "output: found none, expected one of `header`, `filter_state`";
    check(&output(""), NONE);
    check(&output(r#""response_header": "x-served""#), NONE);
    check(&output(r#""header": null, "filter_state": null"#), NONE);
    check(&output(r#""heder": "x-variant""#), "output.heder: unknown field, did you mean `header`?");
}

#[test]
fn a_header_with_a_meaning_is_no_output() {
    for name in [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "upgrade",
        "cookie",
        "Authorization",
    ] {
        check(
            &output(&format!(r#""header": "{name}""#)),
            &format!("output.header: found `{name}`, {OF_ITS_OWN}"),
        );
        check(
            &overriding(&format!(r#""header": "{name}", "match": {{}}"#)),
            &format!("trusted_override.header: found `{name}`, {OF_ITS_OWN}"),
        );
    }
}

#[test]
fn a_name_of_a_header_is_a_token() {
    for name in [":path", "x variant", "", "x:variant"] {
        for field in ["header", "response_header"] {
            let fields = if field == "header" {
                format!(r#""header": "{name}""#)
            } else {
                format!(r#""filter_state": "v", "response_header": "{name}""#)
            };
            check(&output(&fields), &format!("output.{field}: found `{name}`, expected a header name"));
        }
    }
    check(&output(r#""header": 1"#), "output.header: found 1, expected a string");
}

#[test]
fn a_response_header_may_not_break_the_response() {
    for name in ["content-length", "content-type", "transfer-encoding", "connection", "Set-Cookie", "trailer"]
    {
        check(
            &output(&format!(r#""header": "x-variant", "response_header": "{name}""#)),
            &format!("output.response_header: found `{name}`, {OF_ITS_OWN}"),
        );
    }
}

/// Other filters write these, and the filter itself the decision for the access log.
#[test]
fn filter_state_has_a_name_that_no_filter_writes() {
    for name in ["jwt_claims", "trace_id", "canary_decision", "rate_limit_decision", "my_decision"] {
        check(
            &output(&format!(r#""filter_state": "{name}""#)),
            &format!(
                "output.filter_state: found `{name}`, expected another name: a filter writes this one already"
            ),
        );
    }
    for name in ["decision", "jwt_claims2", "canary_decisions"] {
        assert_eq!(
            good(&output(&format!(r#""filter_state": "{name}""#))).output.filter_state.as_deref(),
            Some(name)
        );
    }
    check(
        &output(r#""filter_state": "a b""#),
        "output.filter_state: found `a b`, expected 1 to 64 letters, digits, `_`, `-` or `.`",
    );
}

#[test]
fn an_override_names_its_header_and_whom_it_trusts() {
    check(&overriding(""), "trusted_override.header: missing\ntrusted_override.match: missing");
    check(&overriding(r#""header": "x-force""#), "trusted_override.match: missing");
    // Nobody trusts everybody by leaving something empty.
    check(&overriding(r#""header": "x-force", "match": null"#), "trusted_override.match: missing");
    let found = good(&overriding(r#""header": "X-Force", "match": {}"#)).trusted_override.unwrap();
    assert_eq!(found.header, header("x-force"));
}

#[test]
fn an_override_may_be_the_output() {
    let config = good(r#"{"trusted_override": {"header": "x-mesh-variant", "match": {}}}"#);
    assert_eq!(config.output.header, config.trusted_override.map(|trusted| trusted.header));
}
