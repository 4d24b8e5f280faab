//! Changes of responses, and throttles.

use super::super::{Response, Throttle};
use super::{check, good, header, rule};
use mesh_policy::percent::Percentage;

fn response(fields: &str) -> String {
    rule(&format!(r#", "response": {{"percentage": 100{fields}}}"#))
}

#[track_caller]
fn only(fields: &str) -> Response {
    good(&response(fields)).rules[0].response.clone().unwrap()
}

#[track_caller]
fn check_field(fields: &str, expected: &str) {
    check(&response(fields), &format!("rules[0].response{expected}"));
}

#[test]
fn a_response_has_every_default() {
    let Response { percentage, status, delay, remove_headers, truncate_body } = only(r#", "status": 502"#);
    assert_eq!((percentage, status), (Percentage::ALL, Some(502)));
    assert_eq!((delay, remove_headers, truncate_body), (None, vec![], None));
}

#[test]
fn a_response_has_a_part() {
    const NONE: &str = ": found none, expected one of `status`, `delay`, `remove_headers`, `truncate_body`";
    check_field("", NONE);
    check_field(r#", "remove_headers": []"#, NONE);
    check_field(r#", "status": null, "delay": null, "truncate_body": null"#, NONE);
    check(&rule(r#", "response": {"status": 502}"#), "rules[0].response.percentage: missing");
    for part in [
        r#", "status": 200"#,
        r#", "delay": {"fixed": "1s"}"#,
        r#", "remove_headers": ["etag"]"#,
        r#", "truncate_body": 0"#,
    ] {
        check(&response(part), "");
    }
}

#[test]
fn a_status_is_a_final_one() {
    assert_eq!(
        ["200", "599", "204"].map(|status| only(&format!(r#", "status": {status}"#)).status),
        [Some(200), Some(599), Some(204)]
    );
    for status in ["199", "600", "0", "502.5"] {
        check_field(
            &format!(r#", "status": {status}"#),
            &format!(".status: found {status}, expected an integer from 200 to 599"),
        );
    }
}

#[test]
fn headers_that_are_removed_are_32_at_most() {
    assert_eq!(
        only(r#", "remove_headers": ["ETag", "x-a"]"#).remove_headers,
        [header("etag"), header("x-a")]
    );
    let of = |number: usize| {
        let names: Vec<_> = (0..number).map(|index| format!(r#""x-{index}""#)).collect();
        format!(r#", "remove_headers": [{}]"#, names.join(", "))
    };
    assert_eq!(only(&of(32)).remove_headers.len(), 32);
    check_field(&of(33), ".remove_headers: found 33 headers, expected at most 32");
    for name in ["", "a b", ":status"] {
        check_field(
            &format!(r#", "remove_headers": ["{name}"]"#),
            &format!(".remove_headers[0]: found `{name}`, expected a header name"),
        );
    }
}

#[test]
fn a_body_is_cut_after_0_to_a_billion_bytes() {
    for bytes in [0, 1, 1_000_000_000] {
        assert_eq!(only(&format!(r#", "truncate_body": {bytes}"#)).truncate_body, Some(bytes));
    }
    for bytes in ["-1", "1000000001", "0.5"] {
        check_field(
            &format!(r#", "truncate_body": {bytes}"#),
            &format!(".truncate_body: found {bytes}, expected an integer from 0 to 1000000000"),
        );
    }
}

#[test]
fn a_throttle_has_a_rate_of_1_to_a_billion_bytes() {
    let throttle = |fields: &str| rule(&format!(r#", "throttle": {{{fields}}}"#));
    for rate in [1, 16_384, 1_000_000_000] {
        let config = good(&throttle(&format!(r#""percentage": 100, "bytes_per_second": {rate}"#)));
        let expected = Throttle { percentage: Percentage::ALL, bytes_per_second: rate };
        assert_eq!(config.rules[0].throttle, Some(expected));
    }
    for rate in ["0", "-1", "1000000001", "1.5"] {
        check(
            &throttle(&format!(r#""percentage": 100, "bytes_per_second": {rate}"#)),
            &format!(
                "rules[0].throttle.bytes_per_second: found {rate}, expected an integer from 1 to 1000000000"
            ),
        );
    }
    check(
        &throttle(""),
        "rules[0].throttle.percentage: missing\nrules[0].throttle.bytes_per_second: missing",
    );
}
