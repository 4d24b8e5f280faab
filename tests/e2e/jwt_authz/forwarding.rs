//! The request that the upstream receives.

use super::{bearer, config, inline, plugin, provider, setup};
use bytes::Bytes;
use e2e::{Algorithm, Gateway, Key, Plugin, Setup, Token, get};
use mesh_filters::http::{Request, Response};
use mesh_filters::registry::RATE_LIMIT;
use serde_json::{Value, json};

/// The values of a header that the upstream received.
fn got(answer: &Response, name: &str) -> Vec<String> {
    let text = answer.text();
    let values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    values.map(str::to_owned).collect()
}

fn claims_to_headers() -> Value {
    json!([
        {"claim": "sub", "header": "x-jwt-sub"},
        {"claim": "realm_access.roles", "header": "x-jwt-roles"},
        {"claim": "address", "header": "x-jwt-address"},
        {"claim": "level", "header": "x-jwt-level"},
    ])
}

async fn gateway(extra: Value, top: Value) -> Gateway {
    setup(config(provider(inline(&[("a", Key::RSA_A)]), extra), top)).start().await
}

fn good() -> Token {
    Token::good(Algorithm::Rs256)
}

#[tokio::test]
async fn claims_become_headers() {
    let extra = json!({"claims_to_headers": claims_to_headers(), "payload_header": "x-jwt-payload"});
    let gateway = gateway(extra, json!({})).await;
    let ask = async |token: &Token| {
        let answer = super::ask(&gateway, "/", &token.sign()).await;
        assert_eq!(answer.status, 200);
        answer
    };
    let token = good()
        .claim("realm_access", json!({"roles": ["user", "admin"]}))
        .claim("address", json!({"city": "Bern"}))
        .claim("level", 3);
    let answer = ask(&token).await;
    assert_eq!(got(&answer, "x-jwt-sub"), ["user-1"]);
    assert_eq!(got(&answer, "x-jwt-roles"), ["user,admin"]);
    assert_eq!(got(&answer, "x-jwt-address"), [e2e::token::encode(br#"{"city":"Bern"}"#)]);
    assert_eq!(got(&answer, "x-jwt-level"), ["3"]);
    assert_eq!(got(&answer, "x-jwt-payload"), [token.unsigned().split_once('.').unwrap().1]);
    // Values that the upstream would read as another list or header.
    for roles in
        [json!(["user,admin"]), json!("a\r\nx-evil: 1"), json!("a\0"), json!(["a", "b\n"]), json!([])]
    {
        let answer = ask(&good().claim("realm_access", json!({"roles": roles}))).await;
        assert_eq!(got(&answer, "x-jwt-roles"), [""; 0], "{roles}");
        assert_eq!(got(&answer, "x-evil"), [""; 0], "{roles}");
        assert_eq!(got(&answer, "x-jwt-sub"), ["user-1"], "{roles}");
    }
}

/// Headers that only the filter may set are removed, for whatever reason the request is forwarded.
#[tokio::test]
async fn nobody_sends_the_filter_s_headers_past_it() {
    let spoofed = [
        ("x-jwt-sub", "admin"),
        ("x-jwt-sub", "root"),
        ("X-JWT-Roles", "admin"),
        ("x_jwt_sub", "admin"),
        ("x-jwt_roles", "admin"),
        ("x-jwt-payload", "e30"),
        ("x-other", "kept"),
    ];
    let open = json!({"rules": [{"name": "open", "action": "allow", "token": "none"}]});
    let optional = json!({"rules": [{"name": "open", "action": "allow", "token": "optional"}]});
    let preflight = [("origin", "https://a.example"), ("access-control-request-method", "PUT")];
    let none = &[][..];
    for (what, top, method, headers) in [
        ("no token is looked at", open, "GET", none),
        ("none is given", optional, "GET", none),
        ("the default", json!({"rules": [], "default": "allow"}), "GET", none),
        ("shadow", json!({"mode": "shadow"}), "GET", none),
        ("off", json!({"mode": "off"}), "GET", none),
        ("a preflight", json!({}), "OPTIONS", &preflight[..]),
    ] {
        let extra = json!({"claims_to_headers": claims_to_headers(), "payload_header": "x-jwt-payload"});
        let gateway = gateway(extra, top).await;
        let mut request = Request::builder().method(method).uri("/");
        for (name, value) in spoofed.iter().chain(headers) {
            request = request.header(*name, *value);
        }
        let answer = gateway.send(request.body(Bytes::new()).unwrap()).await;
        assert_eq!(answer.status, 200, "{what}");
        let text = answer.text();
        assert!(!text.contains("jwt"), "{what}: {text}");
        assert_eq!(got(&answer, "x-other"), ["kept"], "{what}");
    }
    // The client's headers claim more than its token.
    let extra = json!({"claims_to_headers": claims_to_headers(), "payload_header": "x-jwt-payload"});
    let gateway = gateway(extra, json!({})).await;
    let token = bearer(&good().sign());
    let answer = gateway.send(get("/", &[&spoofed[..], &[("authorization", &token)]].concat())).await;
    assert_eq!((got(&answer, "x-jwt-sub"), got(&answer, "x-jwt-roles")), (vec!["user-1".to_owned()], vec![]));
    assert_eq!((got(&answer, "x_jwt_sub"), got(&answer, "x-jwt_roles")), (vec![], vec![]));
}

#[tokio::test]
async fn the_token_is_taken_away_wherever_it_was_unless_it_is_to_be_forwarded() {
    let from = json!([
        {"header": "authorization", "prefix": "Bearer "},
        {"cookie": "token"},
        {"query": "access_token"},
    ]);
    let token = good().sign();
    // Target and cookies of the request, and those that the upstream receives without the token.
    let cases = [
        ("/a", vec![("authorization", bearer(&token))], "/a", vec![]),
        ("/a", vec![("cookie", format!("a=1; token={token}; b=2"))], "/a", vec!["a=1; b=2"]),
        ("/a", vec![("cookie", format!("token={token}"))], "/a", vec![]),
        (&*format!("/a//b/%41/c?x=%2f&access_token={token}&y="), vec![], "/a//b/%41/c?x=%2f&y=", vec![]),
        (&*format!("/a?access_token={token}"), vec![], "/a", vec![]),
        (
            &*format!("/a?access_token={token}"),
            vec![("authorization", bearer(&token)), ("cookie", format!("token={token}; c=3"))],
            "/a",
            vec!["c=3"],
        ),
    ];
    for forward in [false, true] {
        let gateway = gateway(json!({"from": from, "forward_token": forward}), json!({})).await;
        for (path, headers, target, cookies) in &cases {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = gateway.send(get(path, &headers)).await;
            assert_eq!(answer.status, 200, "{path}");
            let text = answer.text();
            if forward {
                assert!(text.starts_with(&format!("GET {path}\n")), "{text}");
                for (name, value) in headers {
                    assert_eq!(got(&answer, name), [value]);
                }
            } else {
                assert!(!text.contains(&token), "{text}");
                assert!(text.starts_with(&format!("GET {target}\n")), "{text}");
                assert_eq!(got(&answer, "cookie"), *cookies);
                assert_eq!(got(&answer, "authorization"), [""; 0]);
            }
        }
    }
}

/// The path is tested in normal form, but forwarded unchanged.
#[tokio::test]
async fn the_path_goes_on_as_it_came() {
    let rules = json!({"rules": [
        {"name": "b", "match": {"path": {"exact": "/b"}}, "action": "allow", "token": "none"},
    ]});
    let gateway = gateway(json!({}), rules).await;
    for path in ["/b", "/b?//x", "/%62", "/b?x=../y"] {
        let answer = gateway.send(get(path, &[])).await;
        assert!(answer.text().starts_with(&format!("GET {path}\n")), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn exported_claims_are_there_for_other_modules() {
    let exporting = |export: Value| {
        let keys = inline(&[("a", Key::RSA_A)]);
        plugin(config(provider(keys, json!({})), json!({"export": export})))
    };
    let limits = json!({"limits": [
        {"name": "l", "key": [{"claim": "sub"}], "rate": {"requests": 1, "per": "1d"}, "on_missing_key": "skip"},
    ]});
    let rate_limit = Plugin::new(RATE_LIMIT, limits);
    for (export, expected) in [(json!(["sub"]), [200, 429, 200]), (json!(["iss"]), [200, 200, 200])] {
        let gateway =
            Setup::default().plugins(&[exporting(export.clone()), rate_limit.clone()]).start().await;
        let (first, second) = (good().sign(), good().claim("sub", "user-2").sign());
        for (token, status) in [&first, &first, &second].into_iter().zip(expected) {
            assert_eq!(super::status(&gateway, token).await, status, "{export}");
        }
    }
}

/// A client's value of a header that only the filter may set is removed before rules are evaluated.
#[tokio::test]
async fn no_rule_believes_a_header_that_only_the_filter_sets() {
    let extra = json!({"claims_to_headers": [{"claim": "role", "header": "x-role"}]});
    let spoofed = json!({"headers": [{"name": "x-role", "exact": "admin"}]});
    let rules = json!({"rules": [{"name": "spoofed", "match": spoofed, "action": "allow", "token": "none"}]});
    let gateway = setup(config(provider(inline(&[("a", Key::RSA_A)]), extra), rules)).start().await;
    for name in ["x-role", "x_role", "X-Role"] {
        assert_eq!(gateway.send(get("/", &[(name, "admin")])).await.status, 401, "{name}");
    }
}
