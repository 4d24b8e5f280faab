//! The manifests of the suite for Istio: one plugin in three forms, with what it needs, and the EnvoyFilter in a real Envoy.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what the tests share is no test itself, but fails as one"
)]

use bytes::Bytes;
use mesh_filters::demo::environment::upstreams;
use mesh_filters::envoy::{Bootstrap, Envoy, Launch};
use mesh_filters::http::{self, Protocol, Request};
use mesh_filters::registry::SUITE;
use mesh_filters::workspace;
use mesh_testkit::manifest::{documents, plugin_config, problems};
use serde_json::{Value, json};

const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";

fn manifest(name: &str) -> Vec<Value> {
    let path = workspace::root().join("envoy-configs/istio").join(name).with_extension("yaml");
    documents(&std::fs::read_to_string(path).unwrap())
}

/// The plugin, and what it needs.
fn plugin_and_companions() -> (Value, Vec<Value>) {
    let documents = manifest("suite");
    (plugin_config(&documents[0]), documents[2..].to_vec())
}

fn companion(kind: &str, name: &str) -> Value {
    let (_, companions) = plugin_and_companions();
    let found =
        companions.into_iter().find(|found| found["kind"] == kind && found["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// The EnvoyFilter's two patches: the module, and its place in the chain.
fn patches() -> [Value; 2] {
    let [filter] = <[Value; 1]>::try_from(manifest("suite-envoy-filter")).unwrap();
    let patches = filter["spec"]["configPatches"].as_array().unwrap();
    let values: Vec<_> = patches.iter().map(|patch| patch["patch"]["value"].clone()).collect();
    values.try_into().unwrap()
}

#[test]
fn the_envoy_filter_is_valid_and_the_same_plugin() {
    let [filter] = <[Value; 1]>::try_from(manifest("suite-envoy-filter")).unwrap();
    assert_eq!(problems(&filter), [""; 0]);
    let plugin = manifest("suite").remove(0);
    assert_eq!(filter["metadata"]["namespace"], plugin["metadata"]["namespace"]);
    assert_eq!(filter["spec"]["workloadSelector"]["labels"], plugin["spec"]["selector"]["matchLabels"]);

    let [module, place] = patches();
    assert_eq!(module["name"], place["name"]);
    let extension = &module["typed_config"];
    assert_eq!(place["config_discovery"]["type_urls"], json!([extension["@type"]]));
    let config = &extension["config"];
    assert_eq!(config["failure_policy"], "FAIL_CLOSED");
    assert_eq!(config["vm_config"]["code"]["remote"]["http_uri"]["uri"], plugin["spec"]["url"]);
    let text = config["configuration"]["value"].as_str().unwrap();
    SUITE.check(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
    let written: Value = serde_json::from_str(text).unwrap();
    assert_eq!(plugin_config(&json!({"spec": {"pluginConfig": written}})), plugin_config(&plugin));
}

#[test]
fn the_chain_is_in_the_recommended_order_and_has_what_it_needs() {
    let (config, _) = plugin_and_companions();
    let blocks = config["filters"].as_array().unwrap();
    let filters = blocks.iter().map(|block| {
        let mut fields = block.as_object().unwrap().keys().filter(|field| *field != "name");
        fields.next().unwrap().as_str()
    });
    assert_eq!(filters.collect::<Vec<_>>(), ["trace_context", "jwt_authz", "rate_limit", "canary", "fault"]);

    // The keys are where the mesh knows them, and come by TLS that is checked.
    let remote = &blocks[1]["jwt_authz"]["providers"][0]["jwks"]["remote"];
    let (host, entry) = (&remote["host"], companion("ServiceEntry", "suite-issuer"));
    assert_eq!(entry["spec"]["hosts"], json!([host]));
    let port = &entry["spec"]["ports"][0]["number"];
    assert_eq!(remote["cluster"], format!("outbound|{port}||{}", host.as_str().unwrap()));
    let settings =
        &companion("DestinationRule", "suite-issuer")["spec"]["trafficPolicy"]["portLevelSettings"][0];
    assert_eq!(&settings["port"]["number"], port);
    let tls = json!({"mode": "SIMPLE", "sni": host, "subjectAltNames": [host], "caCertificates": "system"});
    assert_eq!(settings["tls"], tls);

    // Each variant has a route and a subset.
    let canary = &blocks[3]["canary"];
    let header = canary["output"]["header"].as_str().unwrap();
    let variants: Vec<_> =
        canary["split"]["variants"].as_array().unwrap().iter().map(|variant| &variant["name"]).collect();
    assert_eq!(variants, [&json!("v1"), &json!("v2")]);
    let (service, rule) = (companion("VirtualService", "checkout"), companion("DestinationRule", "checkout"));
    let to = |subset: &str| json!([{"destination": {"host": rule["spec"]["host"], "subset": subset}}]);
    let routes = json!([
        {"name": "v2", "match": [{"headers": {header: {"exact": "v2"}}}], "route": to("v2")},
        {"name": "v1", "route": to("v1")},
    ]);
    assert_eq!((&service["spec"]["http"], &canary["default"]), (&routes, &json!("v1")));
    let subsets = rule["spec"]["subsets"].as_array().unwrap().iter().map(|subset| &subset["name"]);
    assert_eq!(subsets.collect::<Vec<_>>(), variants);
}

/// The marker is removed as the configs for Envoy do.
#[test]
fn clients_cannot_mark_their_own_requests() {
    let marker = companion("EnvoyFilter", "suite-marker");
    let merged = &marker["spec"]["configPatches"][0]["patch"]["value"]["typed_config"];
    for config in ["suite-chaos", "suite-fault-for-header"] {
        let bootstrap = Bootstrap::load(config).unwrap();
        let manager = bootstrap.value().pointer(MANAGER).unwrap();
        for field in ["@type", "early_header_mutation_extensions"] {
            assert_eq!(manager[field], merged[field], "{config}");
        }
    }
}

/// The patches as Istio applies them: the module comes from the agent of the pod, here a file.
async fn start() -> (Envoy, Envoy) {
    SUITE.module().build().unwrap();
    let upstreams = upstreams().await.unwrap();
    let launch = Launch::new().unwrap();
    let file = launch.folder().join("extensions.json");
    let [mut module, mut place] = patches();
    module["@type"] = json!("type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig");
    module["typed_config"]["config"]["vm_config"]["code"] =
        json!({"local": {"filename": SUITE.module().path()}});
    std::fs::write(&file, json!({"version_info": "1", "resources": [module]}).to_string()).unwrap();
    let source = &mut place["config_discovery"]["config_source"];
    assert_eq!(source.as_object_mut().unwrap().remove("ads"), Some(json!({})));
    source["path_config_source"] = json!({"path": file});

    let mut bootstrap = Bootstrap::load("suite-api").unwrap();
    bootstrap.use_free_ports();
    bootstrap.value_mut()["node"] = json!({"id": "gateway", "cluster": "tests"});
    bootstrap.value_mut().pointer_mut(MANAGER).unwrap()["http_filters"][0] = place;
    // Istio's name of the issuer's cluster.
    let (config, _) = plugin_and_companions();
    let remote = config.pointer("/filters/1/jwt_authz/providers/0/jwks/remote/cluster").unwrap();
    let clusters = bootstrap.value_mut()["static_resources"]["clusters"].as_array_mut().unwrap();
    let issuer = clusters.iter_mut().find(|cluster| cluster["name"] == "auth").unwrap();
    issuer["name"] = remote.clone();
    issuer.as_object_mut().unwrap().remove("transport_socket");
    for (cluster, listener) in [("v1", "v1"), ("v2", "v2"), (remote.as_str().unwrap(), "keys")] {
        bootstrap.set_cluster(cluster, upstreams.listener(listener).await.unwrap()).unwrap();
    }
    (launch.start(&bootstrap).await.unwrap(), upstreams)
}

#[tokio::test]
async fn the_envoy_filter_places_the_chain_in_front_of_the_router() {
    let (envoy, _upstreams) = start().await;
    let address = envoy.listener("gateway").await.unwrap();
    let send = async |path: &str, headers: &[(&str, &str)]| {
        let request =
            headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
        http::send(address, Protocol::Http1, request.body(Bytes::new()).unwrap()).await.unwrap()
    };
    let answer = send("/health", &[("x-mesh-variant", "v2")]).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "v1"));
    // Each block has seen the request: a trace has begun, and a variant was written.
    assert_eq!(answer.header("x-echo-traceparent").map_or(0, |value| value.len()), 55);
    assert_eq!(answer.header("x-echo-x-mesh-variant").as_deref(), Some("v1"));
    assert_eq!(answer.header("x-served-variant").as_deref(), Some("v1"));
    for (path, headers, status) in [
        ("/api/orders", &[][..], 401),
        ("/api/orders", &[("authorization", "Bearer a.b.c")], 401),
        ("/other", &[], 401),
    ] {
        assert_eq!(send(path, headers).await.status.as_u16(), status, "{path} {headers:?}");
    }
    // In shadow, faults are counted only.
    for _ in 0..20 {
        let answer = send("/ready", &[("x-test-fault", "inject")]).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-mesh-fault")), (200, None));
    }
}
