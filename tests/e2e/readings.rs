//! Requests that upstreams may read in several ways: rules do not allow them, and limits charge them.

use bytes::Bytes;
use e2e::{Gateway, Key, Plugin, Setup, get, key_set};
use mesh_filters::http::{Method, Protocol, Request, Response, send};
use mesh_filters::registry::{JWT_AUTHZ, RATE_LIMIT};
use serde_json::{Value, json};

async fn authz(rules: Value, extra: Value) -> Gateway {
    let mut provider = json!({
        "name": "main", "algorithms": ["RS256"], "jwks": {"inline": key_set(&[("a", Key::RSA_A)])},
        "claims_to_headers": [{"claim": "sub", "header": "x-jwt-sub"}],
    });
    provider.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let config = json!({"providers": [provider], "rules": rules});
    Setup::default().plugins(&[Plugin::new(JWT_AUTHZ, config)]).start().await
}

/// A rule that allows matching requests without a token.
fn open(matches: &Value) -> Value {
    json!({"name": "open", "action": "allow", "token": "none", "match": matches})
}

/// A rule that denies matching requests.
fn closed(matches: &Value) -> Value {
    json!({"name": "closed", "action": "deny", "match": matches})
}

async fn ask(gateway: &Gateway, protocol: Protocol, request: Request<Bytes>) -> Response {
    send(gateway.address, protocol, request).await.unwrap()
}

async fn status(gateway: &Gateway, protocol: Protocol, path: &str, headers: &[(&str, &str)]) -> u16 {
    ask(gateway, protocol, get(path, headers)).await.status.as_u16()
}

const BOTH: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

#[tokio::test]
async fn dot_segments_are_ambiguous() {
    let gateway = authz(json!([open(&json!({"path": {"prefix": "/public/"}}))]), json!({})).await;
    for protocol in BOTH {
        assert_eq!(status(&gateway, protocol, "/public/x", &[]).await, 200);
        assert_eq!(status(&gateway, protocol, "/admin/", &[]).await, 401);
        for path in [
            "/admin/../public/x",
            "/admin/%2e%2e/public/x",
            "/public/../admin/",
            "/public/%2E./admin/",
            "/public/..;/admin/",
            "/public/./x",
            "/public/..%2fadmin/",
            "/public/..%5Cadmin/",
            "//public/x",
        ] {
            assert_eq!(status(&gateway, protocol, path, &[]).await, 400, "{path}");
        }
    }
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn every_reading_of_a_path_is_charged() {
    let limit =
        json!({"name": "api", "match": {"path": {"prefix": "/api/"}}, "rate": {"requests": 1, "per": "1d"}});
    let by_path = json!({"name": "by-path", "match": {"path": {"prefix": "/by"}}, "key": ["path"],
                         "rate": {"requests": 1, "per": "1d"}});
    let setup = Setup::default().plugins(&[Plugin::new(RATE_LIMIT, json!({"limits": [limit, by_path]}))]);
    let gateway = setup.start().await;
    assert_eq!(status(&gateway, Protocol::Http1, "/api/x", &[]).await, 200);
    for path in [
        "/api/x",
        "/a/..%2fapi/y",
        "/api%2fx",
        "/x/../api/y",
        "/x/%2e%2e/api/y",
        "/api//x",
        "/api;v=1/x",
        "//x/api/y",
    ] {
        assert_eq!(status(&gateway, Protocol::Http1, path, &[]).await, 429, "{path}");
    }
    assert_eq!(status(&gateway, Protocol::Http1, "/other%2fapi/", &[]).await, 200);
    assert_eq!(status(&gateway, Protocol::Http1, "/by/x", &[]).await, 200);
    for path in ["/by%2fx", "/by//x", "/by/;a/x", "/by/./x"] {
        assert_eq!(status(&gateway, Protocol::Http1, path, &[]).await, 429, "{path}");
    }
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_host_with_a_port_or_a_dot_is_not_let_in() {
    let gateway = authz(json!([open(&json!({"hosts": ["status.example.com"]}))]), json!({})).await;
    for protocol in BOTH {
        let ask = |host: &'static str| {
            let gateway = &gateway;
            async move { status(gateway, protocol, "/", &[("host", host)]).await }
        };
        assert_eq!(ask("status.example.com").await, 200);
        assert_eq!(ask("STATUS.example.com").await, 200);
        assert_eq!(ask("status.example.com:81").await, 401);
        assert_eq!(ask("status.example.com.").await, 401);
    }
    // Invalid hosts.
    for host in [
        "status.example.com:",
        "a.tenant.test:1@status.example.com",
        "u@status.example.com",
        "status.example.com..",
    ] {
        assert_eq!(status(&gateway, Protocol::Http1, "/", &[("host", host)]).await, 400, "{host}");
    }
    // Repeated `host` headers, which Envoy joins with a comma.
    let two = get("/", &[("host", "status.example.com"), ("host", "other.example.com")]);
    let answer = ask(&gateway, Protocol::Http1, two).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("the host is ambiguous"), "{}", answer.text());
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_method_in_lower_case_is_kept_out_and_charged() {
    let gateway = authz(json!([closed(&json!({"methods": ["DELETE"]})), open(&json!({}))]), json!({})).await;
    let delete = |method: &str| {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Request::builder().method(method).uri("/").body(Bytes::new()).unwrap()
    };
    for method in ["DELETE", "delete", "Delete"] {
        assert_eq!(ask(&gateway, Protocol::Http2, delete(method)).await.status.as_u16(), 403, "{method}");
    }
    assert_eq!(ask(&gateway, Protocol::Http2, delete("GET")).await.status.as_u16(), 200);
    let limit = json!({"name": "l", "match": {"methods": ["DELETE"]}, "rate": {"requests": 1, "per": "1d"}});
    let gateway =
        Setup::default().plugins(&[Plugin::new(RATE_LIMIT, json!({"limits": [limit]}))]).start().await;
    assert_eq!(ask(&gateway, Protocol::Http2, delete("delete")).await.status.as_u16(), 200);
    assert_eq!(ask(&gateway, Protocol::Http2, delete("DELETE")).await.status.as_u16(), 429);
}

#[tokio::test]
async fn only_a_preflight_is_one() {
    let gateway =
        authz(json!([closed(&json!({"path": {"prefix": "/"}}))]), json!({"from": [{"header": "x-token"}]}))
            .await;
    let options = |headers: &[(&str, &str)], body: &'static str| {
        let all = [("origin", "https://a.example"), ("access-control-request-method", "PUT")];
        let mut request = get("/?access_token=x", &[&all[..], headers].concat()).map(|_| Bytes::from(body));
        *request.method_mut() = Method::OPTIONS;
        request
    };
    for protocol in BOTH {
        assert_eq!(ask(&gateway, protocol, options(&[], "")).await.status.as_u16(), 200);
        assert_eq!(ask(&gateway, protocol, options(&[], "body")).await.status.as_u16(), 403);
        for header in [
            ("authorization", "Bearer x"),
            ("proxy-authorization", "Basic x"),
            ("cookie", "a=b"),
            ("x-token", "x"),
            ("x_token", "x"),
            ("x-http-method-override", "DELETE"),
            ("x-http-method", "DELETE"),
            ("x-method-override", "DELETE"),
            ("origin", "https://b.example"),
        ] {
            assert_eq!(
                ask(&gateway, protocol, options(&[header], "")).await.status.as_u16(),
                403,
                "{header:?}"
            );
        }
    }
    gateway.assert_no_trap().await;
}

