//! The response and the details of each refusal.

use super::super::{Denial, Outcome, Signature, reason};
use super::gateway::{Gateway, NOW, bearer, forged, request, secret, token, token_of};
use mesh_policy::effects::{GrpcStatus, Reply};
use mesh_policy::headers::Headers;
use serde_json::{Value as Json, json};

/// A claim of every token that must not appear in a response.
const CLAIM: &str = "sesame";

struct Expected {
    status: u16,
    grpc: GrpcStatus,
    /// The challenge's `error`; `None` for no challenge.
    challenge: Option<&'static str>,
    title: &'static str,
}

const UNAUTHENTICATED: Expected = Expected {
    status: 401,
    grpc: GrpcStatus::Unauthenticated,
    challenge: Some("invalid_token"),
    title: "Unauthorized",
};
const FORBIDDEN: Expected = Expected {
    status: 403,
    grpc: GrpcStatus::PermissionDenied,
    challenge: Some("insufficient_scope"),
    title: "Forbidden",
};
const UNAVAILABLE: Expected =
    Expected { status: 503, grpc: GrpcStatus::Unavailable, challenge: None, title: "Service Unavailable" };

fn gateway() -> Gateway {
    Gateway::with(
        &json!({"issuer": "https://auth.example.com", "audiences": ["api"], "subjects": [{"prefix": "user-"}]}),
        &json!({
            "realm": "shop", "max_token_bytes": 1024,
            "rules": [
                {"name": "closed", "action": "deny", "match": {"path": {"exact": "/closed"}}},
                {"name": "guests", "action": "deny", "claims": {"claim": "groups", "contains": "guest"}},
            ],
        }),
    )
}

fn claims(more: &Json) -> Json {
    let mut claims =
        json!({"iss": "https://auth.example.com", "aud": "api", "sub": "user-1", "secret": CLAIM});
    super::gateway::merge(&mut claims, more);
    claims
}

fn with(more: &Json) -> Headers {
    bearer(token(&claims(more)).as_bytes())
}

#[track_caller]
fn reply(gateway: &Gateway, headers: &Headers, grpc: bool) -> Reply {
    match gateway.decide(headers).outcome {
        Outcome::Refused(denial) => gateway.policy.refusal(&denial).into_reply(grpc),
        other => panic!("{other:?}"),
    }
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let (_, value) = reply.headers.iter().find(|(found, _)| found.as_str() == name)?;
    Some(str::from_utf8(value.as_bytes()).unwrap())
}

