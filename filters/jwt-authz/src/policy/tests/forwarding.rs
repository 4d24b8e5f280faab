//! The request that the upstream receives.

use super::super::Metric;
use super::gateway::{Gateway, forged, request, token, token_of};
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, HeaderValue, Headers, Unchangeable, spellings};
use mesh_policy::verdict::Verdict;
use serde_json::{Value as Json, json};

/// The upstream's headers, one per line and in order, and the number of claims that were left out. Unless
/// `decided` is set, the request is forwarded without a decision.
fn forwarded(gateway: &Gateway, headers: &Headers, decided: bool) -> (String, u64) {
    let decision = decided.then(|| gateway.decide(headers));
    // As the adapter does.
    let mut headers = headers.clone();
    let (own, all) = spellings(&headers, &gateway.policy.own_headers);
    assert_eq!(all, Ok(()));
    for name in own {
        headers.remove(&name);
    }
    let mut verdict = Verdict::default();
    gateway.policy.forward(&headers, decision.as_ref(), &mut verdict).unwrap();
    for edit in &verdict.request {
        match edit {
            Edit::Set(name, value) => {
                headers.remove(name);
                headers.add(name, value);
            }
            Edit::Add(name, value) => headers.add(name, value),
            Edit::Remove(name) => drop(headers.remove(name)),
            Edit::Target(target) => headers.replace(":path", target.as_bytes()),
            Edit::Status(_) => panic!("a request has no status"),
        }
    }
    let line = |(name, value): (&[u8], &[u8])| {
        format!("{}: {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
    };
    let left_out = verdict.counts.iter().find(|count| count.metric == Metric::ClaimsLeftOut);
    let left_out = left_out.map_or(0, |count| count.number);
    (headers.iter().map(line).collect::<Vec<_>>().join("\n"), left_out)
}

/// `expected` is the value of `x-claim` for a token with this claim; `None` if it is left out.
#[track_caller]
fn check_claim(claim: &str, expected: Option<&str>) {
    let gateway = Gateway::with(
        &json!({"claims_to_headers": [{"claim": "c", "header": "x-claim"}]}),
        &json!({"default": "allow"}),
    );
    let token = token_of("k", &format!(r#"{{"exp": 9999999999, "c": {claim}}}"#));
    let headers = request(&format!("authorization: Bearer {token}\nx-claim: spoofed"));
    let (seen, left_out) = forwarded(&gateway, &headers, true);
    let found = seen.lines().find_map(|line| line.strip_prefix("x-claim: "));
    assert_eq!(found, expected, "{claim}");
    assert!(!seen.contains("spoofed"), "{claim}");
    // An absent claim is not counted as left out.
    assert_eq!(left_out, u64::from(expected.is_none() && claim != "null"), "{claim}");
}

#[test]
fn every_type_of_claim() {
    check_claim(r#""alice""#, Some("alice"));
    check_claim(r#""a b, c""#, Some("a b, c"));
    check_claim(r#""é""#, Some("é"));
    check_claim("42", Some("42"));
    check_claim("-0.5", Some("-0.5"));
    check_claim("18446744073709551615", Some("18446744073709551615"));
    check_claim("true", Some("true"));
    check_claim(r#"["admin", "user"]"#, Some("admin,user"));
    check_claim(r#"["admin"]"#, Some("admin"));
    check_claim(r#"["a", 5, false]"#, Some("a,5,false"));
    // {"a":[1,"x,y"]}
    check_claim(r#"{"a": [1, "x,y"]}"#, Some("eyJhIjpbMSwieCx5Il19"));
    check_claim("{}", Some("e30"));
    check_claim("null", None);
}

/// An element with a comma would be read as two roles: the header is left out and counted.
#[test]
fn claims_that_would_be_read_as_something_else() {
    check_claim(r#"["user,admin"]"#, None);
    check_claim(r#"["user", "x,admin"]"#, None);
    check_claim(r#"[["admin"]]"#, None);
    check_claim(r#"[{"role": "admin"}]"#, None);
    check_claim(r#"["admin", null]"#, None);
    check_claim(r#"["admin", ""]"#, None);
    check_claim(r#"["admin", " user"]"#, None);
    check_claim("[]", None);
    check_claim(r#""""#, None);
    check_claim(r#"" alice""#, None);
    check_claim(r#""alice\t""#, None);
}

/// Bytes that are not allowed in a header value are refused.
#[test]
fn claims_that_cannot_stand_in_a_header() {
    check_claim(r#""a\r\nx-role: admin""#, None);
    check_claim(r#""a\nb""#, None);
    check_claim(r#""a\u0000""#, None);
    check_claim(r#""a\u007fb""#, None);
    check_claim(r#"["a", "b\nc"]"#, None);
    check_claim(r#""a\tb""#, Some("a\tb"));
}

fn protected(more: &Json) -> Gateway {
    let mut top = json!({"rules": [
        {"name": "open", "action": "allow", "token": "none", "match": {"path": {"exact": "/open"}}},
        {"name": "any", "action": "allow"},
    ]});
    super::gateway::merge(&mut top, more);
    Gateway::with(
        &json!({"payload_header": "x-payload", "forward_token": true, "claims_to_headers": [
            {"claim": "sub", "header": "x-sub"}, {"claim": "realm.roles", "header": "x-roles"}]}),
        &top,
    )
}

const SPOOFED: &str = "x-sub: root\nx-sub: admin\nx_sub: root\nX-Roles: all\nx_roles: all\nx-payload: e30\nx_payload: e30\nx-other: y";

/// The headers of `claims_to_headers` and `payload_header` are removed from every request, with or without a token,
/// also in modes `shadow` and `off`.
#[test]
fn only_this_filter_sets_its_headers() {
    let good = token(&json!({"sub": "alice"}));
    for mode in ["enforce", "shadow", "off"] {
        let gateway = protected(&json!({"mode": mode}));
        for (path, authorization) in [
            ("/open", String::new()),
            ("/open", format!("authorization: Bearer {good}\n")),
            ("/", String::new()),
            ("/", format!("authorization: Bearer {}\n", forged(&good))),
        ] {
            let headers = format!(":path: {path}\n{authorization}{SPOOFED}");
            for decided in [true, false] {
                let (seen, left_out) = forwarded(&gateway, &request(&headers), decided);
                assert_eq!(seen, format!(":path: {path}\n{authorization}x-other: y"), "{mode}");
                assert_eq!(left_out, 0);
            }
        }
        let (seen, _) = forwarded(
            &gateway,
            &request(&format!(":path: /\nauthorization: Bearer {good}\n{SPOOFED}")),
            true,
        );
        let payload = good.split('.').nth(1).unwrap();
        assert_eq!(
            seen,
            format!(":path: /\nauthorization: Bearer {good}\nx-other: y\nx-payload: {payload}\nx-sub: alice"),
        );
    }
}

#[test]
fn a_nested_claim() {
    let gateway = protected(&json!({}));
    let good = token(&json!({"realm": {"roles": ["a", "b"]}}));
    let (seen, _) = forwarded(&gateway, &request(&format!("authorization: Bearer {good}\n{SPOOFED}")), true);
    let payload = good.split('.').nth(1).unwrap();
    assert_eq!(seen, format!("authorization: Bearer {good}\nx-other: y\nx-payload: {payload}\nx-roles: a,b"));
}

/// A cached token is forwarded like a new one.
#[test]
fn a_remembered_token_says_the_same() {
    let gateway = protected(&json!({}));
    let headers = request(&format!("authorization: Bearer {}\n{SPOOFED}", token(&json!({"sub": "alice"}))));
    let first = forwarded(&gateway, &headers, true);
    assert_eq!(forwarded(&gateway, &headers, true), first);
    assert_eq!(gateway.checks.get(), 1);
}

/// The headers of all providers are removed, not only those of the token's provider.
#[test]
fn headers_of_several_providers() {
    let provider = |name: &str| {
        let mut provider = super::gateway::main();
        let header = format!("x-{name}");
        let more =
            json!({"name": name, "issuer": name, "claims_to_headers": [{"claim": "sub", "header": header}]});
        super::gateway::merge(&mut provider, &more);
        provider
    };
    let gateway = Gateway::new(&json!({"providers": [provider("a"), provider("b")], "default": "allow"}));
    let good = token(&json!({"iss": "b", "sub": "alice"}));
    let headers = request(&format!("authorization: Bearer {good}\nx-a: root\nx-b: root"));
    assert_eq!(forwarded(&gateway, &headers, true).0, "x-b: alice");
}

/// `forward_token: false` removes the token from headers, cookies and query parameters. `<T>` is the token.
#[test]
fn the_token_is_taken_away() {
    let gateway = Gateway::with(
        &json!({"from": [{"header": "authorization", "prefix": "Bearer "}, {"header": "x-token"}, {"cookie": "token"},
                         {"cookie": "id"}, {"query": "access_token"}]}),
        &json!({"default": "allow"}),
    );
    let good = token(&json!({}));
    let check = |headers: &str, expected: &str| {
        let with = |text: &str| text.replace("<T>", &good);
        assert_eq!(gateway.word(&request(&with(headers))), "+", "{headers}");
        let (seen, _) = forwarded(&gateway, &request(&with(headers)), true);
        assert_eq!(seen, with(expected), "{headers}");
    };
    check(":path: /\nauthorization: Bearer <T>\nx: y", ":path: /\nx: y");
    check("authorization: bearer <T>", "");
    check("x-token: <T>\nauthorization: Basic dTpw", "authorization: Basic dTpw");
    check("x-token: <T>\nauthorization: Bearer <T>", "");
    // In every spelling that an upstream may read as this name.
    check("x_token: <T>\nx: y", "x: y");
    check("x.token: <T>", "");
    check("cookie: a=b ; token=\"<T>\"; c=\"d\"", "cookie: a=b ; c=\"d\"");
    check("cookie: token=<T>", "");
    check("cookie: a=b; token=<T>; c=d", "cookie: a=b; c=d");
    check("cookie: a=b; token=<T>; id=<T>", "cookie: a=b");
    check("cookie: token=<T>\ncookie: a=b", "cookie: a=b");
    check("cookie: a=b\ncookie: token=<T>\ncookie: c=d", "cookie: a=b; c=d");
    check("cookie: token=<T>; token=<T>", "");
    check("cookie: tokens=<T>; token=<T>", "cookie: tokens=<T>");
    check(":path: /?access_token=<T>", ":path: /");
    check(":path: /a//b%20c?x=%2F&access_token=<T>&y", ":path: /a//b%20c?x=%2F&y");
    check(":path: /?access_token=<T>&access_token=<T>#f", ":path: /#f");
    check(":path: /?access%5ftoken=<T>&x", ":path: /?x");
    check(
        ":method: GET\nauthorization: Bearer <T>\nx-token: <T>\ncookie: token=<T>; a=b\n:path: /?b&access_token=<T>",
        ":method: GET\ncookie: a=b\n:path: /?b",
    );
    // There is no token to remove.
    check(
        ":path: /?access_tokens=<T>\nauthorization: Basic dTpw",
        ":path: /?access_tokens=<T>\nauthorization: Basic dTpw",
    );
}

/// An upstream might trust it.
#[test]
fn a_token_that_nobody_has_verified_is_taken_away_too() {
    let open = json!({"name": "o", "action": "allow", "token": "none"});
    let optional = json!({"name": "o", "action": "allow", "token": "optional"});
    let check = |provider: &Json, top: &Json, is_there: bool, expected: bool| {
        let gateway = Gateway::with(provider, top);
        if !is_there {
            gateway.rotate(0, None);
        }
        let headers = request(&format!("authorization: Bearer {}\nx: y", token(&json!({}))));
        assert_eq!(gateway.word(&headers), "+", "{provider} {top}");
        let (seen, _) = forwarded(&gateway, &headers, true);
        assert_eq!(seen.contains("Bearer"), expected, "{provider} {top}");
    };
    let (keep, take) = (json!({"forward_token": true}), json!({}));
    check(&take, &json!({"rules": [open]}), true, false);
    check(&keep, &json!({"rules": [open]}), true, true);
    let public = json!({"rules": [optional], "on_jwks_unavailable": "allow_public"});
    check(&take, &public, false, false);
    check(&keep, &public, false, true);
    let gateway = Gateway::with(&take, &json!({"rules": [open]}));
    // Envoy joins repeated headers like this.
    let joined = request(&format!("authorization: Basic dTpw,Bearer {}", token(&json!({}))));
    assert_eq!(forwarded(&gateway, &joined, true).0, "");
    // Another scheme is left alone.
    let basic = request("authorization: Basic dTpw");
    assert_eq!(forwarded(&gateway, &basic, true).0, "authorization: Basic dTpw");
}

/// Claims are forwarded if the deciding rule looked at the token, whatever the other rules do.
#[test]
fn a_rule_that_does_not_decide_changes_nothing() {
    let open = json!({"name": "open", "action": "allow", "token": "none"});
    let headers = request(&format!("authorization: Bearer {}", token(&json!({"sub": "alice"}))));
    for mode in ["enforce", "shadow"] {
        let deny =
            json!({"name": "d", "action": "deny", "mode": mode, "claims": {"claim": "sub", "equals": "bob"}});
        let gateway = Gateway::with(
            &json!({"forward_token": true, "claims_to_headers": [{"claim": "sub", "header": "x-sub"}]}),
            &json!({"rules": [deny, open]}),
        );
        let (seen, _) = forwarded(&gateway, &headers, true);
        assert!(!seen.contains("x-sub") && seen.contains("Bearer"), "{mode} {seen}");
    }
}

/// The token stays with `forward_token`, and in shadow mode, in which the upstream may verify it itself.
#[test]
fn the_token_stays() {
    let good = token(&json!({}));
    let headers = format!(":path: /\nauthorization: Bearer {good}");
    for (provider, top) in [
        (json!({"forward_token": true}), json!({"default": "allow"})),
        (json!({}), json!({"default": "allow", "mode": "shadow"})),
    ] {
        let gateway = Gateway::with(&provider, &top);
        assert_eq!(forwarded(&gateway, &request(&headers), true).0, headers, "{provider} {top}");
    }
    let gateway = Gateway::with(&json!({}), &json!({"mode": "off"}));
    assert_eq!(forwarded(&gateway, &request(&headers), false).0, headers);
}

#[test]
fn exported_claims() {
    let check = |export: &Json, claims: &Json, expected: Option<Json>| {
        let gateway = Gateway::with(&json!({}), &json!({"default": "allow", "export": export}));
        let decision = gateway.decide(&request(&format!("authorization: Bearer {}", token(claims))));
        let exported = gateway.policy.claims(&decision.verified.unwrap()).exported;
        let exported = exported.map(|bytes| serde_json::from_slice::<Json>(&bytes).unwrap());
        assert_eq!(exported, expected, "{export} {claims}");
    };
    let claims = json!({"sub": "alice", "a": {"b": [1], "c": {"d": true}}, "x.y": 5, "n": null});
    check(&json!([]), &claims, None);
    check(&json!(["other"]), &claims, None);
    check(&json!(["n"]), &claims, None);
    check(&json!(["sub"]), &claims, Some(json!({"sub": "alice"})));
    check(&json!(["sub", "a.b"]), &claims, Some(json!({"sub": "alice", "a": {"b": [1]}})));
    check(&json!(["a.b", "a.c.d"]), &claims, Some(json!({"a": {"b": [1], "c": {"d": true}}})));
    check(&json!([["x.y"], "x.y"]), &claims, Some(json!({"x.y": 5})));
    check(&json!(["a", "a.b"]), &claims, Some(json!({"a": {"b": [1], "c": {"d": true}}})));
    check(&json!(["a.b", "a"]), &claims, Some(json!({"a": {"b": [1], "c": {"d": true}}})));
    check(&json!(["sub.x"]), &claims, None);
}

/// Every name that an upstream may read as one of our headers is removed.
#[test]
fn names_that_are_almost_ours() {
    let gateway = protected(&json!({}));
    let ours = ":path: /\nx-sub-2: a\nxsub: b\nx.sub: c\nX_SUB: d\nx!sub: e";
    let (seen, _) = forwarded(&gateway, &request(ours), true);
    assert_eq!(seen, ":path: /\nx-sub-2: a\nxsub: b");
    let headers = Headers::from_pairs([("x-sub", "a"), ("x_sub", "b"), ("x-sub", "c")]);
    let names = spellings(&headers, &gateway.policy.own_headers);
    let remove = |name| HeaderName::new(name).unwrap();
    assert_eq!(names, (vec![remove("x-sub"), remove("x_sub")], Ok(())));
    // An invalid name cannot be removed, so the request is refused.
    assert_eq!(
        spellings(&Headers::from_pairs([("x sub", "a"), ("x-sub", "b")]), &gateway.policy.own_headers),
        (vec![remove("x-sub")], Err(Unchangeable))
    );
    assert_eq!(HeaderValue::text("a").as_bytes(), b"a");
}
