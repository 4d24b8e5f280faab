//! The host layer and the pitfalls of Envoy's Wasm host.

use bytes::Bytes;
use e2e::{Gateway, Plugin, Setup, eventually, get};
use mesh_filters::http::{Connection, Protocol, Request, Response};
use mesh_filters::module::PROBE;
use serde_json::json;

async fn probe() -> Gateway {
    Setup::default().plugins(&[Plugin::new(PROBE, json!({"name": "first"}))]).start().await
}

async fn act(gateway: &Gateway, act: &str, headers: &[(&str, &str)]) -> Response {
    let mut all = vec![("x-probe", act)];
    all.extend(headers);
    gateway.send(get("/", &all)).await
}

#[track_caller]
fn check(answer: &Response, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(answer.header(name).as_deref(), Some(*value), "{name} of {:?}", answer.headers);
    }
}

#[tokio::test]
async fn headers_are_bytes_in_order_with_repeats() {
    let gateway = probe().await;
    let mut request = get("/", &[("x-probe", "count"), ("x-a", "1"), ("x-b", ""), ("x-a", "2")]);
    request.headers_mut().insert("x-raw", b"\x80\xfe\xff".as_slice().try_into().unwrap());
    let answer = gateway.send(request).await;
    // Seven sent headers, with host as :authority, and those that Envoy adds.
    let count: usize = answer.header("x-probe-count").unwrap().parse().unwrap();
    assert!(count >= 9, "{count}");
    assert!(answer.body.windows(3).any(|bytes| bytes == b"\x80\xfe\xff"));
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn edits_replace_every_value_and_leave_the_rest() {
    let gateway = probe().await;
    for fetch in ["yes", "no"] {
        let headers = [
            ("x-fetch", fetch),
            ("x-twice", "a"),
            ("x-twice", "b"),
            ("x-gone", "1"),
            ("x-gone", "2"),
            ("x-more", "1"),
        ];
        let answers = [("x-answer", "x-twice=a"), ("x-answer", "x-twice=b"), ("x-answer", "x-gone=1")];
        let answer = act(&gateway, "edit", &[&headers[..], &answers[..]].concat()).await;
        let got = answer.text();
        for line in ["x-twice: once\n", "x-new: new\n", "x-more: 1\n", "x-more: 2\n"] {
            assert_eq!(got.matches(line).count(), 1, "{line} in {got}");
        }
        assert!(!got.contains("\nx-gone: ") && !got.contains("\nx-twice: b"), "{got}");
        // The same on the response.
        assert_eq!((answer.count("x-twice"), answer.count("x-gone")), (1, 0));
        check(&answer, &[("x-twice", "once")]);
    }
}

#[tokio::test]
async fn a_local_reply_has_details_bytes_and_a_grpc_status() {
    let gateway = probe().await;
    let answer = act(&gateway, "reply", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (418, "teapot".to_owned()));
    assert_eq!(answer.headers["x-bytes"].as_bytes(), "\u{ff}".as_bytes());
    assert!(!answer.text().contains("x-mark"));
    let answer = act(&gateway, "reply", &[("content-type", "application/grpc")]).await;
    assert_eq!(answer.status, 200);
    check(&answer, &[("grpc-status", "8"), ("grpc-message", "teapot")]);
    eventually("the details in the log", || async { gateway.access_log().contains("418 probe{teapot}") })
        .await;
}

#[tokio::test]
async fn a_paused_request_goes_on_with_the_next_stage() {
    let gateway = probe().await;
    for (act_name, wake) in [("pause", "deadline"), ("notify", "notified")] {
        let answer = act(&gateway, act_name, &[]).await;
        check(&answer, &[("x-probe-wake", wake)]);
        assert_eq!(answer.text().matches("x-mark: came-through").count(), 1);
    }
    let answer = act(&gateway, "pause-then-reply", &[]).await;
    assert_eq!(answer.status.as_u16(), 418);
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_body_does_not_overtake_headers_that_wait() {
    for plugin in [Plugin::new(PROBE, json!({})), Plugin::new(PROBE, json!({})).stop_iteration()] {
        let gateway = Setup::default().plugins(&[plugin]).start().await;
        let request =
            Request::post("/").header("x-probe", "pause-then-reply").body(Bytes::from("body")).unwrap();
        assert_eq!(gateway.send(request).await.status.as_u16(), 418);
        let request = Request::post("/").header("x-probe", "pause").body(Bytes::from("body")).unwrap();
        let answer = gateway.send(request).await;
        check(&answer, &[("x-probe-wake", "deadline")]);
        assert!(answer.text().ends_with("body"));
    }
}

#[tokio::test]
async fn a_client_that_leaves_while_paused_is_no_matter() {
    let gateway = Setup::default().workers(1).plugins(&[Plugin::new(PROBE, json!({}))]).start().await;
    for act_name in ["pause", "wait", "http", "notify"] {
        for _ in 0..20 {
            let mut connection = Connection::open(gateway.address, Protocol::Http1).await.unwrap();
            let headers =
                [("x-probe", act_name), ("x-cluster", "upstream"), ("x-path", "/"), ("x-slow", "100")];
            let sending = connection.send(get("/", &headers));
            let gone = tokio::time::timeout(std::time::Duration::from_millis(5), sending).await;
            drop(gone);
        }
    }
    eventually("all clients gone", || async { gateway.stat("http.gateway.downstream_cx_active").await == 0 })
        .await;
    // By then the waits of the streams that have ended are over.
    let answer = act(&gateway, "pause", &[]).await;
    check(&answer, &[("x-probe-wake", "deadline")]);
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn calls_are_answered_also_where_nobody_answers() {
    let gateway = probe().await;
    let answer = act(&gateway, "http", &[("x-cluster", "upstream"), ("x-path", "/hello")]).await;
    // Of the body, 16 bytes are read.
    check(&answer, &[("x-probe-wake", "answer"), ("x-probe-status", "200"), ("x-probe-body", "16 false")]);
    assert!(answer.text().contains("x-mark: came-through"));
    let answer = act(&gateway, "http", &[("x-cluster", "dead"), ("x-path", "/")]).await;
    check(&answer, &[("x-probe-status", "503")]);
    let answer = act(&gateway, "http", &[("x-cluster", "missing"), ("x-path", "/")]).await;
    check(&answer, &[("x-probe-call", "Envoy has no cluster `missing`")]);
    let answer = act(&gateway, "grpc", &[("x-cluster", "missing")]).await;
    check(&answer, &[("x-probe-call", "Envoy has no cluster `missing`")]);
    // No gRPC server is there: the call ends with a status.
    let answer = act(&gateway, "grpc", &[("x-cluster", "dead")]).await;
    check(&answer, &[("x-probe-grpc", "Err(14)")]);
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn background_work_calls_from_a_tick() {
    for (cluster, expected) in
        [("upstream", "Some(200)"), ("dead", "Some(503)"), ("missing", "Envoy has no cluster `missing`")]
    {
        let gateway =
            Setup::default().plugins(&[Plugin::new(PROBE, json!({"fetch": cluster}))]).start().await;
        eventually("an answer", || async {
            act(&gateway, "", &[]).await.header("x-probe-fetched").as_deref() == Some(expected)
        })
        .await;
        gateway.assert_no_trap().await;
    }
}

#[tokio::test]
async fn a_paused_response_goes_on() {
    let gateway = probe().await;
    let answer = act(&gateway, "pause-response", &[]).await;
    check(&answer, &[("x-probe-wake", "deadline")]);
    assert!(answer.text().starts_with("GET /"));
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn what_the_host_does_not_have_is_a_status() {
    let gateway = probe().await;
    check(&act(&gateway, "foreign", &[]).await, &[("x-probe-foreign", "Err(NotFound)")]);
    // Request headers in the response phase are absent; reading them does not trap.
    check(&act(&gateway, "late", &[]).await, &[("x-probe-late", "Ok(None)")]);
    let answer = act(&gateway, "state", &[]).await;
    check(&answer, &[("x-probe-set", "Ok(())"), ("x-probe-none", "Ok(None)")]);
    assert!(answer.header("x-probe-get").unwrap().starts_with("Ok(Some([255, 115"));
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_record_is_created_once_however_many_try() {
    let gateway = probe().await;
    let create = |key: String| {
        let request = get("/", &[("x-probe", "create"), ("x-key", &key)]);
        let address = gateway.address;
        async move { mesh_filters::http::send(address, Protocol::Http1, request).await.unwrap() }
    };
    check(
        &create("a".to_owned()).await,
        &[("x-probe-create", "Ok(Done)"), ("x-probe-write", "Ok(Done)"), ("x-probe-stale", "Ok(Conflict)")],
    );
    check(&create("a".to_owned()).await, &[("x-probe-create", "Ok(Conflict)")]);
    // Sixteen connections over two workers race for each of many keys.
    for key in 0..30 {
        let racers: Vec<_> = (0..16).map(|_| tokio::spawn(create(format!("race-{key}")))).collect();
        let mut created = 0;
        for racer in racers {
            created +=
                u32::from(racer.await.unwrap().header("x-probe-create").as_deref() == Some("Ok(Done)"));
        }
        assert_eq!(created, 1, "key {key}");
    }
}

#[tokio::test]
async fn clocks_randomness_and_metrics() {
    let gateway = probe().await;
    let answer = act(&gateway, "time", &[]).await;
    check(&answer, &[("x-probe-monotonic", "true"), ("x-probe-random", "true")]);
    let seconds: u64 = answer.header("x-probe-wall").unwrap().parse().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(now.abs_diff(seconds) < 60);
    for _ in 0..5 {
        check(&act(&gateway, "metrics", &[]).await, &[("x-probe-gauge", "Some(5)")]);
    }
    assert_eq!(gateway.stat("wasmcustom.probe.counter").await, 5);
    assert_eq!(gateway.stat("wasmcustom.probe.gauge").await, 5);
}

#[tokio::test]
async fn bodies_are_read_and_replaced() {
    let gateway = probe().await;
    let send = |act: &'static str, body: &'static str| {
        let request = Request::post("/").header("x-probe", act).body(Bytes::from(body)).unwrap();
        gateway.send(request)
    };
    assert!(send("request-body", "hello").await.text().ends_with("\n\nHELLO"));
    assert!(send("response-body", "hello").await.text().starts_with("POST /\n"));
    gateway.assert_no_trap().await;
}

/// Every worker has a VM, and the proxy a few more; each gets the config.
#[tokio::test]
async fn an_accepted_config_is_reported_once() {
    let plugin = Plugin::new(PROBE, json!({"filters": ["a"]})).named("default.shown");
    let gateway = Setup::default().log_level("info").workers(4).plugins(&[plugin]).start().await;
    gateway.send(get("/", &[("x-a", "log")])).await;
    let log = gateway.envoy.log();
    assert_eq!(log.matches("[mesh-filters/step default.shown] config ").count(), 1, "{log}");
    assert!(log.contains(" accepted: a"));
    assert_eq!(log.matches("[mesh-filters/probe default.shown] a warns").count(), 1);
    assert!(!log.contains("a explains"));
    assert!(gateway.stat("wasmcustom.mesh_filters.probe.plugin=.=default.shown;.;config_hash").await > 0);
}
