use super::KeyPart;
use crate::facts::Facts;
use crate::headers::Headers;
use crate::matching::request::MatchInput;
use crate::testing::{read_field, test};
use std::borrow::Cow;

fn part(key: &str) -> KeyPart {
    read_field("key", key, KeyPart::kind()).unwrap()
}

/// The value of a part, and the single one, for a request with these headers, one `name: value` per line.
fn values(part: &KeyPart, request: &str) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let headers = Headers::from_pairs(request.lines().filter_map(|line| line.split_once(": ")));
    let facts = Facts::of(&headers);
    let input = MatchInput::new(&facts, None);
    (part.value(&input).map(Cow::into_owned), part.single(&input).map(Cow::into_owned))
}

fn value(part: &KeyPart, request: &str) -> Option<Vec<u8>> {
    values(part, request).0
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

/// Asserts that the part's single value is `expected`, and that `value` then is the same.
#[track_caller]
fn check_single(key: &str, request: &str, expected: &str) {
    let expected = Some(expected.as_bytes().to_vec());
    assert_eq!(values(&part(key), request), (expected.clone(), expected), "{key} of {request:?}");
}

/// Asserts that the part has no single value; `has_value`: whether it has one for counting.
#[track_caller]
fn check_not_single(key: &str, request: &str, has_value: bool) {
    let (value, single) = values(&part(key), request);
    assert_eq!((value.is_some(), single), (has_value, None), "{key} of {request:?}");
}

#[test]
fn a_value_that_is_there_once_is_single() {
    check_single(r#"{"header": "x-user"}"#, "x-user: a", "a");
    check_single(r#"{"header": "x-user"}"#, "x-user: a, b", "a, b");
    check_single(r#"{"header": "authorization"}"#, "authorization: BEARER  T", "bearer T");
    check_single(r#"{"cookie": "uid"}"#, "cookie: a=b; uid=\"%61\"", "a");
    check_single(r#"{"query": "uid"}"#, ":path: /?a=b&uid=%61", "a");
    check_single(r#""path""#, ":path: /a?b", "/a");
    check_single(r#""method""#, ":method: get", "GET");
    check_single(r#""host""#, ":authority: A.test:1", "a.test");
    check_single(r#"{"constant": "all"}"#, "x-user: a", "all");
}

#[test]
fn a_repeated_value_is_not_single() {
    check_not_single(r#"{"header": "x-user"}"#, "x-user: a\nx-user: b", true);
    check_not_single(r#"{"header": "x-user"}"#, "x-user: a\nX-User: a", true);
    check_not_single(r#"{"header": "authorization"}"#, "authorization: A b\nauthorization: A b", true);
    check_not_single(r#"{"cookie": "uid"}"#, "cookie: uid=a; uid=b", true);
    check_not_single(r#"{"cookie": "uid"}"#, "cookie: uid=a\ncookie: uid=a", true);
    check_not_single(r#"{"query": "uid"}"#, ":path: /?uid=a&uid=", true);
}

#[test]
fn an_absent_value_is_not_single() {
    check_not_single(r#"{"header": "x-user"}"#, "x-other: a", false);
    check_not_single(r#"{"cookie": "uid"}"#, "cookie: UID=a", false);
    check_not_single(r#"{"query": "uid"}"#, ":path: /", false);
    check_not_single(r#""method""#, "x-user: a", false);
    check_not_single(r#""client_ip""#, "x-user: a", false);
}

/// A client can write the value that repeated parameters share; it is single all the same.
#[test]
fn the_text_of_the_repeated_value_can_be_single() {
    check_single(r#"{"query": "uid"}"#, ":path: /?uid=%00repeated", "\0repeated");
    check_same(r#"{"query": "uid"}"#, &[":path: /?uid=%00repeated", ":path: /?uid=a&uid=b"]);
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
