//! The manifests for Istio: valid by its schemas, with a config that the filter takes.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is its purpose"
)]

#[path = "../../../tests/istio/manifest.rs"]
mod manifest;

use manifest::{assert_explicit, assert_same_plugin, documents, plugin_config, problems};
use serde_json::{Value, json};

const RATE_LIMIT: &str = include_str!("../../../envoy-configs/istio/rate-limit.yaml");

#[test]
fn the_manifests_are_valid() {
    let documents = documents(RATE_LIMIT);
    let kinds: Vec<_> = documents.iter().map(|document| document["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["WasmPlugin", "TrafficExtension"]);
    for document in &documents {
        assert_eq!(problems(document), [] as [&str; 0], "{}", document["kind"]);
        let config = plugin_config(document).to_string();
        let config =
            rate_limit::config::parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(!config.limits.is_empty());
    }
}

#[test]
fn the_manifests_leave_nothing_to_istio_s_defaults() {
    documents(RATE_LIMIT).iter().for_each(|document| assert_explicit(document, "FAIL_RELOAD"));
}

#[test]
fn the_manifests_are_one_plugin_in_two_spellings() {
    let documents = documents(RATE_LIMIT);
    let [plugin, extension] = documents.as_slice() else { panic!("two documents") };
    assert_same_plugin(plugin, extension);
}

/// The check itself finds what an API server would let pass or refuse.
#[test]
fn mistakes_are_found() {
    let check = |at: usize, place: &str, value: Value, expected: &str| {
        let mut document = documents(RATE_LIMIT).swap_remove(at);
        let (parent, name) = place.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[name] = value;
        let problems = problems(&document).join("\n");
        assert!(problems.contains(expected), "{place}: {problems}");
    };
    check(0, "/spec/failStrategie", json!("FAIL_RELOAD"), "'failStrategie' was unexpected");
    check(0, "/spec/failStrategy", json!("FAIL_RELOADED"), "\"FAIL_RELOADED\" is not one of");
    check(0, "/spec/phase", json!("UNSPECIFIED"), "\"UNSPECIFIED\" is not one of");
    check(0, "/spec/match/0/mod", json!("CLIENT"), "'mod' was unexpected");
    check(0, "/spec/priority", json!("10"), "is not of type \"integer\"");
    check(0, "/spec/targetRefs", json!([]), "only one of targetRefs or selector");
    check(0, "/spec/url", json!("docker://a/b"), "url must have schema");
    check(1, "/spec/url", json!("oci://a/b"), "'url' was unexpected");
    check(1, "/spec/wasm", json!({}), "\"url\" is a required property");
    check(1, "/spec/lua", json!({"inlineCode": "x"}), "oneOf");
}
