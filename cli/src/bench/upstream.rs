//! An upstream in the measured Envoy, for rows that route to a cluster.
//!
//! Envoy reaches it by an internal connection: no socket adds noise, and no port has to be free.

use serde_json::{Value, json};

use super::connection_manager::connection_manager;

/// The clusters, which differ in their names only.
const CLUSTERS: [&str; 2] = ["v1", "v2"];
const LISTENER: &str = "upstream";

/// A route of the requests that match to a cluster.
pub(super) fn to(cluster: &str, matched: &Value) -> Value {
    json!({"match": matched, "route": {"cluster": cluster}})
}

/// The clusters in an Envoy's bootstrap.
pub(super) fn clusters() -> Vec<Value> {
    let address = json!({"envoy_internal_address": {"server_listener_name": LISTENER}});
    let cluster = |name: &str| {
        json!({
            "name": name,
            "load_assignment": {
                "cluster_name": name,
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
            },
        })
    };
    CLUSTERS.map(cluster).to_vec()
}

/// The listener behind the clusters. It answers as the other rows' routes do.
pub(super) fn listener(answer: &Value) -> Value {
    json!({
        "name": LISTENER,
        "internal_listener": {},
        "filter_chains": [{"filters": [connection_manager(&[], std::slice::from_ref(answer))]}],
    })
}

/// What an Envoy needs for internal connections.
pub(super) fn extension() -> Value {
    json!({
        "name": "envoy.bootstrap.internal_listener",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener",
        },
    })
}
