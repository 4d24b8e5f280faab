//! Results of responses.

use super::{Answered, Failure, Next, Step, read};
use crate::config::Remote;
use crate::jwks::tests::simulation::{remote, text};
use mesh_policy::headers::{HeaderValue, Headers};
use serde_json::json;
use std::time::Duration;

fn answered<'a>(status: Option<u16>, headers: &'a Headers, body: &'a [u8]) -> Answered<'a> {
    Answered { status, headers, body, is_complete: true }
}

fn keys(max_age: Option<Duration>) -> Next {
    Next::Keys { max_age, skipped: Vec::new() }
}

#[track_caller]
fn check_set(status: Option<u16>, body: &[u8], is_complete: bool, expected: Result<(), &str>) {
    let headers = Headers::default();
    let answered = Answered { is_complete, ..answered(status, &headers, body) };
    let read = read(Step::KeySet, &remote(), &answered).map_err(|failure| failure.to_string());
    assert_eq!(read, expected.map(|()| keys(None)).map_err(str::to_owned));
}

#[test]
fn key_sets() {
    let set = text(1);
    check_set(Some(200), &set, true, Ok(()));
    for status in [201, 204, 206, 301, 302, 304, 307, 308, 401, 404, 500, 503, 504] {
        check_set(Some(status), &set, true, Err(&format!("status {status}")));
    }
    check_set(None, &set, true, Err("no response"));
    check_set(Some(200), &set, false, Err("the response is too large"));
    let (half, _) = set.split_at(set.len() / 2);
    for body in [half, b"", b"<!doctype html><h1>Maintenance</h1>", b"\xff\xfe", b"{\"keys\""] {
        let read = read(Step::KeySet, &remote(), &answered(Some(200), &Headers::default(), body));
        assert!(matches!(read, Err(Failure::NoKeys(_))), "{body:?}");
    }
    check_set(Some(200), b"{}", true, Err("expected an object with an array `keys`"));
    check_set(Some(200), br#"{"keys": []}"#, true, Err("no key can be used"));
    let openid = "the response is an OpenID configuration, not a key set; use `discovery` instead of `path`";
    check_set(Some(200), br#"{"issuer": "https://i", "jwks_uri": "https://i/keys"}"#, true, Err(openid));
}

#[test]
fn what_the_log_says_of_a_failure() {
    for (failure, expected) in [
        (Failure::NotSent("Envoy has no cluster `x`".into()), "Envoy has no cluster `x`"),
        (Failure::NoUri, "no OpenID configuration with a `jwks_uri`"),
        (Failure::ElsewhereUri, "`jwks_uri` is on another host"),
    ] {
        assert_eq!(failure.to_string(), expected);
    }
}

#[track_caller]
fn check_age(lines: &[&str], expected: Option<u64>) {
    let headers = Headers::from_pairs(lines.iter().map(|line| ("cache-control", line)));
    let read = read(Step::KeySet, &remote(), &answered(Some(200), &headers, &text(1)));
    assert_eq!(read, Ok(keys(expected.map(Duration::from_secs))), "{lines:?}");
}

#[test]
fn max_age() {
    check_age(&[], None);
    check_age(&["public"], None);
    check_age(&["max-age=60"], Some(60));
    check_age(&["public, Max-Age=60 , must-revalidate"], Some(60));
    check_age(&["public", "max-age=60"], Some(60));
    check_age(&["max-age=\"60\""], Some(60));
    check_age(&["max-age=0"], Some(0));
    // RFC 9111, section 4.2.1: the first one counts.
    check_age(&["max-age=60, max-age=5"], Some(60));
    check_age(&["max-age=60", "max-age=5"], Some(60));
    check_age(&["no-store"], Some(0));
    check_age(&["max-age=60, no-cache"], Some(0));
    check_age(&["no-store", "max-age=60"], Some(0));
    // `no-cache` with a field name applies to that header only.
    check_age(&["no-cache=\"set-cookie\", max-age=60"], Some(60));
    check_age(&["max-age=18446744073709551615"], Some(u64::MAX));
    for garbage in [
        "max-age",
        "max-age=",
        "max-age=\"\"",
        "max-age=\"",
        "max-age=-1",
        "max-age=+1",
        "max-age=1.5",
        "max-age=1s",
        "max-age = 60",
        "max-age=18446744073709551616",
        "s-maxage=60",
        "xmax-age=60",
        ",,,",
        "",
    ] {
        check_age(&[garbage], None);
    }
}

#[track_caller]
fn check_uri(host: &str, uri: &str, expected: Result<&str, Failure>) {
    let remote = Remote { host: HeaderValue::text(host), ..remote() };
    let body = json!({"issuer": "https://elsewhere.example", "jwks_uri": uri}).to_string();
    let read = read(Step::Discovery, &remote, &answered(Some(200), &Headers::default(), body.as_bytes()));
    assert_eq!(read, expected.map(|path| Next::Ask(HeaderValue::text(path))), "{uri}");
}

#[test]
fn discovery_on_the_same_host() {
    let host = "auth.example.com";
    check_uri(host, "https://auth.example.com/keys", Ok("/keys"));
    check_uri(host, "http://auth.example.com/keys", Ok("/keys"));
    check_uri(host, "https://auth.example.com:443/keys", Ok("/keys"));
    check_uri(host, "http://auth.example.com:80/keys", Ok("/keys"));
    check_uri(host, "https://AUTH.Example.com/Keys", Ok("/Keys"));
    check_uri(host, "https://auth.example.com/keys?v=1&w=%2F", Ok("/keys?v=1&w=%2F"));
    check_uri(host, "https://auth.example.com/keys#first", Ok("/keys"));
    check_uri(host, "https://auth.example.com/", Ok("/"));
    check_uri("auth.example.com:443", "https://auth.example.com/keys", Ok("/keys"));
    check_uri("auth.example.com:8443", "https://auth.example.com:8443/keys", Ok("/keys"));
    check_uri("[::1]:8080", "http://[::1]:8080/keys", Ok("/keys"));
}

#[test]
fn discovery_elsewhere() {
    let host = "auth.example.com";
    for uri in [
        "https://evil.example/keys",
        "https://auth.example.com.evil.example/keys",
        "https://auth.example.com@evil.example/keys",
        "https://evil.example@auth.example.com/keys",
        "https://user:password@auth.example.com/keys",
        "https://auth.example.com:8443/keys",
        "https://auth.example.com:80/keys",
        "http://auth.example.com:443/keys",
        "https://auth.example.com:/keys",
        "https://auth.example.com\\@evil.example/keys",
        "https://evil.example#@auth.example.com/keys",
        "https://evil.example?@auth.example.com/keys",
        "https://auth.example.com%2Fkeys",
        "https://auth.example.com./keys",
        "https:///keys",
        "https:////auth.example.com/keys",
        "https:// auth.example.com/keys",
    ] {
        check_uri(host, uri, Err(Failure::ElsewhereUri));
    }
    for uri in [
        "",
        "/keys",
        "keys",
        "//auth.example.com/keys",
        "ftp://auth.example.com/keys",
        "https:auth.example.com/keys",
        "https://auth.example.com",
        "https://auth.example.com#/keys",
        "https://auth.example.com?/keys",
        "https://auth.example.com/a b",
        "https://auth.example.com/a\r\nhost: evil.example",
        "https://auth.example.com/a\u{0}",
        "https://auth.example.com/\u{e9}",
    ] {
        check_uri(host, uri, Err(Failure::NoUri));
    }
}

#[test]
fn what_is_no_openid_configuration() {
    for body in [
        "",
        "<html>",
        "[]",
        "{}",
        r#"{"jwks_uri": null}"#,
        r#"{"jwks_uri": ["https://auth.example.com/"]}"#,
        r#"{"jwks_uri": "https://auth.example.com/a", "jwks_uri": "https://auth.example.com/b"}"#,
    ] {
        let read =
            read(Step::Discovery, &remote(), &answered(Some(200), &Headers::default(), body.as_bytes()));
        assert_eq!(read, Err(Failure::NoUri), "{body}");
    }
    let read = read(Step::Discovery, &remote(), &answered(Some(302), &Headers::default(), b"{}"));
    assert_eq!(read, Err(Failure::Status(Some(302))));
}
