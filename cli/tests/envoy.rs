//! The library on a real Envoy without filters.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mesh_filters::demo::environment::upstreams;
use mesh_filters::envoy::{Bootstrap, Launch, usage};
use mesh_filters::http::{self, HeaderValue, Load, Protocol, Request, StatusCode, Until, Version};

#[tokio::test]
async fn each_upstream_answers_its_name_and_what_it_was_sent() {
    let envoy = upstreams().await.unwrap();
    for (name, protocol, version) in
        [("v1", Protocol::Http1, Version::HTTP_11), ("v2", Protocol::Http2, Version::HTTP_2)]
    {
        let address = envoy.listener(name).await.unwrap();
        let request = Request::get("/").header("x-request-id", "7").body(Bytes::new()).unwrap();
        let answer = http::send(address, protocol, request).await.unwrap();
        assert_eq!((answer.status, answer.version), (StatusCode::OK, version));
        assert_eq!(
            (answer.text().as_str(), answer.header("x-echo-x-request-id").as_deref()),
            (name, Some("7"))
        );
    }
    let request = Request::get("/upstream-ratelimit").body(Bytes::new()).unwrap();
    let answer = http::send(envoy.listener("v1").await.unwrap(), Protocol::Http1, request).await.unwrap();
    assert_eq!((answer.header("ratelimit").as_deref(), answer.count("ratelimit")), (Some("upstream"), 1));
}

#[tokio::test]
async fn a_header_may_hold_any_byte_and_come_twice() {
    let envoy = upstreams().await.unwrap();
    let address = envoy.listener("v1").await.unwrap();
    let strange = HeaderValue::from_bytes(b"\x80\xff").unwrap();
    let request = Request::get("/")
        .header("x-request-id", strange.clone())
        .header("x-request-id", "b")
        .body(Bytes::new())
        .unwrap();
    let answer = http::send(address, Protocol::Http1, request).await.unwrap();
    let echoed = answer.headers.get("x-echo-x-request-id").unwrap().as_bytes();
    assert!(echoed.starts_with(strange.as_bytes()), "{echoed:?}");
}

#[tokio::test]
async fn load_is_counted_on_both_sides() {
    let envoy = upstreams().await.unwrap();
    let v1 = envoy.listener("v1").await.unwrap();
    let v2 = envoy.listener("v2").await.unwrap();
    let cpu = usage::cpu_nanos(envoy.pid()).unwrap();
    let request = |_| Request::get("/").body(Bytes::new()).unwrap();

    let seen = std::sync::Arc::new(Mutex::new(Vec::new()));
    let also_seen = seen.clone();
    let report = Load::http1(v1, 3, Until::Requests(50))
        .run(request, move |turn, _| also_seen.lock().unwrap().push((turn.connection, turn.sequence)))
        .await
        .unwrap();
    assert_eq!((report.count(StatusCode::OK), report.answers(), report.errors), (50, 50, 0));
    let mut seen = seen.lock().unwrap().clone();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 50);

    let time = Duration::from_millis(200);
    let report = Load::http2(v2, 2, 4, Until::Elapsed(time)).run(request, |_, _| ()).await.unwrap();
    assert!(report.elapsed() >= time && report.elapsed() < time * 10, "{report:?}");
    assert_eq!(report.errors, 0, "{report:?}");

    let stats = envoy.admin().stats().await.unwrap();
    assert_eq!(stats.value("http.v1.downstream_rq_2xx"), 50);
    assert_eq!(stats.sum("http.v2.downstream_rq_2x"), report.answers());
    assert_eq!(stats.value("http.v2.downstream_cx_total"), 2);
    assert!(usage::cpu_nanos(envoy.pid()).unwrap() > cpu);
    assert!(usage::resident_bytes(envoy.pid()).unwrap() > 1 << 20);
}

#[tokio::test]
async fn a_connection_that_breaks_is_counted_and_replaced() {
    let mut envoy = upstreams().await.unwrap();
    let address = envoy.listener("v1").await.unwrap();
    let load = Load::http1(address, 2, Until::Elapsed(Duration::from_secs(5)));
    let running = tokio::spawn(load.run(|_| Request::get("/").body(Bytes::new()).unwrap(), |_, _| ()));
    tokio::time::sleep(Duration::from_millis(100)).await;
    tokio::task::spawn_blocking(move || envoy.stop()).await.unwrap();
    let report = running.await.unwrap().unwrap();
    assert!(report.answers() > 0 && report.errors > 0, "{report:?}");
    assert!(report.example.is_some());
}

#[tokio::test]
async fn nothing_is_left_of_an_envoy_that_was_dropped() {
    let envoy = upstreams().await.unwrap();
    let (pid, folder) = (envoy.pid(), envoy.folder().to_owned());
    let info = envoy.admin().server_info().await.unwrap();
    assert_eq!(info.get("state").unwrap(), "LIVE");
    assert!(envoy.log().contains("all dependencies initialized"), "{}", envoy.log());
    drop(envoy);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_configuration_that_envoy_refuses_fails_at_once_with_its_words() {
    let begin = Instant::now();
    let bootstrap = Bootstrap::parse("{static_resources: {listeners: [{nonsense: 1}]}}").unwrap();
    let launch = Launch::new().unwrap();
    let folder = launch.folder().to_owned();
    let error = format!("{:#}", launch.start(&bootstrap).await.unwrap_err());
    assert!(error.contains("nonsense"), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert!(!folder.exists());
}

#[tokio::test]
async fn files_can_be_laid_out_before_the_start_and_replaced_afterwards() {
    let launch = Launch::new().unwrap().concurrency(1);
    let file = launch.folder().join("listeners.json");
    let listener = |name: &str| {
        let mut upstreams = Bootstrap::load("upstreams").unwrap();
        upstreams.use_free_ports();
        let mut listener = upstreams.value()["static_resources"]["listeners"][0].clone();
        listener["name"] = name.into();
        listener["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
        serde_json::json!({"version_info": name, "resources": [listener]}).to_string()
    };
    std::fs::write(&file, listener("before")).unwrap();
    let bootstrap = Bootstrap::from_value(serde_json::json!({
        "node": {"id": "n", "cluster": "c"},
        "dynamic_resources": {"lds_config": {"path_config_source": {"path": file}}},
    }));
    let envoy = launch.start(&bootstrap).await.unwrap();
    assert!(envoy.listener("before").await.is_ok());

    let new = file.with_extension("new");
    std::fs::write(&new, listener("after")).unwrap();
    std::fs::rename(&new, &file).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while envoy.listener("after").await.is_err() {
        assert!(Instant::now() < deadline, "the new file was not taken");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
