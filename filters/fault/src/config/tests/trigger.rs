//! Triggers, and their secret, which is shown nowhere.

use super::super::{Trigger, TriggerKind, parse};
use super::{check, good, header};
use crate::summary::summary;
use std::time::Duration;

fn trigger(fields: &str) -> String {
    format!(r#"{{"trigger": {{"secret": "sesame-8401"{fields}}}}}"#)
}

#[track_caller]
fn only(fields: &str) -> Trigger {
    good(&trigger(fields)).trigger.unwrap()
}

#[test]
fn a_trigger_has_every_default() {
    let Trigger { header: name, secret_header, secret, allow, max_delay } = only("");
    assert_eq!((name, secret_header), (header("x-fault"), header("x-fault-key")));
    assert!(secret.matches(b"sesame-8401"));
    assert_eq!(allow, [TriggerKind::Delay, TriggerKind::Abort]);
    assert_eq!(max_delay, Duration::from_secs(5));
    check(r#"{"trigger": {}}"#, "trigger.secret: missing");
    check(r#"{"trigger": {"secret": null}}"#, "trigger.secret: missing");
}

#[test]
fn what_may_be_asked_for_is_something() {
    assert_eq!(only(r#", "allow": ["abort"]"#).allow, [TriggerKind::Abort]);
    check(&trigger(r#", "allow": []"#), "trigger.allow: found an empty array, expected at least one item");
    check(
        &trigger(r#", "allow": ["throttle"]"#),
        "trigger.allow[0]: found `throttle`, expected one of `delay`, `abort`",
    );
}

#[test]
fn a_delay_is_cut_to_1_ms_to_5_minutes() {
    for (text, max) in [("1ms", Duration::from_millis(1)), ("5m", Duration::from_secs(300))] {
        assert_eq!(only(&format!(r#", "max_delay": "{text}""#)).max_delay, max);
    }
    for text in ["0s", "999us", "301s"] {
        check(
            &trigger(&format!(r#", "max_delay": "{text}""#)),
            &format!(
                "trigger.max_delay: found `{text}`, expected a duration from 1ms to 5m, as \"250ms\", \"1m\" or \"1h30m\""
            ),
        );
    }
}

#[test]
fn the_two_headers_differ_and_have_no_other_meaning() {
    for name in ["x-fault", "X-Fault", "x_fault", "x.fault"] {
        check(
            &trigger(&format!(r#", "secret_header": "{name}""#)),
            "trigger.secret_header: expected another header than `header`",
        );
    }
    for field in ["header", "secret_header"] {
        check(
            &trigger(&format!(r#", "{field}": "authorization""#)),
            &format!(
                "trigger.{field}: found `authorization`, expected another header: the connection, the client or another filter depends on this one"
            ),
        );
        check(
            &trigger(&format!(r#", "{field}": """#)),
            &format!("trigger.{field}: found ``, expected a header name"),
        );
    }
}

const BAD: &str = "trigger.secret: not a secret, expected a string of 8 to 256 bytes that a header can carry, without spaces at its ends";

#[test]
fn a_secret_is_what_a_header_can_carry() {
    let with = |secret: &str| format!(r#"{{"trigger": {{"secret": "{secret}"}}}}"#);
    for secret in ["12345678", &"x".repeat(256), "two words", "schlüssel"] {
        check(&with(secret), "");
    }
    for secret in [
        "",
        "1234567",
        &"x".repeat(257),
        " 12345678",
        "12345678 ",
        "1234\\n5678",
        "1234\\u00005678",
        "\\t12345678",
    ] {
        check(&with(secret), BAD);
    }
}

/// YAML makes a number of digits without quotes.
#[test]
fn a_secret_is_a_string() {
    for secret in ["12345678", "1234.5678", "true", "[12345678]", r#"{"12345678": 1}"#] {
        check(&format!(r#"{{"trigger": {{"secret": {secret}}}}}"#), BAD);
    }
}

/// Whatever is wrong, with the secret or with something else.
#[test]
fn no_message_has_the_secret() {
    const SECRET: &str = "hunter2hunter2";
    let long = SECRET.repeat(20);
    for config in [
        format!(r#"{{"trigger": {{"secret": " {SECRET}"}}}}"#),
        format!(r#"{{"trigger": {{"secret": "{SECRET}\n"}}}}"#),
        format!(r#"{{"trigger": {{"secret": "{long}"}}}}"#),
        format!(r#"{{"trigger": {{"secret": "{SECRET}", "header": "x-a", "secret_header": "x_a"}}}}"#),
        format!(
            r#"{{"trigger": {{"secret": "{SECRET}", "allow": [], "max_delay": 0, "foo": 1}}, "rules": 7}}"#
        ),
        format!(
            r#"{{"trigger": {{"secret": "{SECRET}"}}, "exclude": {{"headers": [{{"name": "x-fault", "exact": "{SECRET}"}}]}}}}"#
        ),
        format!(r#"{{"trigger": {{"secret": ["{SECRET}"]}}}}"#),
        format!(r#"{{"trigger": {{"secret": {{"{SECRET}": 1}}}}}}"#),
        format!(r#"{{"trigger": {{"secret": "{SECRET}", "secret": "{SECRET}"}}}}"#),
        format!(r#"{{"trigger": {{"secrets": "{SECRET}"}}}}"#),
        format!(r#"{{"trigger": {{"secret": "{SECRET}""#),
    ] {
        let problems = parse(config.as_bytes()).unwrap_err().to_string();
        assert!(!problems.contains("hunter2"), "{problems}");
    }
}

#[test]
fn neither_debug_nor_the_summary_has_the_secret() {
    let config = good(r#"{"trigger": {"secret": "hunter2hunter2"}}"#);
    let shown = format!("{config:?} {config:#?} {}", summary(&config));
    assert!(shown.contains("trigger") && !shown.contains("hunter2"), "{shown}");
}
