//! The manifests of `envoy-configs/istio`: valid by Istio's schemas, with a config that the filter takes.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is its purpose"
)]

use mesh_filters::registry::{self, Filter};
use mesh_filters::workspace::root;
use mesh_testkit::manifest::{
    assert_explicit, assert_same_plugin, documents, plugin_config, problems, selected, selectors,
};
use serde_json::{Value, json};

/// The manifest of a filter: a plugin in two forms, then its companions, the resources that it needs. The filters' own tests
/// compare these with the config.
struct Manifest {
    filter: Filter,
    text: String,
    plugins: [Value; 2],
    companions: Vec<Value>,
}

impl Manifest {
    fn documents(&self) -> Vec<Value> {
        self.plugins.iter().chain(&self.companions).cloned().collect()
    }

    /// A filter that controls access fails closed.
    fn fail_strategy(&self) -> &str {
        if ["jwt-authz", "suite"].contains(&self.filter.name()) { "FAIL_CLOSE" } else { "FAIL_RELOAD" }
    }

    /// A filter that correlates is on both sides of an application, the others on a gateway.
    fn mode(&self) -> &str {
        if self.filter.name() == "trace-context" { "CLIENT_AND_SERVER" } else { "CLIENT" }
    }
}

fn manifests() -> Vec<Manifest> {
    let read = |filter: &Filter| {
        let path = root().join("envoy-configs/istio").join(filter.name()).with_extension("yaml");
        let text = std::fs::read_to_string(path).unwrap();
        let mut documents = documents(&text);
        let companions = documents.split_off(2);
        Manifest { filter: *filter, text, plugins: documents.try_into().unwrap(), companions }
    };
    registry::FILTERS.iter().map(read).collect()
}

fn kind(document: &Value) -> &str {
    document["kind"].as_str().unwrap()
}

#[test]
fn the_manifests_are_valid() {
    for Manifest { filter, plugins, companions, .. } in manifests() {
        assert_eq!(plugins.each_ref().map(kind), ["WasmPlugin", "TrafficExtension"]);
        for plugin in &plugins {
            assert_eq!(problems(plugin), [] as [&str; 0], "{}: {}", filter.name(), kind(plugin));
            let config = plugin_config(plugin);
            filter.check(config.to_string().as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
            // A config without rules or limits would do nothing.
            let lists: Vec<_> = config.as_object().unwrap().values().filter_map(Value::as_array).collect();
            assert!(!lists.is_empty() && lists.iter().all(|list| !list.is_empty()), "{config}");
        }
        for companion in &companions {
            assert_eq!(problems(companion), [] as [&str; 0], "{}: {}", filter.name(), kind(companion));
        }
    }
}

#[test]
fn the_manifests_leave_nothing_to_istio_s_defaults() {
    for manifest in manifests() {
        manifest
            .plugins
            .iter()
            .for_each(|plugin| assert_explicit(plugin, manifest.mode(), manifest.fail_strategy()));
    }
}

#[test]
fn the_manifests_are_one_plugin_in_two_spellings() {
    for Manifest { plugins: [plugin, extension], .. } in manifests() {
        assert_same_plugin(&plugin, &extension);
    }
}

/// A selector that excludes one API keeps the plugin of the other and the companions.
#[test]
fn a_label_picks_one_spelling() {
    for manifest in manifests() {
        let label = |document: &Value| document["metadata"]["labels"]["mesh-filters/api"].clone();
        assert_eq!(manifest.plugins.each_ref().map(label), ["wasm-plugin", "traffic-extension"]);
        for companion in &manifest.companions {
            assert!(label(companion).is_string(), "{companion}");
            assert!(manifest.plugins.iter().all(|plugin| label(plugin) != label(companion)));
        }
    }
}

/// Both commands to apply a manifest, in README and in each manifest, keep the companions.
#[test]
fn no_selector_drops_a_companion() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let manifests = manifests();
    let texts: Vec<_> = manifests.iter().map(|manifest| &manifest.text).chain([&readme]).collect();
    for manifest in &manifests {
        let companions: Vec<_> = manifest.companions.iter().map(kind).collect();
        for text in &texts {
            let kinds: Vec<_> = selectors(text)
                .into_iter()
                .map(|selector| selected(&manifest.documents(), selector))
                .collect();
            let expected =
                ["WasmPlugin", "TrafficExtension"].map(|plugin| [&[plugin], companions.as_slice()].concat());
            assert_eq!(kinds, expected);
        }
    }
}

/// The validation finds what an API server drops or refuses.
#[test]
fn mistakes_are_found() {
    let manifest = manifests().into_iter().find(|manifest| manifest.filter.name() == "rate-limit").unwrap();
    let check = |at: usize, place: &str, value: Value, expected: &str| {
        let mut document = manifest.plugins[at].clone();
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

/// A misspelt test of a header would match every request.
#[test]
fn mistakes_in_companions_are_found() {
    let manifest = manifests().into_iter().find(|manifest| manifest.filter.name() == "canary").unwrap();
    let check = |at: usize, place: &str, value: Value, expected: &str| {
        let mut document = manifest.companions[at].clone();
        let (parent, name) = place.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[name] = value;
        let problems = problems(&document).join("\n");
        assert!(problems.contains(expected), "{place}: {problems}");
    };
    check(0, "/spec/http/0/match/0/headers/x-mesh-variant/exakt", json!("v2"), "'exakt' was unexpected");
    check(0, "/spec/http/0/match/0/header", json!({}), "'header' was unexpected");
    check(0, "/spec/http/0/route/0/destination/host", json!(1), "is not of type \"string\"");
    check(0, "/spec/http/0/route/0/weight", json!("10"), "is not of type \"integer\"");
    check(1, "/spec/subsets/0/label", json!({}), "'label' was unexpected");
    check(1, "/spec/trafficPolicy", json!({"tls": {"mode": "PLAIN"}}), "\"PLAIN\" is not one of");
}
