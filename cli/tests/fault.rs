//! The configs of the fault filter for Envoy and for Istio's EnvoyFilter, in a real Envoy: what works in which position.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what the tests share is no test itself, but fails as one"
)]

use bytes::Bytes;
use mesh_filters::demo::environment::upstreams;
use mesh_filters::envoy::{Bootstrap, Envoy, Launch};
use mesh_filters::http::{self, Protocol, Request, Response};
use mesh_filters::{registry, workspace};
use mesh_testkit::manifest::documents;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Tries of what a busy machine may spoil.
const TRIES: usize = 5;

const OPTIONS: &str = "/static_resources/clusters/0/typed_extension_protocol_options/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// A gateway in front of the demo's upstream, which echoes the marker.
struct Gateway {
    envoy: Envoy,
    _upstreams: Envoy,
}

impl Gateway {
    async fn of(config: &str) -> Self {
        Self::start(Bootstrap::load(config).unwrap(), Launch::new().unwrap()).await
    }

    async fn start(mut bootstrap: Bootstrap, launch: Launch) -> Self {
        registry::FAULT.module().build().unwrap();
        let upstreams = upstreams().await.unwrap();
        bootstrap.use_free_ports();
        bootstrap.set_modules(&workspace::dist());
        bootstrap.set_cluster("app", upstreams.listener("v1").await.unwrap()).unwrap();
        Self { envoy: launch.start(&bootstrap).await.unwrap(), _upstreams: upstreams }
    }

