//! The manifest for Istio: the way to the keys.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is its purpose"
)]

use jwt_authz::config::Jwks;
use mesh_testkit::manifest::{documents, plugin_config};
use serde_json::json;

#[test]
fn the_keys_are_where_the_mesh_knows_them_and_come_by_checked_tls() {
    let documents = documents(include_str!("../../../envoy-configs/istio/jwt-authz.yaml"));
    let [plugin, _, entry, rule] = documents.as_slice() else { panic!("{} documents", documents.len()) };
    assert_eq!([&entry["kind"], &rule["kind"]], ["ServiceEntry", "DestinationRule"]);
    for issuer in [entry, rule] {
        assert_eq!(issuer["metadata"]["labels"]["mesh-filters/api"], "issuer");
    }
    let config = plugin_config(plugin).to_string();
    let config = jwt_authz::config::parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
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
    for document in [entry, rule] {
        assert_eq!(document["spec"]["exportTo"], json!(["."]));
        assert_eq!(document["metadata"]["namespace"], plugin["metadata"]["namespace"]);
    }
}
