//! How the calls of an application are joined.

use super::{check, good, header};
use crate::config::{Correlate, Direction};
use std::time::Duration;

fn correlate(fields: &str) -> String {
    format!(r#"{{"correlate": {{{fields}}}}}"#)
}

#[track_caller]
fn read(fields: &str) -> Correlate {
    good(&correlate(fields)).correlate.unwrap()
}

#[test]
fn nothing_has_to_be_given() {
    let Correlate { by, direction, carry, ttl, capacity, max_value_bytes, max_entry_bytes } = read("");
    assert_eq!((by, direction, carry), (header("x-request-id"), Direction::Auto, None));
    assert_eq!((ttl, capacity), (Duration::from_secs(30), 16384));
    assert_eq!((max_value_bytes, max_entry_bytes), (1024, 2048));
}

#[test]
fn every_direction_can_be_given() {
    let directions =
        [("auto", Direction::Auto), ("inbound", Direction::Inbound), ("outbound", Direction::Outbound)];
    for (word, direction) in directions {
        assert_eq!(read(&format!(r#""direction": "{word}""#)).direction, direction);
    }
    check(
        &correlate(r#""direction": "in""#),
        "correlate.direction: found `in`, expected one of `auto`, `inbound`, `outbound`",
    );
}

#[test]
fn numbers_have_bounds() {
    for (field, least, most) in
        [("capacity", 64, 1_048_576), ("max_value_bytes", 16, 8192), ("max_entry_bytes", 64, 32768)]
    {
        // Otherwise the table could be too large.
        let small = if field == "capacity" { "" } else { r#", "capacity": 64"# };
        good(&correlate(&format!(r#""{field}": {least}{small}"#)));
        if field != "capacity" {
            good(&correlate(&format!(r#""{field}": {most}{small}"#)));
        }
        for number in [least - 1, most + 1] {
            check(
                &correlate(&format!(r#""{field}": {number}{small}"#)),
                &format!("correlate.{field}: found {number}, expected an integer from {least} to {most}"),
            );
        }
    }
}

/// 256 MiB, by the entries with what they need besides their headers.
#[test]
fn the_table_has_a_bound() {
    const MOST: u64 = 256 << 20;
    // 1 048 576 entries have 256 bytes each: 56 for headers.
    let message = |bytes: u64| {
        format!(
            "correlate.capacity: found room for {bytes} bytes with `max_entry_bytes`, expected at most {MOST}"
        )
    };
    let of = |capacity: u64, entry: u64| {
        correlate(&format!(r#""capacity": {capacity}, "max_entry_bytes": {entry}"#))
    };
    check(&of(1_048_576, 64), &message(1_048_576 * 264));
    let most = MOST / 264;
    check(&of(most, 64), "");
    check(&of(most + 1, 64), &message((most + 1) * 264));
    let most = MOST / 2248;
    check(&correlate(&format!(r#""capacity": {most}"#)), "");
    check(&correlate(&format!(r#""capacity": {}"#, most + 1)), &message((most + 1) * 2248));
}

#[test]
fn entries_live_for_1_second_to_10_minutes() {
    for (ttl, seconds) in [("1s", 1), ("10m", 600)] {
        assert_eq!(read(&format!(r#""ttl": "{ttl}""#)).ttl, Duration::from_secs(seconds));
    }
    for ttl in ["999ms", "601s", "30"] {
        check(
            &correlate(&format!(r#""ttl": "{ttl}""#)),
            &format!(
                "correlate.ttl: found `{ttl}`, expected a duration from 1s to 10m, as \"250ms\", \"1m\" or \"1h30m\""
            ),
        );
    }
}

#[test]
fn headers_are_carried_by_name() {
    let carry = read(r#""carry": ["Traceparent", "x-mesh-variant"]"#).carry.unwrap();
    assert_eq!(carry, [header("traceparent"), header("x-mesh-variant")]);
    check(&correlate(r#""carry": []"#), "correlate.carry: found an empty array, expected at least one item");
    check(
        &correlate(r#""carry": ["a", "b", "a"]"#),
        "correlate.carry[2]: found `a`, expected a header that is not named yet",
    );
    check(&correlate(r#""carry": ["a b"]"#), "correlate.carry[0]: found `a b`, expected a header name");
    const HOST: &str = "found `host`, expected another header: the proxy passes the host on as `:authority`";
    check(
        &correlate(r#""by": "host", "carry": ["host"]"#),
        &format!("correlate.by: {HOST}\ncorrelate.carry[0]: {HOST}"),
    );
}

/// They are for one message or one connection.
#[test]
fn what_frames_a_message_is_refused() {
    const OTHER: &str = "expected another header: this one is for one message or one connection";
    for name in [
        "content-length",
        "transfer-encoding",
        "te",
        "connection",
        "keep-alive",
        "upgrade",
        "trailer",
        "expect",
        "proxy-connection",
        "proxy-authorization",
        "Proxy-Anything",
        "transfer_encoding",
    ] {
        let found = format!("found `{name}`, {OTHER}");
        check(
            &correlate(&format!(r#""by": "{name}", "carry": ["{name}"]"#)),
            &format!("correlate.by: {found}\ncorrelate.carry[0]: {found}"),
        );
    }
    read(r#""by": "proxy", "carry": ["content-type", "te-x"]"#);
}

/// Whoever chooses request ids can have its own put on others' calls.
#[test]
fn what_grants_access_is_not_carried() {
    const OTHER: &str =
        "expected another header: this one grants access, and could be put on calls that others have caused";
    for name in [
        "authorization",
        "cookie",
        "Set-Cookie",
        "x-forwarded-client-cert",
        "x-forwarded-for",
        "x-envoy-external-address",
        "X-Envoy-Anything",
        "x_forwarded_client_cert",
    ] {
        check(
            &correlate(&format!(r#""carry": ["traceparent", "{name}"]"#)),
            &format!("correlate.carry[1]: found `{name}`, {OTHER}"),
        );
        // It may name a request.
        read(&format!(r#""by": "{name}""#));
    }
    read(r#""carry": ["x-forwarded-proto", "x-envoy", "cookies"]"#);
}

#[test]
fn headers_are_32_at_most() {
    let carry = |number: usize| {
        let names: Vec<_> = (0..number).map(|index| format!(r#""h{index}""#)).collect();
        correlate(&format!(r#""carry": [{}]"#, names.join(", ")))
    };
    assert_eq!(good(&carry(32)).correlate.unwrap().carry.unwrap().len(), 32);
    check(&carry(33), "correlate.carry: found 33 headers, expected at most 32");
}