/// `more` has the members of the problem document that name the provider and the rule.
#[track_caller]
fn check(gateway: &Gateway, headers: &Headers, details: &str, expected: &Expected, what: &str, more: &Json) {
    let reply = reply(gateway, headers, false);
    assert_eq!(reply.details, format!("jwt_authz{{{details}}}"));
    assert_eq!((reply.status, reply.grpc_status), (expected.status, Some(expected.grpc)), "{details}");
    let challenge = expected.challenge.map(|error| match error {
        "" => r#"Bearer realm="shop""#.to_owned(),
        error => format!(r#"Bearer realm="shop", error="{error}", error_description="{what}""#),
    });
    assert_eq!(header(&reply, "www-authenticate"), challenge.as_deref(), "{details}");
    assert_eq!(header(&reply, "content-type"), Some("application/problem+json"));
    let mut problem = json!({"title": expected.title, "status": expected.status, "detail": what});
    super::gateway::merge(&mut problem, more);
    assert_eq!(serde_json::from_slice::<Json>(&reply.body).unwrap(), problem, "{details}");
    // RFC 6750, section 3.
    assert!(what.bytes().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~')), "{what}");

    let answer = super::answers::reply(gateway, headers, true);
    assert_eq!(answer.body, what.as_bytes());
    assert_eq!(header(&answer, "content-type"), None);
    assert_eq!(header(&answer, "www-authenticate"), challenge.as_deref());

    let told = format!("{reply:?} {}", String::from_utf8_lossy(&reply.body));
    assert!(!told.contains(CLAIM) && !told.contains("eyJ"), "{told}");
}

#[test]
fn every_reason() {
    let main = json!({"provider": "main"});
    let none = json!({});
    let gateway = gateway();
    let check = |headers: &Headers, details: &str, expected: &Expected, what: &str, more: &Json| {
        check(&gateway, headers, details, expected, what, more);
    };
    let missing = Expected { challenge: Some(""), ..UNAUTHENTICATED };
    check(&request(":path: /"), "missing", &missing, "the request has no token in `authorization`", &none);
    check(
        &bearer(b"eyJ.sesame"),
        "malformed",
        &UNAUTHENTICATED,
        "the token does not have three parts",
        &none,
    );
    check(
        &with(&json!({"padding": "x".repeat(1024)})),
        "too_large",
        &UNAUTHENTICATED,
        "the token is too large",
        &none,
    );
    let twice = format!("{}, Bearer {}", token(&claims(&none)), token(&claims(&none)));
    check(
        &bearer(twice.as_bytes()),
        "ambiguous",
        &UNAUTHENTICATED,
        "the request repeats a header for tokens",
        &none,
    );
    check(
        &bearer(token_of("other", r#"{"secret": "sesame"}"#).as_bytes()),
        "unknown_key",
        &UNAUTHENTICATED,
        "the token's key is unknown",
        &main,
    );
    check(
        &bearer(forged(&token(&claims(&none))).as_bytes()),
        "bad_signature",
        &UNAUTHENTICATED,
        "the token's signature is wrong",
        &main,
    );
    check(
        &bearer(token_of("k", "sesame").as_bytes()),
        "bad_claims",
        &UNAUTHENTICATED,
        "the token's payload is not a JSON object with distinct names",
        &main,
    );
    check(&with(&json!({"exp": NOW - 60})), "expired", &UNAUTHENTICATED, "the token has expired", &main);
    check(
        &with(&json!({"nbf": NOW + 60})),
        "not_yet_valid",
        &UNAUTHENTICATED,
        "the token is not valid yet",
        &main,
    );
    check(
        &with(&json!({"iss": CLAIM})),
        "wrong_issuer",
        &UNAUTHENTICATED,
        "the token's issuer is not accepted",
        &main,
    );
    check(
        &with(&json!({"aud": CLAIM})),
        "wrong_audience",
        &UNAUTHENTICATED,
        "the token's audience is not accepted",
        &main,
    );
    check(
        &with(&json!({"sub": CLAIM})),
        "wrong_subject",
        &UNAUTHENTICATED,
        "the token's subject is not accepted",
        &main,
    );
    check(&with(&none), "no_rule", &FORBIDDEN, "no rule allows this request", &main);
    check(
        &with(&json!({"groups": ["guest"]})),
        "denied_by:guests",
        &FORBIDDEN,
        "a rule denies this request",
        &json!({"provider": "main", "rule": "guests"}),
    );
    // Without a token there is no `insufficient_scope`.
    check(
        &request(":path: /closed"),
        "denied_by:closed",
        &Expected { challenge: None, ..FORBIDDEN },
        "a rule denies this request",
        &json!({"rule": "closed"}),
    );
    let bad_request =
        Expected { status: 400, grpc: GrpcStatus::InvalidArgument, challenge: None, title: "Bad Request" };
    check(&request(":path: /a%2Fb"), "escaped_slash", &bad_request, "the path has an escaped slash", &none);
    check(&request(":path: /a//../b"), "ambiguous_path", &bad_request, "the path is ambiguous", &none);
    let host = Gateway::with(
        &json!({}),
        &json!({"rules": [{"name": "r", "action": "allow", "match": {"hosts": ["admin.test"]}}]}),
    );
    let what = "the host is ambiguous";
    let ambiguous = request(":path: /\n:authority: u@admin.test");
    self::check(&host, &ambiguous, "ambiguous_host", &bad_request, what, &none);
    let new = with(&json!({"jti": 1}));
    gateway.verdict.set(Some(Signature::NoTime));
    check(&new, "overloaded", &UNAVAILABLE, "too many signatures to verify", &main);
    gateway.verdict.set(Some(Signature::Failed));
    check(&new, "error", &UNAVAILABLE, "the signature cannot be verified", &main);
    gateway.rotate(0, None);
    check(&with(&none), "jwks_unavailable", &UNAVAILABLE, "no keys are available to verify the token", &main);
    assert_eq!(reason::labels().len(), 20);
}

#[test]
fn where_the_proxy_fails() {
    let reply = gateway().policy.refusal(&Denial::new(reason::ERROR)).into_reply(false);
    assert_eq!((reply.status, reply.details.as_str()), (503, "jwt_authz{error}"));
    assert_eq!(header(&reply, "www-authenticate"), None);
}

/// Labels index counters.
#[test]
fn each_reason_has_a_place_and_a_word() {
    let labels = reason::labels();
    for (index, label) in labels.iter().enumerate() {
        assert!(!labels[..index].contains(label), "{label}");
    }
    for reason in reason::ALL {
        assert!(labels.contains(&reason.label), "{}", reason.text);
        // RFC 6750, section 3.
        assert!(reason.text.bytes().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~')));
    }
}

/// One label has several texts.
#[test]
fn what_is_wrong_is_said_exactly() {
    let gateway = gateway();
    let said = |headers: &Headers| {
        let reply = reply(&gateway, headers, true);
        format!("{}: {}", reply.details, String::from_utf8(reply.body).unwrap())
    };
    let check = |headers: &Headers, expected: &str| assert_eq!(said(headers), expected);
    let signed = |header: &str| bearer(super::gateway::sign(header.as_bytes(), b"{}", "k").as_bytes());
    check(&bearer(b""), "jwt_authz{malformed}: the token does not have three parts");
    check(&bearer(b"!.!.!"), "jwt_authz{malformed}: the token's header is not base64url");
    check(&bearer(b"e30.e30.!"), "jwt_authz{malformed}: the token's signature is not base64url");
    check(&signed("[]"), "jwt_authz{malformed}: the token's header is not a JSON object with distinct names");
    check(
        &signed(r#"{"alg": "HS256", "alg": "none"}"#),
        "jwt_authz{malformed}: the token's header is not a JSON object with distinct names",
    );
    check(
        &signed(r#"{"alg": "HS256", "crit": ["exp"]}"#),
        "jwt_authz{malformed}: the token's header requires an extension",
    );
    check(&signed("{}"), "jwt_authz{malformed}: the token's header has no `alg`");
    check(&signed(r#"{"alg": 5}"#), "jwt_authz{malformed}: the token's header has no `alg`");
    check(
        &signed(r#"{"alg": "HS256", "kid": 5}"#),
        "jwt_authz{malformed}: the token's `kid` is not a short string",
    );
    check(
        &signed(&format!(r#"{{"alg": "HS256", "kid": "{}"}}"#, "k".repeat(257))),
        "jwt_authz{malformed}: the token's `kid` is not a short string",
    );
    for algorithm in ["none", "None", "HS384", "RS256", "dir", ""] {
        check(
            &signed(&format!(r#"{{"alg": "{algorithm}", "kid": "k"}}"#)),
            "jwt_authz{unknown_key}: the token's algorithm is not allowed",
        );
    }
    check(&with(&json!({"exp": "soon"})), "jwt_authz{bad_claims}: the token's `exp` is not a number");
    check(&with(&json!({"nbf": null})), "jwt_authz{bad_claims}: the token's `nbf` is not a number");
    check(&with(&json!({"iat": true})), "jwt_authz{bad_claims}: the token's `iat` is not a number");
    check(
        &with(&json!({"aud": 5})),
        "jwt_authz{bad_claims}: the token's `aud` is not a string or an array of strings",
    );
    let header = token(&claims(&json!({})));
    check(
        &request(&format!(":path: /\nauthorization: Bearer {header}\nauthorization: Bearer {header}")),
        "jwt_authz{ambiguous}: the request repeats a header for tokens",
    );
}

/// The key set has keys, but none for the token's algorithm.
#[test]
fn no_key_is_for_the_algorithm() {
    let edwards = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let gateway = gateway();
    gateway.rotate(0, Some(&json!([edwards])));
    let token = super::gateway::sign(br#"{"alg": "HS256"}"#, b"{}", "k");
    let reply = reply(&gateway, &bearer(token.as_bytes()), true);
    assert_eq!(reply.details, "jwt_authz{unknown_key}");
    assert_eq!(reply.body, b"no key is for the token's algorithm");
    gateway.rotate(0, Some(&json!([edwards, secret("k")])));
    assert_eq!(gateway.judge(token.as_bytes()), "wrong_issuer");
}
