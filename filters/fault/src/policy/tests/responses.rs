//! What becomes of responses.

use super::super::{Answer, Course};
use super::gateway::shown;
use super::{Gateway, with_rules};
use mesh_policy::time::Nanos;
use std::time::Duration;

const fn ms(milliseconds: u64) -> Nanos {
    Nanos(milliseconds * 1_000_000)
}

/// A response of an upstream to a request that came at 1 s. It comes 300 ms later.
const ANSWER: Answer<'_> = Answer {
    details: Some(b"via_upstream"),
    is_upstream: false,
    status: b"200",
    content_length: Some(b"1000"),
    is_marked: false,
    ends: false,
    began: ms(1000),
    now: ms(1300),
};

/// The course of a response to a request with a fault of this rule.
fn course(top: &str, rule: &str, answer: &Answer<'_>) -> Course {
    let gateway = Gateway::new(&with_rules(top, &[rule]));
    let fault = gateway.decide("").outcome.unwrap();
    let course = gateway.policy.course(&fault, answer);
    // A course without a fault is none at all.
    let changes = course.edits.len() + usize::from(course.holds()) + usize::from(course.max_bytes.is_some());
    assert_eq!(course.kinds.is_empty(), changes == 0, "{course:?}");
    course
}

fn response(fields: &str) -> String {
    format!(r#""response": {{"percentage": 100, {fields}}}"#)
}

const STATUS: &str = r#""response": {"percentage": 100, "status": 502}"#;
const THROTTLE: &str = r#""throttle": {"percentage": 100, "bytes_per_second": 1000}"#;

/// Whether a response and a throttle apply to an answer.
#[track_caller]
fn check_faultable(answer: &Answer<'_>, expected: bool) {
    for rule in [STATUS, THROTTLE] {
        assert_eq!(!course("", rule, answer).kinds.is_empty(), expected, "{answer:?}");
    }
}

#[test]
fn only_what_an_upstream_or_the_route_has_answered_is_changed() {
    check_faultable(&ANSWER, true);
    check_faultable(&Answer { details: Some(b"direct_response"), ..ANSWER }, true);
    // A cluster's chain has none.
    check_faultable(&Answer { details: None, is_upstream: true, ..ANSWER }, true);
    check_faultable(&Answer { details: None, ..ANSWER }, false);
    for details in [
        "",
        "via_upstream ",
        "via_upstream2",
        "no_healthy_upstream",
        "upstream_reset_before_response_started{overflow}",
        "response_timeout",
        "upstream_per_try_timeout",
        "cluster_not_found",
        "route_not_found",
        "request_overall_timeout",
        "fault_filter_abort",
        "fault_injected{other}",
        "rate_limited{a}",
        "upstream_response_timeout",
        "Via_upstream",
        "downstream_remote_disconnect",
        "ext_authz_denied",
        "local_rate_limited",
        "stream_idle_timeout",
    ] {
        check_faultable(&Answer { details: Some(details.as_bytes()), ..ANSWER }, false);
    }
}

#[test]
fn a_tunnel_is_left_alone() {
    check_faultable(&Answer { status: b"101", ..ANSWER }, false);
    check_faultable(&Answer { status: b"100", ..ANSWER }, true);
    check_faultable(&Answer { status: b"", ..ANSWER }, true);
}

#[test]
fn a_marked_response_is_left_alone() {
    let marked = Answer { is_marked: true, ..ANSWER };
    check_faultable(&marked, false);
    assert_eq!(
        shown(&course(r#", "stack": true"#, STATUS, &marked).edits),
        ["status 502", "add x-mesh-fault: a"]
    );
}

/// The edits of a response.
#[track_caller]
fn check_edits(rule: &str, answer: &Answer<'_>, expected: &[&str]) {
    assert_eq!(shown(&course("", rule, answer).edits), expected, "{rule} {answer:?}");
}

const MARK: &str = "add x-mesh-fault: a";

#[test]
fn status_and_headers_are_changed_and_the_response_is_marked() {
    check_edits(STATUS, &ANSWER, &["status 502", MARK]);
    check_edits(
        &response(r#""remove_headers": ["ETag", "x-mesh-fault"], "status": 599"#),
        &ANSWER,
        &["status 599", "remove etag", "remove x-mesh-fault", MARK],
    );
    check_edits(THROTTLE, &ANSWER, &[MARK]);
    let none = course(r#", "marker": {"response_header": ""}"#, STATUS, &ANSWER);
    assert_eq!(shown(&none.edits), ["status 502"]);
    let own = course(r#", "marker": {"response_header": "x-r"}"#, STATUS, &ANSWER);
    assert_eq!(shown(&own.edits), ["status 502", "add x-r: a"]);
}

/// The request's delay has marked it.
#[test]
fn a_response_to_a_delayed_request_is_marked_once() {
    let rule = format!(r#""delay": {{"percentage": 100, "fixed": "1s"}}, {STATUS}"#);
    check_edits(&rule, &ANSWER, &["status 502"]);
}

/// `content_length`: that of the response. The edits and the maximum size of its body when it is cut to 100 bytes.
#[track_caller]
fn check_cut(content_length: Option<&str>, is_removed: bool) {
    let rule = response(r#""truncate_body": 100"#);
    for ends in [false, true] {
        let answer = Answer { content_length: content_length.map(str::as_bytes), ends, ..ANSWER };
        let course = course("", &rule, &answer);
        assert_eq!(course.max_bytes, Some(100));
        let expected: &[&str] = if is_removed { &["remove content-length", MARK] } else { &[MARK] };
        assert_eq!(shown(&course.edits), expected, "{content_length:?}");
    }
}

#[test]
fn a_length_that_is_no_longer_true_is_removed() {
    check_cut(None, false);
    check_cut(Some("0"), false);
    check_cut(Some("100"), false);
    check_cut(Some("101"), true);
    check_cut(Some("99999999999999999999999999"), true);
    for other in ["", "-1", "1e3", "100, 100", "0x10", "abc", "ü"] {
        check_cut(Some(other), true);
    }
    let all = course("", &response(r#""truncate_body": 0"#), &ANSWER);
    assert_eq!(
        (all.max_bytes, shown(&all.edits)),
        (Some(0), vec!["remove content-length".into(), MARK.into()])
    );
}

#[test]
fn a_status_without_content_takes_the_body() {
    for status in [204, 205, 304] {
        let rule = response(&format!(r#""status": {status}, "truncate_body": 500"#));
        let course = course("", &rule, &ANSWER);
        assert_eq!(course.max_bytes, Some(0), "{status}");
    }
    for status in [200, 206, 303, 404, 599] {
        assert_eq!(
            course("", &response(&format!(r#""status": {status}"#)), &ANSWER).max_bytes,
            None,
            "{status}"
        );
    }
}

/// The instant until which a response waits, in milliseconds.
#[track_caller]
fn check_wait(delay: &str, answer: &Answer<'_>, expected: Option<u64>) {
    let course = course("", &response(&format!(r#""delay": {{{delay}}}"#)), answer);
    assert_eq!(course.until, expected.map(ms), "{delay}");
    assert_eq!(!course.kinds.is_empty(), expected.is_some(), "{delay}");
    assert_eq!(course.holds(), expected.is_some());
}

#[test]
fn a_delay_counts_from_the_response_or_from_the_request() {
    check_wait(r#""fixed": "500ms""#, &ANSWER, Some(1800));
    check_wait(r#""fixed": "500ms", "counted_from": "request""#, &ANSWER, Some(1500));
    // The upstream took as long, or longer: no fault.
    for now in [1500, 1501, 1700] {
        check_wait(
            r#""fixed": "500ms", "counted_from": "request""#,
            &Answer { now: ms(now), ..ANSWER },
            None,
        );
    }
    check_wait(
        r#""fixed": "500ms", "counted_from": "request""#,
        &Answer { now: ms(1499), ..ANSWER },
        Some(1500),
    );
}

/// Other changes happen although the time is over.
#[test]
fn a_delay_that_is_over_leaves_the_other_changes() {
    for (fields, edits) in [
        (r#""status": 502"#, &["status 502", MARK][..]),
        (r#""remove_headers": ["etag"]"#, &["remove etag", MARK]),
        (r#""truncate_body": 1000"#, &[MARK]),
    ] {
        let rule = response(&format!(r#"{fields}, "delay": {{"fixed": "1ms", "counted_from": "request"}}"#));
        let course = course("", &rule, &ANSWER);
        assert_eq!(
            (course.until, shown(&course.edits).as_slice()),
            (None, &edits.iter().map(ToString::to_string).collect::<Vec<_>>()[..])
        );
    }
}

#[test]
fn a_throttle_needs_a_body() {
    let course_of = |ends: bool| course("", THROTTLE, &Answer { ends, ..ANSWER });
    let mut throttle = course_of(false).throttle.unwrap();
    throttle.start(ms(2000));
    assert_eq!(throttle.pass(500), ms(2500));
    assert!(course_of(false).holds());
    assert!(course_of(true).throttle.is_none() && course_of(true).kinds.is_empty());
}

#[test]
fn both_faults_of_a_response_are_one_course() {
    let rule = format!(r#"{}, {THROTTLE}"#, response(r#""status": 502, "delay": {"fixed": "1s"}"#));
    let course = course("", &rule, &ANSWER);
    assert_eq!((course.until, course.throttle.is_some()), (Some(ms(2300)), true));
    assert_eq!(shown(&course.edits), ["status 502", MARK]);
    let gateway = Gateway::new(&with_rules("", &[&rule]));
    let fault = gateway.decide("").outcome.unwrap();
    assert_eq!(gateway.policy.label(fault.cause, course.kinds), "response{a}+throttle{a}");
}

/// What dice have not chosen does not happen, although the rule has it.
#[test]
fn only_what_was_rolled_happens() {
    let rule = r#""response": {"percentage": 50, "status": 502}, "throttle": {"percentage": 50, "bytes_per_second": 1}"#;
    let gateway = Gateway::new(&with_rules("", &[rule]));
    for (rolls, is_changed, is_throttled) in [([0, u64::MAX], true, false), ([u64::MAX, 0], false, true)] {
        gateway.roll(&rolls);
        let course = gateway.policy.course(&gateway.decide("").outcome.unwrap(), &ANSWER);
        assert_eq!((course.edits.len() == 2, course.throttle.is_some()), (is_changed, is_throttled));
    }
}

#[test]
fn what_was_asked_for_leaves_the_response_alone() {
    let gateway = Gateway::new(&with_rules(r#", "trigger": {"secret": "12345678"}"#, &[STATUS]));
    let fault = gateway.decide("x-fault: delay=1s; x-fault-key: 12345678").outcome.unwrap();
    let course = gateway.policy.course(&fault, &ANSWER);
    assert!(course.kinds.is_empty() && course.edits.is_empty());
}

#[test]
fn an_instant_beyond_the_clock_is_its_last() {
    let late = Answer { began: Nanos(u64::MAX - 5), now: Nanos(u64::MAX - 5), ..ANSWER };
    let course = course("", &response(r#""delay": {"fixed": "1s"}"#), &late);
    assert_eq!(course.until, Some(Nanos(u64::MAX)));
    assert_eq!(Nanos(u64::MAX).since(late.now), Duration::from_nanos(5));
}
