use super::KeyPart;
use crate::facts::Facts;
use crate::headers::Headers;
use crate::matching::request::MatchInput;
use crate::testing::{read_field, test};

fn part(key: &str) -> KeyPart {
    read_field("key", key, KeyPart::kind()).unwrap()
}

/// The value of a part for a request with these headers, one `name: value` per line.
fn value(part: &KeyPart, request: &str) -> Option<Vec<u8>> {
    let headers = Headers::from_pairs(request.lines().filter_map(|line| line.split_once(": ")));
    let facts = Facts::of(&headers);
    part.value(&MatchInput::new(&facts, None)).map(|value| value.into_owned())
}

/// Asserts that all of these requests have one value.
#[track_caller]
fn check_same(key: &str, requests: &[&str]) {
    let part = part(key);
    let first = value(&part, requests[0]);
    assert!(first.is_some(), "{}", requests[0]);
    for request in requests {
        assert_eq!(value(&part, request), first, "{key} of {request}");
    }
}

#[track_caller]
fn check_distinct(key: &str, requests: &[&str]) {
    let part = part(key);
    let mut values: Vec<_> = requests.iter().map(|request| value(&part, request)).collect();
    values.sort_unstable();
    values.dedup();
    assert_eq!(values.len(), requests.len(), "{key} of {requests:?}");
}

#[test]
fn one_credential_has_one_bucket() {
    for name in ["authorization", "proxy-authorization"] {
        let key = format!(r#"{{"header": "{name}"}}"#);
        let spellings = ["Bearer T", "bearer T", "BEARER T", "Bearer  T", "Bearer \t T", "Bearer T "];
        let requests = spellings.map(|value| format!("{name}: {value}"));
        check_same(&key, &requests.each_ref().map(String::as_str));
        check_distinct(
            &key,
            &[&format!("{name}: Bearer T"), &format!("{name}: Bearer t"), &format!("{name}: T")],
        );
    }
    check_same(
        r#"{"cookie": "session"}"#,
        &[
            "cookie: session=abc",
            "cookie: a=b; session=\"abc\"",
            "cookie: session = abc ",
            "cookie: session=%61bc",
            "cookie: session=\"\\141bc\"",
        ],
    );
    check_same(r#"{"header": "x-api-key"}"#, &["x-api-key: a", "x-api-key:  a\t"]);
    check_distinct(r#"{"header": "x-api-key"}"#, &["x-api-key: a b", "x-api-key: a  b", "x-api-key: A b"]);
}

#[test]
fn a_path_that_can_be_read_in_several_ways_has_one_bucket() {
    check_same(
        r#""path""#,
        &[
            ":path: /api/x",
            ":path: /api/x?y",
            ":path: /api//x",
            ":path: /a/../api/x",
            ":path: /a/..%2fapi/x",
            ":path: /api%2fx",
            ":path: /api\\x",
            ":path: /api;v=1/x",
            ":path: /api%3Bv/x",
            ":path: //evil/api/x",
        ],
    );
    assert_eq!(value(&part(r#""path""#), ":method: CONNECT"), None);
}

#[test]
fn a_method_has_one_bucket_in_any_case() {
    check_same(r#""method""#, &[":method: POST", ":method: post", ":method: Post"]);
    assert_eq!(value(&part(r#""method""#), "a: b"), None);
}

#[test]
fn a_host_has_one_bucket() {
    check_same(
        r#""host""#,
        &[
            ":authority: a.test",
            ":authority: A.test",
            ":authority: a.test:81",
            ":authority: a.test.",
            ":authority: a.test.:1",
        ],
    );
    check_same(r#""host""#, &[":authority: u@a.test", ":authority: a.test..", ":authority: a.test,b.test"]);
    check_distinct(
        r#""host""#,
        &[":authority: a.test", ":authority: u@a.test", ":authority: b.test", "a: b"],
    );
}

/// Integers beyond 64 bits are read as floats; two users must not share a bucket because of this.
#[test]
fn ids_beyond_64_bits_do_not_share_a_bucket() {
    let value = |claims: &str| {
        let claims = serde_json::from_str(claims).unwrap();
        let headers = Headers::EMPTY;
        let facts = Facts { claims: Some(&claims), ..Facts::of(&headers) };
        let part = part(r#"{"claim": "id"}"#);
        part.value(&MatchInput::new(&facts, None)).map(|value| String::from_utf8(value.into_owned()).unwrap())
    };
    // As floats, these ids would equal others.
    for id in ["18446744073709551616", "18446744073709551617", "-9223372036854775809"] {
        assert_eq!(value(&format!(r#"{{"id": {id}}}"#)), None, "{id}");
        assert_eq!(value(&format!(r#"{{"id": [{id}]}}"#)), None, "{id}");
        assert_eq!(value(&format!(r#"{{"id": {{"a": {id}}}}}"#)), None, "{id}");
    }
    for (claim, expected) in [
        ("18446744073709551615", "18446744073709551615"),
        (r#""18446744073709551617""#, "18446744073709551617"),
        ("1.5", "1.5"),
        ("true", "true"),
        (r#"["a", 7]"#, r#"["a",7]"#),
    ] {
        assert_eq!(value(&format!(r#"{{"id": {claim}}}"#)).as_deref(), Some(expected), "{claim}");
    }
}

/// An unknown word is often the name of a header.
#[test]
fn a_header_s_name_alone_gets_the_long_form() {
    let problem = |key: &str| read_field("key", key, KeyPart::kind()).err().unwrap();
    assert!(problem(r#""client-ip""#).ends_with("did you mean `client_ip`?"));
    assert_eq!(
        problem(r#""x-api-key""#),
        "key: found `x-api-key`, expected one of `client_ip`, `path`, `method`, `host`, `principal`; for a header \
         write {\"header\": \"x-api-key\"}"
    );
}
