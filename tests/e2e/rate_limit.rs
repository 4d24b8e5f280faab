//! The outcomes of the rate-limit filter.

use bytes::Bytes;
use e2e::{Gateway, Plugin, Setup, eventually, get};
use mesh_filters::http::{Request, Response};
use mesh_filters::registry::RATE_LIMIT;
use serde_json::{Value, json};

fn setup(config: Value) -> Setup {
    Setup::default().plugins(&[Plugin::new(RATE_LIMIT, config)])
}

fn once(name: &str, extra: Value) -> Value {
    let mut limit = json!({"name": name, "rate": {"requests": 1, "per": "1d"}});
    limit.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    limit
}

/// The statuses of a request that is sent twice.
async fn twice(gateway: &Gateway, headers: &[(&str, &str)]) -> (u16, u16) {
    let first = gateway.send(get("/", headers)).await.status.as_u16();
    (first, gateway.send(get("/", headers)).await.status.as_u16())
}

#[track_caller]
fn headers(answer: &Response, expected: &[(&str, Option<&str>)]) {
    for (name, value) in expected {
        assert_eq!(answer.header(name).as_deref(), *value, "{name}");
        assert!(answer.count(name) <= 1, "{name} twice");
    }
}

#[tokio::test]
async fn an_admitted_and_a_refused_response() {
    let gateway = setup(json!({
        "limits": [{"name": "l", "rate": {"requests": 2, "per": "1m"}}],
        "response_headers": ["ratelimit", "x-ratelimit", "retry-after"],
    }))
    .start()
    .await;
    // Rate limit headers of the upstream are replaced, even if they are repeated.
    let upstream =
        [("x-answer", "ratelimit=a"), ("x-answer", "ratelimit=b"), ("x-answer", "x-ratelimit-limit=9")];
    let admitted = gateway.send(get("/", &upstream)).await;
    assert_eq!(admitted.status, 200);
    headers(
        &admitted,
        &[
            ("ratelimit-policy", Some("\"l\";q=2;w=60")),
            ("ratelimit", Some("\"l\";r=1;t=30")),
            ("x-ratelimit-limit", Some("2")),
            ("x-ratelimit-remaining", Some("1")),
            ("x-ratelimit-reset", Some("30")),
            ("retry-after", None),
            ("x-envoy-ratelimited", None),
        ],
    );
    gateway.send(get("/", &[])).await;
    let refused = gateway.send(get("/", &[])).await;
    assert_eq!(refused.status, 429);
    headers(
        &refused,
        &[
            ("ratelimit-policy", Some("\"l\";q=2;w=60")),
            ("ratelimit", Some("\"l\";r=0;t=60")),
            ("x-ratelimit-remaining", Some("0")),
            ("retry-after", Some("30")),
            ("x-envoy-ratelimited", Some("true")),
            ("content-type", Some("application/problem+json")),
        ],
    );
    let problem: Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!(problem["violated-policies"], json!(["l"]));
    assert_eq!((gateway.counted("l", "allowed").await, gateway.counted("l", "denied").await), (2, 1));
    eventually("the log", || async { gateway.access_log().contains("429 rate_limited{l} rate_limited{l}") })
        .await;
}

#[tokio::test]
async fn a_grpc_request_is_refused_as_grpc() {
    let gateway = setup(json!({"limits": [once("l", json!({}))]})).start().await;
    let call = || {
        Request::post("/s/m")
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Bytes::new())
            .unwrap()
    };
    gateway.send(call()).await;
    let refused = gateway.send(call()).await;
    assert_eq!(refused.status, 200);
    headers(&refused, &[("grpc-status", Some("8")), ("grpc-message", Some("rate limit l exceeded"))]);
}

