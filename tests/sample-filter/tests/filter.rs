//! The sample filter in the in-memory proxy, and with it what the adapter does for every filter.

use mesh_host::PolicyFilter;
use mesh_host::testing::{Fate, Proxy};
use sample_filter::policy::Policy;

type SampleProxy = Proxy<PolicyFilter<Policy>>;

const LACKING: &str = "mesh_filters.sample_filter.lacking";

fn proxy(settings: &str) -> SampleProxy {
    Proxy::start(&format!(r#"{{"header": "x-tenant"{settings}}}"#))
}

/// What becomes of a request, and what is recorded of it: `+`, `+ marked` if the response is marked, or the status
/// with the details; then the filter state, and how often the counter counted.
#[track_caller]
fn check(proxy: &SampleProxy, headers: &[(&str, &str)], expected: &str) {
    let counted = proxy.host().metric(LACKING);
    let all: Vec<_> = [(":method", "GET"), (":path", "/")].iter().chain(headers).copied().collect();
    let stream = proxy.request(&all);
    let fate = match stream.reply() {
        Some(reply) => format!("{} {}", reply.status, reply.details),
        None if stream.fate() == Fate::Continued => {
            stream.respond(&[(":status", "200")]);
            let is_marked = stream.response_headers().iter().any(|(name, _)| name == "x-sample");
            if is_marked { "+ marked".to_owned() } else { "+".to_owned() }
        }
        None => format!("{:?}", stream.fate()),
    };
    let state = stream.filter_state("sample_filter_decision").unwrap_or_else(|| "-".to_owned());
    let counted = proxy.host().metric(LACKING) - counted;
    assert_eq!(format!("{fate}, {state}, {counted}"), expected, "{headers:?}");
}

const TENANT: (&str, &str) = ("x-tenant", "a");
const REFUSED: &str = "400 sample_filter{no_header}, sample_filter{no_header}, 1";

#[test]
fn a_request_without_the_header_is_refused() {
    let filter = proxy("");
    check(&filter, &[TENANT], "+ marked, -, 0");
    check(&filter, &[], REFUSED);
    check(&proxy(r#", "match": {"path": {"prefix": "/api/"}}"#), &[], "+ marked, -, 0");
}

#[test]
fn in_shadow_the_refusal_is_only_recorded() {
    check(&proxy(r#", "mode": "shadow""#), &[], "+, shadow_denied{no_header}, 1");
}

#[test]
fn off_decides_nothing() {
    check(&proxy(r#", "mode": "off""#), &[], "+, -, 0");
}

#[test]
fn a_preflight_passes_unless_it_is_to_be_checked() {
    let preflight = [
        (":method", "OPTIONS"),
        (":path", "/"),
        ("origin", "https://a.example"),
        ("access-control-request-method", "PUT"),
    ];
    for (settings, fate) in [("", Fate::Continued), (r#", "cors_preflight": "check""#, Fate::Replied)] {
        assert_eq!(proxy(settings).request(&preflight).fate(), fate, "{settings}");
    }
}

#[test]
fn every_decision_is_recorded_where_that_is_asked_for() {
    let filter = proxy(r#", "decision_log": "all""#);
    check(&filter, &[TENANT], "+ marked, allowed, 0");
    check(&filter, &[], REFUSED);
}

#[test]
fn a_request_that_cannot_be_read_is_what_the_policy_says() {
    let filter = proxy("");
    filter.host().fail("get_header_map_pairs");
    check(&filter, &[TENANT], "400 sample_filter{no_header}, sample_filter{no_header}, 0");
    let shadow = proxy(r#", "mode": "shadow""#);
    shadow.host().fail("get_header_map_pairs");
    check(&shadow, &[TENANT], "+, shadow_denied{no_header}, 0");
}

#[test]
fn a_grpc_client_gets_a_message() {
    let filter = proxy("");
    let reply = |headers: &[(&str, &str)]| {
        let stream = filter.request(headers);
        let reply = stream.reply().unwrap();
        (reply.grpc_status, reply.body)
    };
    let text = "the request lacks a required header";
    assert_eq!(reply(&[(":path", "/"), ("content-type", "application/grpc")]), (3, text.to_owned()));
    let problem = format!(r#"{{"title":"Bad Request","status":400,"detail":"{text}"}}"#);
    assert_eq!(reply(&[(":path", "/")]).1, problem);
}
