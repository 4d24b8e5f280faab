//! Faults that requests ask for.

use super::gateway::START;
use super::{ALWAYS, Gateway, with_rules};
use std::time::Duration;

const SECRET: &str = r#"{"secret": "open sesame"}"#;

/// What becomes of a request with these headers, and whether it asked in vain. Besides the trigger there is a rule `a` for
/// requests with a header `a`.
#[track_caller]
fn check_with(trigger: &str, headers: &str, expected: &str, is_ignored: bool) {
    let rule = format!(r#""match": {{"headers": [{{"name": "a", "present": true}}]}}, {ALWAYS}"#);
    let gateway = Gateway::new(&with_rules(&format!(r#", "trigger": {trigger}"#), &[&rule]));
    let decision = gateway.decide(headers);
    assert_eq!(gateway.outcome(&decision), expected, "{headers}");
    assert_eq!(decision.is_trigger_ignored, is_ignored, "{headers}");
    // A trigger needs no random numbers.
    assert_eq!(gateway.host.borrow().asked, [0; 3], "{headers}");
}

#[track_caller]
fn check(headers: &str, expected: &str) {
    check_with(SECRET, headers, expected, false);
}

/// It is ignored, and the rules decide.
#[track_caller]
fn check_ignored(headers: &str) {
    check_with(SECRET, headers, "no rule", true);
    check_with(SECRET, &format!("{headers}; a: 1"), "abort{a}", true);
}

#[test]
fn with_the_secret_a_request_gets_what_it_asks_for() {
    check("x-fault: delay=500ms; x-fault-key: open sesame", "delay{trigger}");
    check("x-fault: abort=503; x-fault-key: open sesame", "abort{trigger}");
    check("x-fault: delay=500ms,abort=503; x-fault-key: open sesame", "delay{trigger}+abort{trigger}");
    check("x-fault: abort=503 , delay=1s; x-fault-key: open sesame", "delay{trigger}+abort{trigger}");
    // Instead of the rules.
    check("x-fault: delay=500ms; x-fault-key: open sesame; a: 1", "delay{trigger}");
    check("a: 1", "abort{a}");
    check("", "no rule");
}

#[test]
fn without_the_secret_it_is_ignored() {
    check_ignored("x-fault: abort=503");
    check_ignored("x-fault: abort=503; x-fault-key: open sesam");
    check_ignored("x-fault: abort=503; x-fault-key: open sesame1");
    check_ignored("x-fault: abort=503; x-fault-key: Open sesame");
    check_ignored("x-fault: abort=503; x-fault-key: ");
    check_ignored("x-fault-key: open sesame");
    check_ignored("x-fault-key: wrong");
}

#[test]
fn what_is_malformed_is_ignored() {
    for value in [
        "",
        "abort",
        "abort=",
        "abort=199",
        "abort=600",
        "abort=5030",
        "abort=+50",
        "delay=1",
        "delay=0s",
        "delay=-1s",
        "delay=500ms,",
        ",abort=503",
        "abort=503,abort=504",
        "delay=1s,delay=2s",
        "Abort=503",
        "abort=503;delay=1s",
        "throttle=1",
        "delay=1s abort=503",
        "delay = 1s",
    ] {
        check_with(SECRET, &format!("x-fault: {value}; x-fault-key: open sesame"), "no rule", true);
    }
    let long = format!("delay={}1s", "0".repeat(60));
    check_ignored(&format!("x-fault: {long}; x-fault-key: open sesame"));
}

#[test]
fn what_is_sent_several_times_or_spelt_otherwise_is_ignored() {
    check_ignored("x-fault: abort=503; x-fault: abort=503; x-fault-key: open sesame");
    check_ignored("x-fault: abort=503; x-fault-key: open sesame; x-fault-key: open sesame");
    check_ignored("x-fault: abort=503; x-fault-key: wrong; x-fault-key: open sesame");
    check_ignored("x_fault: abort=503; x-fault-key: open sesame");
    check_ignored("x-fault: abort=503; x_fault_key: open sesame");
    check_ignored("x-fault: abort=503; x_fault: abort=503; x-fault-key: open sesame");
    check_ignored("x-fault: abort=503; x-fault-key: open sesame; x.fault.key: open sesame");
}

#[test]
fn only_what_is_allowed_is_followed() {
    for (allowed, delay, abort) in
        [("delay", "delay{trigger}", "no rule"), ("abort", "no rule", "abort{trigger}")]
    {
        let trigger = format!(r#"{{"secret": "open sesame", "allow": ["{allowed}"]}}"#);
        for (value, expected) in
            [("delay=1s", delay), ("abort=503", abort), ("delay=1s,abort=503", "no rule")]
        {
            check_with(
                &trigger,
                &format!("x-fault: {value}; x-fault-key: open sesame"),
                expected,
                expected == "no rule",
            );
        }
    }
}

#[test]
fn headers_have_the_names_of_the_config() {
    let trigger = r#"{"secret": "open sesame", "header": "x-a", "secret_header": "x-b"}"#;
    check_with(trigger, "x-a: abort=503; x-b: open sesame", "abort{trigger}", false);
    check_with(trigger, "x-fault: abort=503; x-fault-key: open sesame", "no rule", false);
}

#[test]
fn a_delay_is_cut() {
    let delay = |trigger: &str, asked: &str| {
        let gateway = Gateway::new(&format!(r#"{{"trigger": {trigger}}}"#));
        let decision = gateway.decide(&format!("x-fault: delay={asked}; x-fault-key: open sesame"));
        decision.outcome.unwrap().delay.unwrap()
    };
    assert_eq!(delay(SECRET, "1ms"), Duration::from_millis(1));
    assert_eq!(delay(SECRET, "5s"), Duration::from_secs(5));
    assert_eq!(delay(SECRET, "5001ms"), Duration::from_secs(5));
    assert_eq!(delay(SECRET, "500d"), Duration::from_secs(5));
    assert_eq!(delay(r#"{"secret": "open sesame", "max_delay": "10ms"}"#, "1s"), Duration::from_millis(10));
}

#[test]
fn everything_but_the_budget_applies_to_it() {
    const ASKS: &str = "x-fault: abort=503; x-fault-key: open sesame";
    let outcome = |top: &str, headers: &str| {
        let gateway = Gateway::new(&format!(r#"{{"trigger": {SECRET}{top}}}"#));
        gateway.host.borrow_mut().since_epoch = START;
        gateway.outcome(&gateway.decide(headers))
    };
    assert_eq!(outcome("", ASKS), "abort{trigger}");
    assert_eq!(outcome(r#", "budget": {"percentage": 0}"#, ASKS), "abort{trigger}");
    assert_eq!(outcome("", &format!("{ASKS}; x-mesh-fault: a")), "marked");
    assert_eq!(outcome(r#", "stack": true"#, &format!("{ASKS}; x-mesh-fault: a")), "abort{trigger}");
    assert_eq!(outcome(r#", "expires_at": "2026-11-21T00:00:00Z""#, ASKS), "expired");
    assert_eq!(outcome(r#", "expires_at": "2026-11-21T00:00:01Z""#, ASKS), "abort{trigger}");
    assert_eq!(outcome(r#", "exclude": {"path": {"exact": "/"}}"#, &format!("{ASKS}; :path: /")), "excluded");
}

#[test]
fn what_is_asked_for_counts_as_a_request_and_not_as_a_fault_of_the_budget() {
    let top = format!(r#", "trigger": {SECRET}, "budget": {{"percentage": 10}}"#);
    let gateway = Gateway::new(&with_rules(&top, &[ALWAYS]));
    for _ in 0..9 {
        gateway.decide("x-fault: abort=503; x-fault-key: open sesame");
    }
    assert_eq!(gateway.outcome(&gateway.decide("")), "abort{a}");
}

#[test]
fn what_is_ignored_is_counted() {
    let gateway = Gateway::new(&format!(r#"{{"trigger": {SECRET}}}"#));
    let counted = |headers: &str| gateway.counted(&gateway.policy.noted(&gateway.decide(headers)));
    assert_eq!(counted("x-fault: abort=503"), ["trigger_ignored"]);
    assert_eq!(counted("x-fault: abort=503; x-fault-key: open sesame"), Vec::<String>::new());
    assert_eq!(counted("x-fault-key: open sesame"), ["trigger_ignored"]);
    assert_eq!(counted("b: 1"), Vec::<String>::new());
}