#[tokio::test]
async fn a_request_without_the_key_is_told_to_mend_itself() {
    let limit = once("l", json!({"key": [{"header": "x-tenant"}], "on_missing_key": "deny"}));
    let gateway = setup(json!({"limits": [limit], "reject": {"body": "slow down"}})).start().await;
    let refused = gateway.send(get("/", &[])).await;
    assert_eq!(refused.status, 400);
    headers(
        &refused,
        &[
            ("content-type", Some("application/problem+json")),
            ("x-envoy-ratelimited", None),
            ("retry-after", None),
            ("ratelimit", None),
        ],
    );
    let problem: Value = serde_json::from_slice(&refused.body).unwrap();
    let detail = "the request lacks the key of limit l: header x-tenant";
    assert_eq!(problem, json!({"title": "Bad Request", "status": 400, "detail": detail}));
    let call = Request::post("/s/m").header("content-type", "application/grpc").header("te", "trailers");
    let refused = gateway.send(call.body(Bytes::new()).unwrap()).await;
    headers(
        &refused,
        &[("grpc-status", Some("3")), ("grpc-message", Some(detail)), ("x-envoy-ratelimited", None)],
    );
    assert_eq!((gateway.counted("l", "key_missing").await, gateway.counted("l", "denied").await), (2, 2));
    // The bucket was not charged.
    assert_eq!(twice(&gateway, &[("x-tenant", "a")]).await, (200, 429));
    eventually("the log", || async { gateway.access_log().contains("400 rate_limit_key_missing{l}") }).await;
}

#[tokio::test]
async fn a_limit_by_claims_that_sees_none_is_logged_once() {
    let limits = json!({"limits": [once("by-claim", json!({"key": [{"claim": "sub"}]}))]});
    let gateway = setup(limits).workers(1).start().await;
    for _ in 0..101 {
        assert_eq!(gateway.send(get("/", &[])).await.status, 200);
    }
    let warning = "limit `by-claim`: its first 100 requests had no claims";
    eventually("the warning", || async { gateway.envoy.log().contains(warning) }).await;
    assert_eq!(gateway.envoy.log().matches(warning).count(), 1);
    assert_eq!(gateway.counted("by-claim", "key_missing").await, 101);
}

/// Sends requests until a response has this quota.
async fn until_quota(gateway: &Gateway, quota: &str) {
    eventually("the new config", || async {
        let policy = gateway.send(get("/", &[])).await.header("ratelimit-policy");
        policy.is_some_and(|policy| policy.contains(quota))
    })
    .await;
}

#[tokio::test]
async fn a_smaller_quota_in_between_forgives_nothing() {
    let config = |burst: u32| {
        setup(json!({"limits": [{"name": "l", "rate": {"requests": 1, "per": "1d"}, "burst": burst}]}))
            .file_based()
    };
    let gateway = config(8).start().await;
    for _ in 0..8 {
        assert_eq!(gateway.send(get("/", &[])).await.status, 200);
    }
    gateway.push(&config(2), 2);
    until_quota(&gateway, "q=2;").await;
    // With another rate, so that the proxy does not reuse the first config.
    let last = json!({"limits": [{"name": "l", "rate": {"requests": 2, "per": "1d"}, "burst": 8}]});
    gateway.push(&setup(last).file_based(), 3);
    until_quota(&gateway, "q=8;").await;
    assert_eq!(gateway.send(get("/", &[])).await.status, 429);
    assert_eq!(gateway.counted("l", "allowed").await, 8);
}

#[tokio::test]
async fn all_workers_count_into_the_same_bucket() {
    let gateway = setup(json!({"limits": [{"name": "l", "rate": {"requests": 10, "per": "1d"}}]}))
        .workers(4)
        .start()
        .await;
    let mut admitted = 0;
    for _ in 0..40 {
        admitted += u32::from(gateway.send(get("/", &[])).await.status == 200);
    }
    assert_eq!(admitted, 10);
}

#[tokio::test]
async fn cors_preflight_requests_pass_unless_they_are_to_be_checked() {
    let preflight = || {
        let request = Request::options("/")
            .header("origin", "a.example")
            .header("access-control-request-method", "PUT");
        request.body(Bytes::new()).unwrap()
    };
    for (policy, expected) in [("allow", 200), ("check", 429)] {
        let config = json!({"cors_preflight": policy, "limits": [once("l", json!({}))]});
        let gateway = setup(config).start().await;
        gateway.send(preflight()).await;
        assert_eq!(gateway.send(preflight()).await.status, expected, "{policy}");
    }
}

