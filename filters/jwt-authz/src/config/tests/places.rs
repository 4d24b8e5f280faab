//! Where tokens are found.

use super::super::{TokenLocation, parse};
use super::{check, good, header, list, provider};

fn from(places: &str) -> String {
    provider(&format!(r#""from": {places}"#))
}

#[test]
fn every_form_of_a_place() {
    let config = good(&from(
        r#"[{"header": "X-Token"}, {"header": "authorization", "prefix": "DPoP "}, {"header": "x", "prefix": "v1:"},
            {"cookie": "__Host-token"}, {"query": "access token"}]"#,
    ));
    let [provider] = config.providers.as_slice() else { panic!("one provider") };
    assert_eq!(
        provider.from,
        [
            TokenLocation::Header { name: header("x-token"), prefix: "".into() },
            TokenLocation::Header { name: header("authorization"), prefix: "DPoP ".into() },
            TokenLocation::Header { name: header("x"), prefix: "v1:".into() },
            TokenLocation::Cookie("__Host-token".into()),
            TokenLocation::Query("access token".into()),
        ]
    );
}

#[test]
fn what_is_no_place() {
    check(&from("[]"), "providers[0].from: found an empty array, expected at least one item");
    check(&from(r#""authorization""#), "providers[0].from: found `authorization`, expected an array");
    check(&from(r#"{"header": "authorization"}"#), "providers[0].from: found an object, expected an array");
    check(&from(r#"["authorization"]"#), "providers[0].from[0]: found `authorization`, expected an object");
    check(&from("[{}]"), "providers[0].from[0]: found none, expected one of `header`, `cookie`, `query`");
    check(
        &from(r#"[{"header": "a", "cookie": "b"}]"#),
        "providers[0].from[0]: found `header`, `cookie`, expected one of them only",
    );
    check(
        &from(r#"[{"prefix": "Bearer "}]"#),
        "providers[0].from[0]: found none, expected one of `header`, `cookie`, `query`",
    );
    check(
        &from(r#"[{"cookie": "a", "prefix": "Bearer "}]"#),
        "providers[0].from[0].prefix: found one without `header`, expected none",
    );
    check(
        &from(r#"[{"query": "a", "prefix": "b"}]"#),
        "providers[0].from[0].prefix: found one without `header`, expected none",
    );
    check(
        &from(r#"[{"param": "a"}]"#),
        "providers[0].from[0].param: unknown field, expected one of `header`, `cookie`, `query`, `prefix`",
    );
    check(
        &from(r#"[{"header": "a b"}]"#),
        "providers[0].from[0].header: found `a b`, expected a header name",
    );
    check(
        &from(r#"[{"header": ":path"}]"#),
        "providers[0].from[0].header: found `:path`, expected a header name",
    );
    check(
        &from(r#"[{"header": "Cookie"}, {"header": "Host"}]"#),
        "providers[0].from[0].header: found `Cookie`, expected another header; for a cookie use `cookie`\n\
         providers[0].from[1].header: found `Host`, expected another header",
    );
    check(
        &from(r#"[{"header": "a", "prefix": ""}]"#),
        "providers[0].from[0].prefix: found ``, expected a string that is not empty",
    );
    check(
        &from(r#"[{"header": "a", "prefix": " Bearer"}]"#),
        "providers[0].from[0].prefix: found ` Bearer`, expected printable ASCII characters, as `Bearer `",
    );
    check(
        &from(r#"[{"header": "a", "prefix": "Bearer\t"}]"#),
        "providers[0].from[0].prefix: found `Bearer\\t`, expected printable ASCII characters, as `Bearer `",
    );
    check(
        &from(r#"[{"header": "a", "prefix": "ä"}]"#),
        "providers[0].from[0].prefix: found `ä`, expected printable ASCII characters, as `Bearer `",
    );
    check(
        &from(r#"[{"cookie": "a b"}, {"cookie": ""}, {"cookie": "a=b"}]"#),
        "providers[0].from[0].cookie: found `a b`, expected a cookie name\n\
         providers[0].from[1].cookie: found ``, expected a string that is not empty\n\
         providers[0].from[2].cookie: found `a=b`, expected a cookie name",
    );
    check(
        &from(r#"[{"query": ""}, {"query": 5}]"#),
        "providers[0].from[0].query: found ``, expected a string that is not empty\n\
         providers[0].from[1].query: found 5, expected a string",
    );
    let long = "a".repeat(65);
    check(
        &from(&format!(
            r#"[{{"header": "a", "prefix": "{long}"}}, {{"cookie": "{long}"}}, {{"query": "{long}"}}]"#
        )),
        "providers[0].from[0].prefix: found 65 bytes, expected at most 64\n\
         providers[0].from[1].cookie: found 65 bytes, expected at most 64\n\
         providers[0].from[2].query: found 65 bytes, expected at most 64",
    );
    let places = |count| from(&list(count, |index| format!(r#"{{"cookie": "c{index}"}}"#)));
    check(&places(8), "");
    check(&places(9), "providers[0].from: found 9 places, expected at most 8");
}

/// `Bearer x` would be a token for each, and they would differ.
#[test]
fn a_header_whose_value_would_be_two_tokens() {
    let problem = "providers: found the header `authorization` with prefixes that begin alike, expected one of them: \
                   its value would be two tokens";
    check(
        &from(r#"[{"header": "authorization"}, {"header": "authorization", "prefix": "Bearer "}]"#),
        problem,
    );
    check(
        &from(
            r#"[{"header": "authorization", "prefix": "bearer "}, {"header": "authorization", "prefix": "Bearer "}]"#,
        ),
        problem,
    );
    check(
        &from(
            r#"[{"header": "authorization", "prefix": "DPoP "}, {"header": "authorization", "prefix": "Bearer "}]"#,
        ),
        "",
    );
}

#[test]
fn a_header_for_claims_that_is_one_for_tokens() {
    let key = r#"{"keys": [{"kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#;
    let provider = |name: &str, rest: &str| {
        format!(
            r#"{{"name": "{name}", "issuer": "{name}", "jwks": {{"inline": {key}}}, "algorithms": ["HS256"], {rest}}}"#
        )
    };
    let config = format!(
        r#"{{"providers": [{}, {}]}}"#,
        provider("a", r#""payload_header": "x_token""#),
        provider("b", r#""from": [{"header": "x-token"}]"#)
    );
    assert_eq!(
        parse(config.as_bytes()).unwrap_err().to_string(),
        "providers: found the header `x_token` for claims and for tokens, expected two: what clients send in the one is removed"
    );
}
