//! The manifests for Istio: valid by its schemas, with a config that the filter takes and a way to the keys.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is its purpose"
)]

#[path = "../../../tests/istio/manifest.rs"]
mod manifest;

use jwt_authz::config::{Config, Jwks};
use manifest::{
    assert_explicit, assert_same_plugin, documents, plugin_config, problems, selected, selectors,
};
use serde_json::{Value, json};

const JWT_AUTHZ: &str = include_str!("../../../envoy-configs/istio/jwt-authz.yaml");

/// `WasmPlugin` and `TrafficExtension`, `ServiceEntry` and `DestinationRule`.
fn manifests() -> [Value; 4] {
    documents(JWT_AUTHZ).try_into().unwrap()
}

fn plugins() -> [Value; 2] {
    let [plugin, extension, ..] = manifests();
    [plugin, extension]
}

fn config(plugin: &Value) -> Config {
    let config = plugin_config(plugin).to_string();
    jwt_authz::config::parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_manifests_are_valid() {
    let kinds = manifests().map(|document| document["kind"].as_str().unwrap().to_owned());
    assert_eq!(kinds, ["WasmPlugin", "TrafficExtension", "ServiceEntry", "DestinationRule"]);
    for plugin in plugins() {
        assert_eq!(problems(&plugin), [] as [&str; 0], "{}", plugin["kind"]);
        assert!(!config(&plugin).rules.is_empty());
    }
}

#[test]
fn the_manifests_leave_nothing_to_istio_s_defaults() {
    plugins().iter().for_each(|plugin| assert_explicit(plugin, "FAIL_CLOSE"));
}

#[test]
fn the_manifests_are_one_plugin_in_two_spellings() {
    let [plugin, extension] = plugins();
    assert_same_plugin(&plugin, &extension);
}

/// Without the label of one API, the other one's plugin is left and the way to the keys.
#[test]
fn a_label_picks_one_spelling() {
    let labels = manifests().map(|document| document["metadata"]["labels"]["mesh-filters/api"].clone());
    assert_eq!(labels, ["wasm-plugin", "traffic-extension", "issuer", "issuer"]);
}

/// Both ways to apply the manifests, in README and in the manifests, keep the way to the keys.
#[test]
fn no_selector_drops_the_way_to_the_keys() {
    let texts = [
        include_str!("../../../README.md"),
        JWT_AUTHZ,
        include_str!("../../../envoy-configs/istio/rate-limit.yaml"),
    ];
    for text in texts {
        let kinds: Vec<_> =
            selectors(text).into_iter().map(|selector| selected(&manifests(), selector)).collect();
        let expected =
            ["WasmPlugin", "TrafficExtension"].map(|plugin| vec![plugin, "ServiceEntry", "DestinationRule"]);
        assert_eq!(kinds, expected);
    }
}

#[test]
fn the_keys_are_where_the_mesh_knows_them_and_come_by_checked_tls() {
    let [plugin, _, entry, rule] = manifests();
    let config = config(&plugin);
    let Jwks::Remote(remote) = &config.providers[0].jwks else { panic!("no remote key set") };
    let host = std::str::from_utf8(remote.host.as_bytes()).unwrap();
    let port = &entry["spec"]["ports"][0]["number"];
    assert_eq!(remote.cluster, format!("outbound|{port}||{host}"));
    assert_eq!(entry["spec"]["hosts"], json!([host]));
    assert_eq!(rule["spec"]["host"], host);
    let settings = &rule["spec"]["trafficPolicy"]["portLevelSettings"][0];
    assert_eq!(&settings["port"]["number"], port);
    let tls = json!({"mode": "SIMPLE", "sni": host, "subjectAltNames": [host], "caCertificates": "system"});
    assert_eq!(settings["tls"], tls);
    for document in [&entry, &rule] {
        assert_eq!(document["spec"]["exportTo"], json!(["."]));
        assert_eq!(document["metadata"]["namespace"], plugin["metadata"]["namespace"]);
    }
}
