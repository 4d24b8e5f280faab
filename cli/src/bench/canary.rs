//! The canary filter beside Envoy's weighted clusters with header matches and beside modules that do nothing.
//!
//! There are two groups of rows, each with a base of its own:
//!
//! - The route answers: what the filter itself adds. Whatever the variant, the route is the same.
//! - The route leads to one of two clusters, and an upstream in the same Envoy answers: what choosing adds to a
//!   listener that routes everything to one cluster. Envoy's own rows choose by a route's matches and by
//!   weights, at random or by a hash; the hash is closest to a sticky split. The filter's rows choose in the
//!   filter, and the routes match on the header that it writes.
//!
//! In the second group every filter costs more, also the one that does nothing: between two callbacks of a
//! request, Envoy does more of other work. So a ratio belongs to its group.
//!
//! Every request has `canary: true`, which the rules and header matches look for, and an `x-api-key`, by which
//! users are told apart.

use std::path::Path;

use serde_json::{Value, json};

use super::by_hand;
use super::rows::{ANSWERED, ROUTED, Row, wasm};
use super::upstream::to;
use crate::module;

/// The rows, in the order of the table. `folder` takes a module that is built for the bench only.
pub(crate) fn rows(filter: &Path, folder: &Path) -> anyhow::Result<Vec<Row>> {
    let noop = module::NOOP.build()?;
    let ours = |name, config: &Value| wasm(name, filter, config).of_filter();
    let rule = json!({"rules": [{
        "name": "testers", "match": {"headers": [{"name": "canary", "exact": "true"}]}, "variant": "v2",
    }]});
    let sticky = json!({"split": split()});
    let guard = json!({"split": split(), "guard": {"variant": "v2", "max_error_percentage": 5}});
    let state = json!({"split": split(), "output": {"filter_state": "variant"}});
    let rows = vec![
        Row::new(ANSWERED.bare, Vec::new()),
        wasm(ANSWERED.noop, &noop, &json!({})),
        ours("rule by header", &rule),
        by_hand::row("one split's host calls", include_str!("split_calls.wat"), folder)?,
        ours("sticky split", &sticky),
        ours("sticky split with a guard", &guard),
        ours("sticky split to filter state", &state),
        native(ROUTED.bare, vec![to("v1", &all())]),
        wasm(ROUTED.noop, &noop, &json!({})).routed(vec![to("v1", &all())]),
        native("routed, native header match", vec![to("v2", &with("canary", "true")), to("v1", &all())]),
        native("routed, native weights", vec![to("v2", &with("x-version", "v2")), weighted(false)]),
        native("routed, native weights by hash", vec![to("v2", &with("x-version", "v2")), weighted(true)]),
        ours("routed, rule by header", &rule).routed(by_variant()),
        ours("routed, sticky split", &sticky).routed(by_variant()),
    ];
    Ok(rows.into_iter().map(|row| row.with_header("canary", "true")).collect())
}

fn split() -> Value {
    json!({
        "name": "checkout", "sticky": [{"header": "x-api-key"}],
        "variants": [{"name": "v1", "weight": 90}, {"name": "v2", "weight": 10}],
    })
}

/// A listener whose routes alone choose.
fn native(name: &str, routes: Vec<Value>) -> Row {
    Row::new(name, Vec::new()).routed(routes)
}

/// The routes behind the filter. A request without a variant would get a 404.
fn by_variant() -> Vec<Value> {
    ["v2", "v1"].map(|variant| to(variant, &with("x-mesh-variant", variant))).to_vec()
}

/// Envoy's weights, at random or by a header.
fn weighted(is_sticky: bool) -> Value {
    let clusters = json!([{"name": "v1", "weight": 90}, {"name": "v2", "weight": 10}]);
    let route = if is_sticky {
        json!({
            "weighted_clusters": {"clusters": clusters, "use_hash_policy": true},
            "hash_policy": [{"header": {"header_name": "x-api-key"}}],
        })
    } else {
        json!({"weighted_clusters": {"clusters": clusters}})
    };
    json!({"match": all(), "route": route})
}

fn all() -> Value {
    json!({"prefix": "/"})
}

/// The requests with a header of this value.
fn with(name: &str, value: &str) -> Value {
    json!({"prefix": "/", "headers": [{"name": name, "string_match": {"exact": value}}]})
}
