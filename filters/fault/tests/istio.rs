//! The manifest for Istio: the EnvoyFilter that places the filter in a cluster.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is its purpose"
)]

use mesh_testkit::manifest::{documents, plugin_config};
use serde_json::{Value, json};

#[test]
fn the_cluster_gets_the_extension_with_a_good_config() {
    let documents = documents(include_str!("../../../envoy-configs/istio/fault.yaml"));
    let [plugin, _, marker, attempts] = documents.as_slice() else { panic!("{} documents", documents.len()) };
    assert_eq!([&marker["kind"], &attempts["kind"]], ["EnvoyFilter"; 2]);
    let selected = |document: &Value| document["spec"]["workloadSelector"]["labels"].clone();
    let plugins = &plugin["spec"]["selector"]["matchLabels"];
    assert_eq!([&selected(marker), &selected(attempts)], [plugins; 2]);

    let [extension, cluster] = attempts["spec"]["configPatches"].as_array().unwrap().as_slice() else {
        panic!("two patches")
    };
    let extension = &extension["patch"]["value"];
    let plugin_of_cluster = &extension["typed_config"]["config"];
    let config = plugin_of_cluster["configuration"]["value"].as_str().unwrap();
    let config = fault::config::parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.rules.iter().all(|rule| rule.attempts == [1]));
    assert_eq!(
        plugin_of_cluster["vm_config"]["code"]["remote"]["http_uri"]["uri"], plugin["spec"]["url"],
        "one image"
    );

    let options = &cluster["patch"]["value"]["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
    let [filter, codec] = options["http_filters"].as_array().unwrap().as_slice() else {
        panic!("two filters")
    };
    assert_eq!(filter["name"], extension["name"]);
    assert_eq!(filter["config_discovery"]["type_urls"], json!([extension["typed_config"]["@type"]]));
    assert_eq!(codec["name"], "envoy.filters.http.upstream_codec");
}

/// The manifest removes the marker that its config uses.
#[test]
fn the_marker_is_removed() {
    let documents = documents(include_str!("../../../envoy-configs/istio/fault.yaml"));
    let config = plugin_config(&documents[0]).to_string();
    let config = fault::config::parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
    let manager = &documents[2]["spec"]["configPatches"][0]["patch"]["value"]["typed_config"];
    let removed = &manager["early_header_mutation_extensions"][0]["typed_config"]["mutations"];
    assert_eq!(removed, &json!([{"remove": config.marker.request_header.unwrap().as_str()}]));
}
