use super::{PATTERN, kind, parse};
use crate::testing::{read_field, test};
use std::time::Duration;

#[cfg(not(target_arch = "wasm32"))]
mod laws;

/// `expected`: seconds since 1970, and nanoseconds.
#[track_caller]
fn check(text: &str, expected: Option<(u64, u32)>) {
    assert_eq!(parse(text), expected.map(|(seconds, nanos)| Duration::new(seconds, nanos)), "{text}");
}

#[track_caller]
fn check_refused(texts: &[&str]) {
    for text in texts {
        check(text, None);
    }
}

#[test]
fn date_times() {
    check("1970-01-01T00:00:00Z", Some((0, 0)));
    check("2000-02-29T23:59:59Z", Some((951_868_799, 0)));
    check("2026-11-20T10:00:00Z", Some((1_795_168_800, 0)));
    check("2038-01-19T03:14:08Z", Some((2_147_483_648, 0)));
    check("9999-12-31T23:59:59Z", Some((253_402_300_799, 0)));
}

#[test]
fn the_examples_of_the_rfc() {
    check("1985-04-12T23:20:50.52Z", Some((482_196_050, 520_000_000)));
    check("1996-12-19T16:39:57-08:00", Some((851_042_397, 0)));
    check("1990-12-31T23:59:60Z", Some((662_688_000, 0)));
    check("1990-12-31T15:59:60-08:00", Some((662_688_000, 0)));
    // Before 1970.
    check("1937-01-01T12:00:27.87+00:20", None);
}

#[test]
fn t_and_z_may_be_in_lower_case() {
    check("2026-11-20t10:00:00z", Some((1_795_168_800, 0)));
}

#[test]
fn any_offset_is_subtracted() {
    for text in [
        "2026-11-20T10:00:00+00:00",
        "2026-11-20T10:00:00-00:00",
        "2026-11-20T15:45:00+05:45",
        "2026-11-19T22:30:00-11:30",
        "2026-11-21T09:59:00+23:59",
        "2026-11-19T10:01:00-23:59",
    ] {
        check(text, Some((1_795_168_800, 0)));
    }
    check("1969-12-31T23:00:00-01:00", Some((0, 0)));
    check("9999-12-31T23:59:59-23:59", Some((253_402_387_139, 0)));
    check_refused(&["1970-01-01T00:59:59+01:00", "1969-12-31T23:59:59.999999999Z", "0000-01-01T00:00:00Z"]);
}

#[test]
fn fractions_are_exact_to_nanoseconds() {
    check("1970-01-01T00:00:00.5Z", Some((0, 500_000_000)));
    check("1970-01-01T00:00:01.000000001Z", Some((1, 1)));
    check("1970-01-01T00:00:01.100000000+00:00", Some((1, 100_000_000)));
    check("1970-01-01T00:00:59.999999999Z", Some((59, 999_999_999)));
    check_refused(&[
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00,5Z",
        "1970-01-01T00:00:00.0000000001Z",
        "1970-01-01T00:00:00.1234567890Z",
        "1970-01-01T00:00:00.5",
        "1970-01-01T00:00:00.5.5Z",
        "1970-01-01T00:00.5Z",
    ]);
    let long = format!("1970-01-01T00:00:00.{}Z", "9".repeat(5_000));
    check(&long, None);
}

#[test]
fn a_leap_second_is_the_first_instant_of_the_next_day() {
    check("2016-12-31T23:59:60Z", Some((1_483_228_800, 0)));
    check("2016-12-31T23:59:60.75Z", Some((1_483_228_800, 0)));
    check("2017-01-01T08:59:60+09:00", Some((1_483_228_800, 0)));
    check("1969-12-31T23:59:60Z", Some((0, 0)));
    check_refused(&[
        "2016-12-31T22:59:60Z",
        "2016-12-31T23:58:60Z",
        "2016-12-31T23:59:60+01:00",
        "2016-12-31T23:59:61Z",
    ]);
}

#[test]
fn days_that_do_not_exist_are_refused() {
    for day in ["2024-02-29", "2000-02-29", "2400-02-29", "2026-04-30", "2026-12-31"] {
        assert!(parse(&format!("{day}T00:00:00Z")).is_some(), "{day}");
    }
    for day in [
        "2026-02-29",
        "2100-02-29",
        "2024-02-30",
        "2026-04-31",
        "2026-06-31",
        "2026-09-31",
        "2026-11-31",
        "2026-12-32",
        "2026-01-00",
        "2026-00-01",
        "2026-13-01",
    ] {
        check(&format!("{day}T00:00:00Z"), None);
    }
}

#[test]
fn anything_else_is_refused() {
    check_refused(&[
        "",
        "Z",
        "2026-11-20",
        "2026-11-20T10:00:00",
        "2026-11-20T10:00Z",
        "2026-11-20T10Z",
        "2026-11-20 10:00:00Z",
        "2026-11-20_10:00:00Z",
        " 2026-11-20T10:00:00Z",
        "2026-11-20T10:00:00Z ",
        "2026-11-20T10:00:00Z\n",
        "2026-11-20T10:00:00 Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T10:60:00Z",
        "2026-11-20T10:00:00+24:00",
        "2026-11-20T10:00:00+01:60",
        "2026-11-20T10:00:00+0100",
        "2026-11-20T10:00:00+01",
        "2026-11-20T10:00:00\u{2212}01:00",
        "2026-11-20T10:00:00UTC",
        "2026-11-20T10:00:00ZZ",
        "2026-11-20T10:00:00Z+01:00",
        "20261120T100000Z",
        "26-11-20T10:00:00Z",
        "12026-11-20T10:00:00Z",
        "+2026-11-20T10:00:00Z",
        "-026-11-20T10:00:00Z",
        "2026-11-2\u{660}T10:00:00Z",
        "2026-W47-5T10:00:00Z",
        "1795168800",
        "tomorrow",
    ]);
}

#[test]
fn the_message_gives_an_example() {
    let check = |json: &str, found: &str| {
        let message = read_field("start", json, kind()).err();
        let expected =
            format!("start: found {found}, expected a time since 1970, such as `2026-11-20T10:00:00Z`");
        assert_eq!(message, Some(expected), "{json}");
    };
    check(r#""2026-11-20 10:00:00""#, "`2026-11-20 10:00:00`");
    check(r#""1969-01-01T00:00:00Z""#, "`1969-01-01T00:00:00Z`");
    let read = read_field("start", r#""2026-11-20T10:00:00Z""#, kind());
    assert_eq!(read, Ok(Duration::from_secs(1_795_168_800)));
    assert_eq!(
        read_field("start", "1795168800", kind()),
        Err("start: found 1795168800, expected a string".to_owned())
    );
}

#[test]
fn the_description_has_the_format_and_the_pattern() {
    let schema = mesh_config::schema("time", "", &kind()).to_json();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(schema["type"], "string");
    assert_eq!(schema["format"], "date-time");
    assert_eq!(schema["pattern"], PATTERN);
    for example in schema["examples"].as_array().unwrap() {
        assert!(parse(example.as_str().unwrap()).is_some(), "{example}");
    }
}