/// HTTP/2 transmits the space, and HTTP/1 upstreams remove it.
#[tokio::test]
async fn spaces_at_the_ends_of_a_value_hide_nothing() {
    let matches = json!({"headers": [{"name": "x-env", "exact": "prod"}]});
    let gateway = authz(json!([closed(&matches), open(&json!({}))]), json!({})).await;
    for value in ["prod", "prod ", " prod", "prod \t"] {
        assert_eq!(status(&gateway, Protocol::Http2, "/", &[("x-env", value)]).await, 403, "{value:?}");
    }
    assert_eq!(status(&gateway, Protocol::Http2, "/", &[("x-env", "dev")]).await, 200);
    let limit = json!({"name": "l", "key": [{"header": "x-key"}], "rate": {"requests": 1, "per": "1d"}});
    let gateway =
        Setup::default().plugins(&[Plugin::new(RATE_LIMIT, json!({"limits": [limit]}))]).start().await;
    assert_eq!(status(&gateway, Protocol::Http2, "/", &[("x-key", "a ")]).await, 200);
    assert_eq!(status(&gateway, Protocol::Http2, "/", &[("x-key", "a")]).await, 429);
}

#[tokio::test]
async fn headers_in_other_spellings_do_not_pass() {
    let gateway = authz(json!([open(&json!({}))]), json!({"from": [{"header": "x-token"}]})).await;
    let spellings = ["x-jwt-sub", "x_jwt_sub", "x.jwt.sub", "x!jwt~sub"];
    let tokens = ["x-token", "x_token", "x.token"];
    let headers: Vec<_> = spellings.into_iter().chain(tokens).map(|name| (name, "root")).collect();
    for protocol in BOTH {
        let seen = ask(&gateway, protocol, get("/", &headers)).await.text();
        assert!(!seen.contains("root"), "{seen}");
    }
    let judged =
        authz(json!([{"name": "r", "action": "allow"}]), json!({"from": [{"header": "x-token"}]})).await;
    let good = e2e::Token::good(e2e::Algorithm::Rs256).kid("a").sign();
    assert_eq!(status(&judged, Protocol::Http1, "/", &[("x-token", &good)]).await, 200);
    assert_eq!(
        status(&judged, Protocol::Http1, "/", &[("x-token", &good), ("x_token", "forged")]).await,
        401
    );
    gateway.assert_no_trap().await;
}
