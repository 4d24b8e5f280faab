//! Keys of limits and of their overrides.

use crate::config::parse;
use mesh_policy::facts::Facts;
use mesh_policy::headers::Headers;
use mesh_policy::key_part::KeyPart;
use mesh_policy::matching::request::MatchInput;

fn part(key: &str) -> KeyPart {
    let config =
        format!(r#"{{"limits": [{{"name": "l", "key": [{key}], "rate": {{"requests": 1, "per": "1s"}}}}]}}"#);
    let config = parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
    config.limits[0].key[0].clone()
}

/// The value of a part for a request with these headers, one `name: value` per line.
fn value(part: &KeyPart, request: &str) -> Option<Vec<u8>> {
    let headers = Headers::from_pairs(request.lines().filter_map(|line| line.split_once(": ")));
    let facts = Facts::of(&headers);
    part.value(&MatchInput::new(&facts, None)).map(|value| value.into_owned())
}

/// An override may use any spelling of the key.
#[test]
fn overrides_are_folded_alike() {
    let check = |key: &str, text: &str, request: &str| {
        let limit = format!(
            r#"{{"limits": [{{"name": "l", "key": [{key}], "rate": {{"requests": 1, "per": "1s"}},
                "overrides": [{{"key": [{text}], "rate": {{"requests": 1, "per": "1s"}}}}]}}]}}"#
        );
        let config = parse(limit.as_bytes()).unwrap_or_else(|problems| panic!("{limit}\n{problems}"));
        assert_eq!(
            Some(&config.limits[0].overrides[0].key[0]),
            value(&part(key), request).as_ref(),
            "{text}"
        );
    };
    check(r#"{"header": "authorization"}"#, r#""BEARER  T""#, "authorization: bearer T");
    check(r#"{"cookie": "s"}"#, r#""\"abc\"""#, "cookie: s=abc");
    check(r#""path""#, r#""/a%2fb;c""#, ":path: /a/b");
    check(r#""method""#, r#""post""#, ":method: POST");
    check(r#""host""#, r#""A.test:80""#, ":authority: a.test");
}

#[test]
fn overrides_that_no_request_can_have_are_refused() {
    let check = |key: &str, text: &str, expected: &str| {
        let limit = format!(
            r#"{{"limits": [{{"name": "l", "key": [{key}], "rate": {{"requests": 1, "per": "1s"}},
                "overrides": [{{"key": [{text}], "rate": {{"requests": 1, "per": "1s"}}}}]}}]}}"#
        );
        let problems = parse(limit.as_bytes()).err().map(|problems| problems.to_string());
        assert_eq!(problems.as_deref(), Some(format!("limits[0].overrides[0].key[0]: {expected}").as_str()));
    };
    let trimmed = "expected no space at its ends: values are compared without";
    check(r#"{"header": "x"}"#, r#""gold ""#, &format!("found `gold `, {trimmed}"));
    check(r#"{"cookie": "s"}"#, r#"" gold""#, &format!("found ` gold`, {trimmed}"));
    check(r#""host""#, r#""u@a.test""#, "found `u@a.test`, expected a host");
    check(r#""path""#, r#""""#, "found ``, expected a path");
    check(
        r#""path""#,
        r#""/users/{id}""#,
        "found `/users/{id}`, expected one path: `{…}` is compared as text here",
    );
    check(r#""path""#, r#""/x?a=1""#, "found `/x?a=1`, expected a path without its query");
    check(
        r#""method""#,
        r#""G T""#,
        "found `G T`, expected a method, as `GET`; each method is an item of its own",
    );
}

/// In YAML, an empty field is `null`.
#[test]
fn null_lifts_no_restriction() {
    let check = |limit: &str, path: &str| {
        let config =
            format!(r#"{{"limits": [{{"name": "l", "rate": {{"requests": 1, "per": "1s"}}, {limit}}}]}}"#);
        let problems =
            parse(config.as_bytes()).err().map(|problems| problems.to_string()).unwrap_or_default();
        let message = "found null, expected a value; leave the field out for no restriction";
        assert_eq!(problems, format!("limits[0].{path}: {message}"));
    };
    check(r#""match": null"#, "match");
    check(r#""match": {"path": null}"#, "match.path");
    check(r#""key": null"#, "key");
    check(r#""overrides": null"#, "overrides");
    let problems = parse(br#"{"limits": null}"#).err().unwrap().to_string();
    assert_eq!(problems, "limits: found null, expected a value; leave the field out for no restriction");
}

/// If a match is undecided, the limit charges the request.
#[test]
fn a_limit_charges_what_it_may_be_for() {
    let check = |matches: &str, request: &str| {
        let config = format!(
            r#"{{"limits": [{{"name": "l", "match": {matches}, "rate": {{"requests": 1, "per": "1d"}}}}]}}"#
        );
        let simulation = super::simulation::Simulation::new(&[&config]);
        let headers = request.lines().filter_map(|line| line.split_once(": "));
        let headers: Vec<_> = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let arrival = super::simulation::Arrival { policy: 0, beside: Vec::new(), headers };
        simulation.arrive(&arrival);
        let outcome = simulation.arrive(&arrival).outcome;
        assert!(matches!(outcome, crate::policy::Outcome::Refused(_)), "{matches} {request}");
    };
    let api = r#"{"path": {"prefix": "/api/"}}"#;
    for path in
        ["/api/y", "/a/..%2fapi/y", "/api%2fx", "/a/../api/y", "/x/%2e%2e/api/y", "//evil/api/y", "/api\\y"]
    {
        check(api, &format!(":path: {path}"));
    }
    check(r#"{"methods": ["POST"]}"#, ":method: post");
    check(r#"{"hosts": ["a.test"]}"#, ":authority: a.test:81");
    check(r#"{"hosts": ["a.test"]}"#, ":authority: u@a.test");
    check(r#"{"headers": [{"name": "x-env", "exact": "prod"}]}"#, "x-env: prod ");
    check(r#"{"cookies": [{"name": "s", "exact": "a"}]}"#, "cookie: s=\"a\"");
    check(api, ":method: CONNECT");
}

#[test]
fn keys_that_no_request_has_are_refused() {
    let check = |key: &str, expected: &str| {
        let config = format!(
            r#"{{"limits": [{{"name": "l", "key": [{key}], "rate": {{"requests": 1, "per": "1s"}}}}]}}"#
        );
        let problems =
            parse(config.as_bytes()).err().map(|problems| problems.to_string()).unwrap_or_default();
        assert_eq!(problems, format!("limits[0].key[0].{expected}"));
    };
    // Envoy converts it to `:authority`.
    check(r#"{"header": "Host"}"#, "header: found `Host`, expected another header; for the host use `host`");
    check(r#"{"cookie": "a b"}"#, "cookie: found `a b`, expected a cookie name");
}