/// `trusted_hops` counts from the right of the header that the filter sees, which ends with the peer's address if
/// `use_remote_address` is set.
#[tokio::test]
async fn whose_request_it_is() {
    let config = |hops: u32| json!({"client_ip": {"trusted_hops": hops}, "limits": [once("l", json!({"key": ["client_ip"]}))]});
    let forwarded = |value: &'static str| [("x-forwarded-for", value)];

    let sidecar = setup(config(1)).start().await;
    assert_eq!(twice(&sidecar, &forwarded("6.6.6.6, 7.7.7.7")).await, (200, 429));
    // The trusted address counts, not the one that clients can spoof.
    assert_eq!(twice(&sidecar, &forwarded("9.9.9.9, 7.7.7.7")).await, (429, 429));
    assert_eq!(twice(&sidecar, &forwarded("6.6.6.6, 7.7.7.8")).await, (200, 429));
    // With too few elements the peer's address is used, and counted as a fallback.
    assert_eq!(twice(&sidecar, &[]).await, (200, 429));
    assert_eq!(sidecar.stat("wasmcustom.mesh_filters.rate_limit.client_ip_fallback").await, 2);

    let gateway = setup(config(2)).use_remote_address().start().await;
    assert_eq!(twice(&gateway, &forwarded("6.6.6.6, 7.7.7.7")).await, (200, 429));
    assert_eq!(twice(&gateway, &forwarded("7.7.7.7")).await, (429, 429));
    assert_eq!(twice(&gateway, &forwarded("7.7.7.8")).await, (200, 429));

    let by_source = setup(config(0)).use_remote_address().start().await;
    assert_eq!(twice(&by_source, &forwarded("7.7.7.7")).await, (200, 429));
    assert_eq!(twice(&by_source, &forwarded("8.8.8.8")).await, (429, 429));
}

#[tokio::test]
async fn keys_from_attributes_and_from_what_other_filters_left() {
    let claims = json!({
        "name": "claims",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config",
            "on_request_headers": [{
                "object_key": "wasm.jwt_claims",
                "factory_key": "envoy.string",
                "format_string": {"text_format_source": {"inline_string": "{\"sub\":\"%REQ(x-sub)%\"}"}},
            }],
        },
    });
    let limits = json!({"limits": [
        once("claim", json!({"key": [{"claim": "sub"}], "match": {"claims": [{"claim": "sub", "prefix": "user-"}]}})),
        once("attribute", json!({"key": [{"attribute": "request.url_path"}], "match": {"path": {"prefix": "/by-attribute"}}})),
    ]});
    let gateway = Setup::default().filter(claims).plugins(&[Plugin::new(RATE_LIMIT, limits)]).start().await;
    assert_eq!(twice(&gateway, &[("x-sub", "user-1")]).await, (200, 429));
    assert_eq!(twice(&gateway, &[("x-sub", "user-2")]).await, (200, 429));
    assert_eq!(twice(&gateway, &[("x-sub", "guest")]).await, (200, 200));
    for (path, status) in [("/by-attribute/a", 200), ("/by-attribute/a?q", 429), ("/by-attribute/b", 200)] {
        assert_eq!(gateway.send(get(path, &[])).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_shadow_limit_is_counted_and_logged_and_refuses_nobody() {
    let gateway = setup(json!({"limits": [once("s", json!({"mode": "shadow"}))]})).start().await;
    assert_eq!(twice(&gateway, &[]).await, (200, 200));
    assert_eq!((gateway.counted("s", "allowed").await, gateway.counted("s", "shadow_denied").await), (1, 1));
    eventually("the log", || async { gateway.access_log().contains("200 via_upstream shadow_denied{s}") })
        .await;
}

#[tokio::test]
async fn two_plugins_do_not_count_into_each_other_s_buckets() {
    let config = json!({"limits": [once("l", json!({}))]});
    let plugins =
        [Plugin::new(RATE_LIMIT, config.clone()).named("a"), Plugin::new(RATE_LIMIT, config).named("b")];
    let gateway = Setup::default().plugins(&plugins).start().await;
    assert_eq!(twice(&gateway, &[]).await, (200, 429));
}
