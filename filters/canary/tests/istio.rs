//! The manifest for Istio: the routes to the variants.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is its purpose"
)]

use canary::config::Config;
use mesh_testkit::manifest::{documents, plugin_config};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The variants that a config can give to a request.
fn variants(config: &Config) -> BTreeSet<&str> {
    let of_rules = config.rules.iter().map(|rule| &rule.variant);
    let of_splits = config.splits.0.iter().flat_map(|split| &split.variants).map(|variant| &variant.name);
    config.default.iter().chain(of_rules).chain(of_splits).map(String::as_str).collect()
}

#[test]
fn every_variant_has_a_route_and_a_subset() {
    let documents = documents(include_str!("../../../envoy-configs/istio/canary.yaml"));
    let [plugin, _, service, rule] = documents.as_slice() else { panic!("{} documents", documents.len()) };
    assert_eq!([&service["kind"], &rule["kind"]], ["VirtualService", "DestinationRule"]);
    let config = plugin_config(plugin).to_string();
    let config = canary::config::parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
    let header = config.output.header.as_ref().unwrap().as_str();
    let to = |subset: &str| json!([{"destination": {"host": rule["spec"]["host"], "subset": subset}}]);

    let (default, by_header) = service["spec"]["http"].as_array().unwrap().split_last().unwrap();
    assert_eq!(
        (&default["route"], &default["match"]),
        (&to(config.default.as_deref().unwrap()), &Value::Null)
    );
    let mut routed: BTreeSet<_> = config.default.as_deref().into_iter().collect();
    for route in by_header {
        let variant = route["name"].as_str().unwrap();
        assert_eq!(route["match"], json!([{"headers": {header: {"exact": variant}}}]));
        assert_eq!(route["route"], to(variant));
        routed.insert(variant);
    }
    assert_eq!(routed, variants(&config));
    let subsets = rule["spec"]["subsets"].as_array().unwrap();
    let subsets: BTreeSet<_> = subsets.iter().map(|subset| subset["name"].as_str().unwrap()).collect();
    assert_eq!(subsets, routed);
    assert_eq!(service["metadata"]["labels"], rule["metadata"]["labels"]);
}
