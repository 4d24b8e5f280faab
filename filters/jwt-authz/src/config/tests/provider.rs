//! The fields of a provider.

use super::super::{ClaimHeader, Jwks, Location};
use super::{REMOTE, check, good, header, list, provider};
use mesh_policy::headers::HeaderValue;
use std::time::Duration;

/// A provider with this set of keys.
fn jwks(jwks: &str) -> String {
    format!(r#"{{"providers": [{{"name": "p", "jwks": {jwks}, "algorithms": ["RS256"]}}]}}"#)
}

fn remote(fields: &str) -> String {
    jwks(&format!(r#"{{"remote": {{"cluster": "c", "host": "h", {fields}}}}}"#))
}

fn named(name: &str) -> String {
    format!(r#"{{"providers": [{{"name": {name}, {REMOTE}, "algorithms": ["RS256"]}}]}}"#)
}

fn algorithms(algorithms: &str) -> String {
    format!(r#"{{"providers": [{{"name": "p", {REMOTE}, "algorithms": {algorithms}}}]}}"#)
}

#[test]
fn every_field_of_a_remote_set() {
    let config = good(&jwks(
        r#"{"remote": {"cluster": "outbound|443||auth.example.com", "host": "auth.example.com:8443",
            "discovery": "/a?b=c", "refresh": "1s", "timeout": "10ms", "wait": "0s"}}"#,
    ));
    let [provider] = config.providers.as_slice() else { panic!("one provider") };
    let Jwks::Remote(remote) = &provider.jwks else { panic!("a remote set") };
    assert_eq!(remote.cluster, "outbound|443||auth.example.com");
    assert_eq!(remote.host, HeaderValue::text("auth.example.com:8443"));
    assert_eq!(remote.location, Location::Discovery(HeaderValue::text("/a?b=c")));
    assert_eq!(remote.refresh, Duration::from_secs(1));
    assert_eq!(remote.timeout, Duration::from_millis(10));
    assert_eq!(remote.wait, Duration::ZERO);
}

#[test]
fn names() {
    check(&named(r#""A_b-c.9""#), "");
    check(
        &named(r#""a b""#),
        "providers[0].name: found `a b`, expected 1 to 64 letters, digits, `_`, `-` or `.`",
    );
    check(&named("5"), "providers[0].name: found 5, expected a string");
    check(
        &format!(
            r#"{{"providers": [{{"name": "a", "issuer": "i", {REMOTE}, "algorithms": ["RS256"]}},
                               {{"name": "a", "issuer": "j", {REMOTE}, "algorithms": ["RS256"]}}]}}"#
        ),
        "providers[1].name: found `a`, expected a name that no other provider has",
    );
}

/// A token's issuer picks its provider.
#[test]
fn issuers() {
    let two = |one: &str, other: &str| {
        format!(
            r#"{{"providers": [{{"name": "a", {one} {REMOTE}, "algorithms": ["RS256"]}},
                               {{"name": "b", {other} {REMOTE}, "algorithms": ["RS256"]}}]}}"#
        )
    };
    check(&two(r#""issuer": "i","#, r#""issuer": "j","#), "");
    check(&two(r#""issuer": "i","#, ""), "");
    check(&two("", r#""issuer": "i","#), "");
    check(&two("", ""), "providers[1].issuer: missing, expected one: another provider has none already");
    check(
        &two(r#""issuer": "i","#, r#""issuer": "i","#),
        "providers[1].issuer: found `i`, expected an issuer that no other provider has",
    );
    // On one line, whatever it is.
    check(
        &two(r#""issuer": "i\nj","#, r#""issuer": "i\nj","#),
        "providers[1].issuer: found `i\\nj`, expected an issuer that no other provider has",
    );
    check(&provider(r#""issuer": """#), "providers[0].issuer: found ``, expected a string that is not empty");
    check(&provider(r#""issuer": ["i"]"#), "providers[0].issuer: found an array, expected a string");
    check(&provider(&format!(r#""issuer": "{}""#, "i".repeat(1024))), "");
    check(
        &provider(&format!(r#""issuer": "{}""#, "i".repeat(1025))),
        "providers[0].issuer: found 1025 bytes, expected at most 1024",
    );
}

#[test]
fn audiences_and_subjects() {
    check(&provider(r#""audiences": ["a", "b"]"#), "");
    check(
        &provider(r#""audiences": []"#),
        "providers[0].audiences: found an empty array, expected at least one item",
    );
    check(&provider(r#""audiences": "a""#), "providers[0].audiences: found `a`, expected an array");
    check(
        &provider(r#""audiences": ["a", ""]"#),
        "providers[0].audiences[1]: found ``, expected a string that is not empty",
    );
    check(&provider(&format!(r#""audiences": {}"#, list(100, |_| "\"a\"".to_owned()))), "");
    check(
        &provider(&format!(r#""audiences": {}"#, list(101, |_| "\"a\"".to_owned()))),
        "providers[0].audiences: found 101 audiences, expected at most 100",
    );
    check(
        &provider(&format!(r#""audiences": ["{}"]"#, "a".repeat(1025))),
        "providers[0].audiences[0]: found 1025 bytes, expected at most 1024",
    );
    check(&provider(r#""subjects": ["a", {"exact": "b"}, {"prefix": "c"}, {"regex": "d.*"}]"#), "");
    check(
        &provider(r#""subjects": []"#),
        "providers[0].subjects: found an empty array, expected at least one item",
    );
    check(
        &provider(r#""subjects": {"prefix": "a"}"#),
        "providers[0].subjects: found an object, expected an array",
    );
    check(
        &provider(r#""subjects": [{"prefix": ""}]"#),
        "providers[0].subjects[0].prefix: found ``, expected a string that is not empty",
    );
    check(
        &provider(r#""subjects": [{}]"#),
        "providers[0].subjects[0]: found none, expected one of `exact`, `prefix`, `suffix`, `contains`, `regex`, `in`, `present`",
    );
    check(
        &provider(r#""subjects": [5]"#),
        "providers[0].subjects[0]: found 5, expected a string or an object",
    );
    check(
        &provider(&format!(r#""subjects": {}"#, list(101, |_| "\"a\"".to_owned()))),
        "providers[0].subjects: found 101 subjects, expected at most 100",
    );
}

#[test]
fn key_sets() {
    check(&jwks("{}"), "providers[0].jwks: found none, expected one of `inline`, `remote`");
    check(&jwks(r#""/jwks""#), "providers[0].jwks: found `/jwks`, expected an object");
    check(
        &jwks(r#"{"url": "https://auth.example.com/jwks"}"#),
        "providers[0].jwks.url: unknown field, expected one of `inline`, `remote`",
    );
    check(
        &jwks(r#"{"inline": {"keys": []}, "remote": {"cluster": "c", "host": "h", "path": "/"}}"#),
        "providers[0].jwks.inline: no key can be used\n\
         providers[0].jwks: found `inline`, `remote`, expected one of them only",
    );
    check(
        &jwks(r#"{"remote": {}}"#),
        "providers[0].jwks.remote.cluster: missing\n\
         providers[0].jwks.remote.host: missing\n\
         providers[0].jwks.remote: found none, expected one of `path`, `discovery`",
    );
    check(
        &jwks(r#"{"remote": "https://auth.example.com/jwks"}"#),
        "providers[0].jwks.remote: found `https://auth.example.com/jwks`, expected an object",
    );
}

#[test]
fn remote_sets() {
    check(
        &remote(r#""path": "/", "discovery": "/""#),
        "providers[0].jwks.remote: found `path`, `discovery`, expected one of them only",
    );
    check(
        &remote(r#""path": "jwks""#),
        "providers[0].jwks.remote.path: found `jwks`, expected a path, as `/.well-known/jwks.json`",
    );
    check(
        &remote(r#""path": """#),
        "providers[0].jwks.remote.path: found ``, expected a path, as `/.well-known/jwks.json`",
    );
    check(
        &remote(r#""path": "/a b""#),
        "providers[0].jwks.remote.path: found `/a b`, expected a path, as `/.well-known/jwks.json`",
    );
    check(
        &remote(r#""path": "https://auth.example.com/jwks""#),
        "providers[0].jwks.remote.path: found `https://auth.example.com/jwks`, expected a path, as `/.well-known/jwks.json`",
    );
    check(
        &remote(r#""discovery": "/ä""#),
        "providers[0].jwks.remote.discovery: found `/ä`, expected a path, as `/.well-known/openid-configuration`",
    );
    check(&remote(&format!(r#""path": "/{}""#, "a".repeat(2047))), "");
    check(
        &remote(&format!(r#""path": "/{}""#, "a".repeat(2048))),
        "providers[0].jwks.remote.path: found 2049 bytes, expected at most 2048",
    );
    check(
        &remote(r#""path": "/", "refresh": "999ms""#),
        "providers[0].jwks.remote.refresh: found `999ms`, expected a duration from 1s to 1d, as \"250ms\", \"1m\" or \"1h30m\"",
    );
    check(
        &remote(r#""path": "/", "refresh": "25h""#),
        "providers[0].jwks.remote.refresh: found `25h`, expected a duration from 1s to 1d, as \"250ms\", \"1m\" or \"1h30m\"",
    );
    check(
        &remote(r#""path": "/", "refresh": 300"#),
        "providers[0].jwks.remote.refresh: found 300, expected a duration from 1s to 1d, as \"250ms\", \"1m\" or \"1h30m\"",
    );
    check(
        &remote(r#""path": "/", "timeout": "9ms""#),
        "providers[0].jwks.remote.timeout: found `9ms`, expected a duration from 10ms to 30s, as \"250ms\", \"1m\" or \"1h30m\"",
    );
    check(
        &remote(r#""path": "/", "timeout": "31s""#),
        "providers[0].jwks.remote.timeout: found `31s`, expected a duration from 10ms to 30s, as \"250ms\", \"1m\" or \"1h30m\"",
    );
    check(&remote(r#""path": "/", "wait": "30s""#), "");
    check(
        &remote(r#""path": "/", "wait": "31s""#),
        "providers[0].jwks.remote.wait: found `31s`, expected a duration from 0s to 30s, as \"250ms\", \"1m\" or \"1h30m\"",
    );
    check(
        &remote(r#""path": "/", "uri": "/""#),
        "providers[0].jwks.remote.uri: unknown field, expected one of `cluster`, `host`, `path`, `discovery`, `refresh`, `timeout`, `wait`",
    );
    let cluster = |cluster: &str, host: &str| {
        jwks(&format!(r#"{{"remote": {{"cluster": {cluster}, "host": {host}, "path": "/"}}}}"#))
    };
    check(
        &cluster(r#""""#, r#""""#),
        "providers[0].jwks.remote.cluster: found ``, expected a string that is not empty\n\
         providers[0].jwks.remote.host: found ``, expected a string that is not empty",
    );
    check(
        &cluster("5", "6"),
        "providers[0].jwks.remote.cluster: found 5, expected a string\n\
         providers[0].jwks.remote.host: found 6, expected a string",
    );
    check(&cluster(&format!("\"{}\"", "c".repeat(2048)), r#""[::1]:80""#), "");
    check(
        &cluster(&format!("\"{}\"", "c".repeat(2049)), r#""h""#),
        "providers[0].jwks.remote.cluster: found 2049 bytes, expected at most 2048",
    );
    check(
        &cluster(r#""c""#, r#""https://auth.example.com""#),
        "providers[0].jwks.remote.host: found `https://auth.example.com`, expected a host, as `auth.example.com`",
    );
    check(
        &cluster(r#""c""#, r#""a b""#),
        "providers[0].jwks.remote.host: found `a b`, expected a host, as `auth.example.com`",
    );
    check(
        &cluster(r#""c""#, &format!("\"{}\"", "h".repeat(256))),
        "providers[0].jwks.remote.host: found 256 bytes, expected at most 255",
    );
}

#[test]
fn lists_of_algorithms() {
    let public = r#"["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]"#;
    check(&algorithms(public), "");
    check(&algorithms("[]"), "providers[0].algorithms: found an empty array, expected at least one item");
    check(&algorithms(r#""RS256""#), "providers[0].algorithms: found `RS256`, expected an array");
    check(
        &algorithms(r#"["none"]"#),
        "providers[0].algorithms[0]: found `none`, expected one of `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `EdDSA`, `HS256`, `HS384`, `HS512`",
    );
    check(
        &algorithms(r#"["rs256"]"#),
        "providers[0].algorithms[0]: found `rs256`, expected one of `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `EdDSA`, `HS256`, `HS384`, `HS512`; did you mean `RS256`?",
    );
    check(
        &algorithms(r#"["RS256", "ES256", "RS256"]"#),
        "providers[0].algorithms[2]: found `RS256`, expected an algorithm that is not in the list yet",
    );
    // A secret that a server gives to whoever asks is none.
    check(
        &algorithms(r#"["RS256", "HS256", "HS512"]"#),
        "providers[0].algorithms[1]: found `HS256`, expected an algorithm with public keys: a remote key set has no secrets\n\
         providers[0].algorithms[2]: found `HS512`, expected an algorithm with public keys: a remote key set has no secrets",
    );
}

#[test]
fn names_of_other_products_get_the_name_here() {
    check(
        &provider(r#""jwksUri": "https://a.example/jwks", "clock_skew": "5s""#),
        "providers[0].jwksUri: unknown field, did you mean `jwks.remote`?\n\
         providers[0].clock_skew: unknown field, did you mean `leeway`?",
    );
}

#[test]
fn times() {
    check(&provider(r#""leeway": "0s""#), "");
    check(&provider(r#""leeway": "1h""#), "");
    check(
        &provider(r#""leeway": "61m""#),
        "providers[0].leeway: found `61m`, expected a duration from 0s to 1h, as \"250ms\", \"1m\" or \"1h30m\"",
    );
    check(
        &provider(r#""leeway": 30"#),
        "providers[0].leeway: found 30, expected a duration from 0s to 1h, as \"250ms\", \"1m\" or \"1h30m\"",
    );
    check(
        &provider(r#""require_expiration": "yes""#),
        "providers[0].require_expiration: found `yes`, expected true or false",
    );
    check(&provider(r#""max_lifetime": "1s""#), "");
    check(
        &provider(r#""max_lifetime": "0s""#),
        "providers[0].max_lifetime: found `0s`, expected a duration from 1s to 3650d, as \"250ms\", \"1m\" or \"1h30m\"",
    );
    check(
        &provider(r#""max_lifetime": "3651d""#),
        "providers[0].max_lifetime: found `3651d`, expected a duration from 1s to 3650d, as \"250ms\", \"1m\" or \"1h30m\"",
    );
}

#[test]
fn what_the_upstream_gets() {
    let config = good(&provider(
        r#""payload_header": "X-Payload",
           "claims_to_headers": [{"claim": ["a.b", "c"], "header": "X-C"}, {"claim": "a.b", "header": "x-ab"}]"#,
    ));
    let [found] = config.providers.as_slice() else { panic!("one provider") };
    assert_eq!(found.payload_header, Some(header("x-payload")));
    let claim = |names: &[&str], name| ClaimHeader {
        claim: names.iter().map(|name| (*name).to_owned()).collect(),
        header: header(name),
    };
    assert_eq!(found.claims_to_headers, [claim(&["a.b", "c"], "x-c"), claim(&["a", "b"], "x-ab")]);

    check(
        &provider(r#""forward_token": "no""#),
        "providers[0].forward_token: found `no`, expected true or false",
    );
    check(
        &provider(r#""payload_header": "x a""#),
        "providers[0].payload_header: found `x a`, expected a header name",
    );
    check(
        &provider(r#""payload_header": ":path""#),
        "providers[0].payload_header: found `:path`, expected a header name",
    );
    check(
        &provider(r#""payload_header": """#),
        "providers[0].payload_header: found ``, expected a header name",
    );
    for own in [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "upgrade",
        "cookie",
    ] {
        check(
            &provider(&format!(r#""payload_header": "{own}""#)),
            &format!(
                "providers[0].payload_header: found `{own}`, expected another header: the connection, the client or another filter depends on this one"
            ),
        );
    }
    check(
        &provider(r#""claims_to_headers": [{"claim": "sub", "header": "Authorization"}]"#),
        "providers[0].claims_to_headers[0].header: found `Authorization`, expected another header: the connection, the client or another filter depends on this one",
    );
    check(
        &provider(r#""claims_to_headers": [{}]"#),
        "providers[0].claims_to_headers[0].claim: missing\n\
         providers[0].claims_to_headers[0].header: missing",
    );
    check(
        &provider(r#""claims_to_headers": {"sub": "x-sub"}"#),
        "providers[0].claims_to_headers: found an object, expected an array",
    );
    check(
        &provider(
            r#""payload_header": "x-a", "claims_to_headers": [
               {"claim": "sub", "header": "X-A"}, {"claim": "sub", "header": "x-b"}, {"claim": "iss", "header": "x-b"}]"#,
        ),
        "providers[0].claims_to_headers[0].header: found `X-A`, expected another header: this provider uses this one already\n\
         providers[0].claims_to_headers[2].header: found `x-b`, expected another header: this provider uses this one already",
    );
    // The same to an upstream that reads headers as variables.
    check(
        &provider(r#""payload_header": "x-a", "claims_to_headers": [{"claim": "sub", "header": "x_a"}]"#),
        "providers[0].claims_to_headers[0].header: found `x_a`, expected another header: this provider uses this one already",
    );
    check(
        &provider(r#""from": [{"header": "x-token"}], "payload_header": "x-token""#),
        "providers[0].payload_header: found `x-token`, expected another header: this provider uses this one already",
    );
    let headers = |count| {
        format!(
            r#""claims_to_headers": {}"#,
            list(count, |index| format!(r#"{{"claim": "c", "header": "x-{index}"}}"#))
        )
    };
    check(&provider(&headers(0)), "");
    check(&provider(&headers(32)), "");
    check(&provider(&headers(33)), "providers[0].claims_to_headers: found 33 headers, expected at most 32");
}