    /// The response to a request with these headers, and how long it took.
    async fn send(&self, headers: &[(&str, &str)]) -> (Response, Duration) {
        let mut request = Request::get("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let begin = Instant::now();
        let address = self.envoy.listener("gateway").await.unwrap();
        let response =
            http::send(address, Protocol::Http1, request.body(Bytes::new()).unwrap()).await.unwrap();
        (response, begin.elapsed())
    }

    /// Sends a request that chooses a rule. Returns status, marker and the marker that the upstream has got.
    async fn fault(&self, chosen: &str) -> ((u16, Option<String>, Option<String>), Duration) {
        let (response, time) = self.send(&[("x-test-fault", chosen)]).await;
        let header = |name| response.header(name).filter(|value| !value.is_empty());
        ((response.status.as_u16(), header("x-mesh-fault"), header("x-echo-x-mesh-fault")), time)
    }

    /// The number of timeouts of attempts, and of retries.
    async fn attempts(&self) -> [u64; 2] {
        let stats = self.envoy.admin().stats().await.unwrap();
        ["per_try_timeout", "retry"].map(|name| stats.value(&format!("cluster.app.upstream_rq_{name}")))
    }

    /// Checks status and marker of a request with these headers, and its timeouts and retries. No request takes two seconds.
    ///
    /// While the machine is busy, further attempts run into their timeout; then the request is sent again.
    async fn check(&self, headers: &[(&str, &str)], expected: (u16, Option<&str>), attempts: [u64; 2]) {
        for _ in 0..TRIES {
            let before = self.attempts().await;
            let (response, time) = self.send(headers).await;
            let after = self.attempts().await;
            let found = [after[0] - before[0], after[1] - before[1]];
            if found[0] <= attempts[0] && time < Duration::from_secs(2) {
                let marker = response.header("x-mesh-fault");
                assert_eq!((response.status.as_u16(), marker.as_deref()), expected, "{headers:?}");
                assert_eq!(response.header("x-echo-x-mesh-fault").filter(|value| !value.is_empty()), None);
                assert_eq!(found, attempts, "{headers:?}");
                return;
            }
        }
        panic!("{headers:?}: more timeouts than {attempts:?}, {TRIES} times");
    }
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[tokio::test]
async fn a_listener_has_every_fault_but_those_of_attempts() {
    let gateway = Gateway::of("fault-downstream").await;
    assert_eq!(gateway.fault("nothing").await.0, (200, None, None));
    let (answer, time) = gateway.fault("inject").await;
    assert_eq!(answer, (503, text("chaos"), None));
    assert!(time >= Duration::from_millis(100), "{time:?}");
    assert_eq!(gateway.fault("delay").await.0, (200, text("slow"), text("slow")));
    // A response that comes too late for its delay is left alone.
    for tries in 1..=TRIES {
        let (answer, time) = gateway.fault("as-measured").await;
        assert!(time >= Duration::from_millis(50), "{time:?}");
        if answer.1.is_some() || tries == TRIES {
            assert_eq!(answer, (200, text("as-measured"), None));
            break;
        }
    }
    assert_eq!(gateway.fault("first-attempt").await.0, (200, None, None));
    // A marker of the client's own is removed before the filter.
    let (response, _) = gateway.send(&[("x-test-fault", "inject"), ("x-mesh-fault", "me")]).await;
    assert_eq!(response.status.as_u16(), 503);
}

#[tokio::test]
async fn a_cluster_has_faults_for_each_attempt() {
    let gateway = Gateway::of("fault-upstream").await;
    check_attempts(&gateway).await;
    gateway.check(&[("x-test-fault", "all-attempts")], (503, Some("all-attempts")), [0, 3]).await;
    gateway.check(&[("x-test-fault", "abort")], (503, Some("no-retry")), [0, 0]).await;
    // Only the first attempt has the trigger's headers.
    let trigger = [("x-fault", "delay=2s"), ("x-fault-key", "replace-me-3f9c1d")];
    gateway.check(&trigger, (200, None), [1, 1]).await;
}

/// A first attempt that waits longer than its timeout, and one that fails: both are retried, and the second attempt is good.
async fn check_attempts(gateway: &Gateway) {
    gateway.check(&[("x-test-fault", "slow-first-attempt")], (200, None), [1, 1]).await;
    gateway.check(&[("x-test-fault", "failing-first-attempt")], (200, None), [0, 1]).await;
}

/// The patches of Istio's manifest, as Istio applies them: a cluster's options are replaced, and the module comes from the
/// agent of the pod, here a file.
#[tokio::test]
async fn the_envoy_filter_places_the_filter_in_a_cluster() {
    let patches = patches("fault-attempts");
    let [extension, cluster] = patches.as_slice() else { panic!("{} patches", patches.len()) };
    let launch = Launch::new().unwrap();
    let file = launch.folder().join("extensions.json");

    let mut extension = extension.clone();
    extension["@type"] = json!("type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig");
    extension["typed_config"]["config"]["vm_config"]["code"] =
        json!({"local": {"filename": workspace::dist().join("fault.wasm")}});
    std::fs::write(&file, json!({"version_info": "1", "resources": [extension]}).to_string()).unwrap();

    let mut bootstrap = Bootstrap::load("fault-upstream").unwrap();
    bootstrap.value_mut()["node"] = json!({"id": "gateway", "cluster": "tests"});
    let (_, name) = OPTIONS.rsplit_once('/').unwrap();
    let options = bootstrap.value_mut().pointer_mut(OPTIONS).unwrap();
    *options = cluster["typed_extension_protocol_options"][name].clone();
    let source = &mut options["http_filters"][0]["config_discovery"]["config_source"];
    assert_eq!(source.as_object_mut().unwrap().remove("ads"), Some(json!({})));
    source["path_config_source"] = json!({"path": file});
    check_attempts(&Gateway::start(bootstrap, launch).await).await;
}

/// Istio merges what is in the connection manager of the config for Envoy.
#[test]
fn the_envoy_filter_removes_the_marker_as_the_configs_for_envoy_do() {
    let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    let expected = patches("fault-marker")[0]["typed_config"].clone();
    for config in ["fault-downstream", "fault-upstream"] {
        let bootstrap = Bootstrap::load(config).unwrap();
        let manager = bootstrap.value().pointer(manager).unwrap();
        for field in ["@type", "early_header_mutation_extensions"] {
            assert_eq!(manager[field], expected[field], "{config}");
        }
    }
}

/// The values of the patches of an EnvoyFilter in the manifest.
fn patches(name: &str) -> Vec<Value> {
    let manifest = std::fs::read_to_string(workspace::root().join("envoy-configs/istio/fault.yaml")).unwrap();
    let filter =
        documents(&manifest).into_iter().find(|document| document["metadata"]["name"] == name).unwrap();
    let patches = filter["spec"]["configPatches"].as_array().unwrap();
    patches.iter().map(|patch| patch["patch"]["value"].clone()).collect()
}
