//! What a review has found: each test fails until its cause is gone.

use fault::filter::FaultFilter;
use mesh_host::testing::{Fate, Proxy};
use std::time::Duration;

fn rule(details: &str, fields: &str) -> Proxy<FaultFilter> {
    let proxy = Proxy::start(&format!(r#"{{"rules": [{{"name": "r", {fields}}}]}}"#));
    proxy.host().set_property(&["response", "code_details"], details);
    proxy
}

#[track_caller]
fn check_status(status: &str) {
    let proxy = rule("via_upstream", &format!(r#""response": {{"percentage": 100, "status": {status}}}"#));
    let stream = proxy.request(&[(":method", "GET"), (":path", "/")]);
    stream.respond(&[(":status", "200"), ("content-length", "10")]);
    stream.response_body(b"0123456789", true);
    let headers = stream.response_headers();
    assert_eq!(headers.iter().find(|(name, _)| name == ":status"), Some(&(":status".into(), status.into())));
    assert_eq!(stream.sent_body(true), "");
    stream.end();
}

#[test]
fn a_status_without_content_reaches_the_client() {
    check_status("205");
    check_status("204");
    check_status("304");
}

/// Envoy has replied to the request with a timeout of its own, and its stream is not over yet.
#[test]
fn a_request_that_was_answered_waits_no_longer() {
    let proxy = rule(
        "stream_idle_timeout",
        r#""delay": {"percentage": 100, "fixed": "5s"}, "abort": {"percentage": 100, "status": 503}"#,
    );
    let stream = proxy.request(&[(":method", "GET"), (":path", "/")]);
    stream.respond(&[(":status", "504")]);
    proxy.advance(Duration::from_secs(5));
    assert!(stream.reply().is_none() && stream.fate() != Fate::Replied);
    assert_eq!(proxy.host().metric("mesh_filters.fault.rule=.=r;.;kind=.=abort;.;faults"), 0);
    assert_eq!(stream.filter_state("fault_decision").as_deref(), Some("delay{r}"));
    stream.end();
}

#[test]
fn no_message_has_a_secret() {
    for secret in ["12345678", "1234.5678"] {
        let config = format!(r#"{{"trigger": {{"secret": {secret}}}}}"#);
        let problems = fault::config::parse(config.as_bytes()).unwrap_err().to_string();
        assert!(!problems.contains(secret), "{problems}");
    }
}

#[track_caller]
fn check_refused(header: &str) {
    let config = format!(
        r#"{{"rules": [{{"name": "r", "abort": {{"percentage": 1, "status": 503, "headers": {{"{header}": "0"}}}}}}]}}"#
    );
    assert!(fault::config::parse(config.as_bytes()).is_err(), "{header}");
}

#[test]
fn an_abort_has_one_status_and_one_marker() {
    check_refused("grpc-status");
    check_refused("grpc-message");
    check_refused("x-mesh-fault");
}
