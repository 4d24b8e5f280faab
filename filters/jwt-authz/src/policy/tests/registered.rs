//! Boundary cases of the registered claims.

use super::gateway::{Gateway, NOW, token_of};
use serde_json::{Value as Json, json};
use std::time::Duration;

/// The outcome for a token with this payload, in which `<+5>` stands for five seconds from now.
#[track_caller]
fn check(provider: &Json, payload: &str, expected: &str) {
    let gateway = Gateway::with(provider, &json!({"default": "allow"}));
    let mut text = String::new();
    for part in payload.split_inclusive('>') {
        let (before, offset) =
            part.strip_suffix('>').and_then(|part| part.split_once('<')).unwrap_or((part, ""));
        text += before;
        if let Ok(offset) = offset.parse::<f64>() {
            // An integer is written without a fraction.
            text += &(Duration::from_secs(NOW).as_secs_f64() + offset).to_string();
        }
    }
    assert_eq!(gateway.judge(token_of("k", &text).as_bytes()), expected, "{text}");
}

/// With a leeway of 30 seconds. A token must not be accepted on or after `exp` (RFC 7519, section 4.1.4).
#[test]
fn expiration() {
    let check = |payload: &str, expected: &str| check(&json!({}), payload, expected);
    check(r#"{"exp": <+60>}"#, "+");
    check(r#"{"exp": <+0>}"#, "+");
    check(r#"{"exp": <-29>}"#, "+");
    check(r#"{"exp": <-29.5>}"#, "+");
    check(r#"{"exp": <-30>}"#, "expired");
    check(r#"{"exp": <-30.5>}"#, "expired");
    check(r#"{"exp": <-31>}"#, "expired");
    check(r#"{"exp": 1.7e9}"#, "+");
    check(r#"{"exp": 0}"#, "expired");
    check(r#"{"exp": -1}"#, "expired");
    check(r#"{"exp": -9223372036854775808}"#, "expired");
    check(r#"{"exp": -1e300}"#, "expired");
    check(r#"{"exp": 9223372036854775807}"#, "+");
    check(r#"{"exp": 18446744073709551615}"#, "+");
    check(r#"{"exp": 18446744073709551616}"#, "+");
    check(r#"{"exp": 1e300}"#, "+");
    // Larger than any float: the JSON parser refuses it.
    check(r#"{"exp": 1e400}"#, "bad_claims");
    check(r#"{"exp": "1700000060"}"#, "bad_claims");
    check(r#"{"exp": null}"#, "bad_claims");
    check(r#"{"exp": true}"#, "bad_claims");
    check(r#"{"exp": [1700000060]}"#, "bad_claims");
    check(r#"{}"#, "bad_claims");
}

#[test]
fn tokens_without_an_end() {
    let open = json!({"require_expiration": false});
    check(&open, "{}", "+");
    check(&open, r#"{"exp": <-30>}"#, "expired");
    check(&open, r#"{"exp": null}"#, "bad_claims");
    // Without `exp` the lifetime is unbounded.
    check(&json!({"require_expiration": false, "max_lifetime": "1h"}), "{}", "bad_claims");
}

/// An `exp` further in the future than `max_lifetime`, plus the leeway, is refused.
#[test]
fn lifetimes() {
    let hour = json!({"max_lifetime": "1h"});
    check(&hour, r#"{"exp": <+3600>}"#, "+");
    check(&hour, r#"{"exp": <+3630>}"#, "+");
    check(&hour, r#"{"exp": <+3630.5>}"#, "bad_claims");
    check(&hour, r#"{"exp": <+3631>}"#, "bad_claims");
    check(&hour, r#"{"exp": 1e300}"#, "bad_claims");
    check(&hour, r#"{"exp": <-31>}"#, "expired");
    check(&json!({"max_lifetime": "1h", "leeway": "0s"}), r#"{"exp": <+3600>}"#, "+");
    check(&json!({"max_lifetime": "1h", "leeway": "0s"}), r#"{"exp": <+3601>}"#, "bad_claims");
}

#[test]
fn leeways() {
    let none = json!({"leeway": "0s"});
    check(&none, r#"{"exp": <+1>}"#, "+");
    check(&none, r#"{"exp": <+0.5>}"#, "+");
    check(&none, r#"{"exp": <+0>}"#, "expired");
    check(&none, r#"{"exp": <+9>, "nbf": <+0>}"#, "+");
    check(&none, r#"{"exp": <+9>, "nbf": <+0.5>}"#, "not_yet_valid");
    check(&json!({"leeway": "1h"}), r#"{"exp": <-3599>}"#, "+");
}

#[test]
fn beginnings() {
    for name in ["nbf", "iat"] {
        let check = |value: &str, expected: &str| {
            check(&json!({}), &format!(r#"{{"exp": <+60>, "{name}": {value}}}"#), expected);
        };
        check("<+0>", "+");
        check("<-999>", "+");
        check("<+30>", "+");
        check("<+30.5>", "not_yet_valid");
        check("<+31>", "not_yet_valid");
        check("1e300", "not_yet_valid");
        check("18446744073709551616", "not_yet_valid");
        check("-1", "+");
        check("0", "+");
        check("-1e300", "+");
        check("1e400", "bad_claims");
        check("\"0\"", "bad_claims");
        check("null", "bad_claims");
        check("false", "bad_claims");
        check("{}", "bad_claims");
    }
}

#[test]
fn audiences() {
    let two = json!({"audiences": ["api", "web"]});
    let check = |aud: &str, expected: &str| {
        check(&two, &format!(r#"{{"exp": <+60>, "aud": {aud}}}"#), expected);
    };
    check(r#""api""#, "+");
    check(r#""web""#, "+");
    check(r#"["other", "web"]"#, "+");
    check(r#""API""#, "wrong_audience");
    check(r#""api web""#, "wrong_audience");
    check(r#""api ""#, "wrong_audience");
    check(r#""""#, "wrong_audience");
    check("[]", "wrong_audience");
    check(r#"["other"]"#, "wrong_audience");
    check(r#"["api", 5]"#, "bad_claims");
    check(r#"[["api"]]"#, "bad_claims");
    check(r#"{"api": 1}"#, "bad_claims");
    check("5", "bad_claims");
    check("null", "bad_claims");
    super::registered::check(&two, r#"{"exp": <+60>}"#, "wrong_audience");
    // `aud` is not checked unless configured.
    super::registered::check(&json!({}), r#"{"exp": <+60>, "aud": 5}"#, "+");
}

#[test]
fn issuers_and_subjects() {
    let issuer = json!({"issuer": "https://auth.example.com"});
    for (iss, expected) in [
        (r#""https://auth.example.com""#, "+"),
        (r#""https://auth.example.com/""#, "wrong_issuer"),
        (r#""HTTPS://auth.example.com""#, "wrong_issuer"),
        (r#"["https://auth.example.com"]"#, "wrong_issuer"),
        ("null", "wrong_issuer"),
        ("5", "wrong_issuer"),
    ] {
        check(&issuer, &format!(r#"{{"exp": <+60>, "iss": {iss}}}"#), expected);
    }
    check(&issuer, r#"{"exp": <+60>}"#, "wrong_issuer");
    check(&json!({}), r#"{"exp": <+60>, "iss": 5}"#, "+");

    let subjects = json!({"subjects": [{"prefix": "user-"}, "root"]});
    for (sub, expected) in [
        (r#""user-1""#, "+"),
        (r#""root""#, "+"),
        (r#""user""#, "wrong_subject"),
        (r#""xuser-1""#, "wrong_subject"),
        (r#"["user-1"]"#, "wrong_subject"),
        ("5", "wrong_subject"),
        ("null", "wrong_subject"),
    ] {
        check(&subjects, &format!(r#"{{"exp": <+60>, "sub": {sub}}}"#), expected);
    }
    check(&subjects, r#"{"exp": <+60>}"#, "wrong_subject");
}

/// A wrong issuer is reported before an expired token.
#[test]
fn the_first_that_is_wrong_is_named() {
    let all = json!({"issuer": "i", "audiences": ["a"], "subjects": ["s"]});
    check(&all, r#"{"exp": 1}"#, "wrong_issuer");
    check(&all, r#"{"exp": 1, "iss": "i"}"#, "wrong_audience");
    check(&all, r#"{"exp": 1, "iss": "i", "aud": "a"}"#, "wrong_subject");
    check(&all, r#"{"exp": 1, "iss": "i", "aud": "a", "sub": "s"}"#, "expired");
    check(&all, r#"{"exp": <+9>, "nbf": <+99>, "iss": "i", "aud": "a", "sub": "s"}"#, "not_yet_valid");
    check(&all, r#"{"exp": <+9>, "nbf": 0, "iss": "i", "aud": "a", "sub": "s"}"#, "+");
}
