//! Each row does what its name says, in a real Envoy.

use std::slice::from_ref;

use super::listeners::{self, Modules};
use crate::bench::rows::{Row, bootstrap};
use crate::bench::sample::request;
use crate::envoy::{Bootstrap, Launch};
use crate::http::{self, Protocol, StatusCode};

const REQUESTS: u64 = 3;

/// What the five filters count for each request of the bench.
const FILTERS: [&str; 4] = [
    "wasmcustom.mesh_filters.trace_context.format=.=w3c;.;extracted",
    "wasmcustom.mesh_filters.jwt_authz.rule=.=admins;.;rule_allowed",
    "wasmcustom.mesh_filters.rate_limit.limit=.=per-user;.;allowed",
    "wasmcustom.mesh_filters.canary.kind=.=split;.;name=.=checkout;.;decisions",
];
const HITS: &str = "wasmcustom.mesh_filters.jwt_authz.cache_hit";

/// What Envoy's filters count.
const NATIVE: [&str; 3] =
    ["native.http_local_rate_limit.ok", "http.bench.jwt_authn.allowed", "http.bench.rbac.allowed"];
const NATIVE_HITS: &str = "http.bench.jwt_authn.jwt_cache_hit";

/// Each request is counted by each filter, and all but the first find the token in the cache.
async fn check(row: &Row, counters: &[&str], hits: &str) {
    let launch = Launch::new().unwrap().concurrency(1);
    let envoy = launch.start(&Bootstrap::from_value(bootstrap(from_ref(row)))).await.unwrap();
    let address = envoy.listener(&row.name).await.unwrap();
    for _ in 0..REQUESTS {
        let answer = http::send(address, Protocol::Http2, request(row).unwrap()).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{}", row.name);
    }
    let stats = envoy.admin().stats().await.unwrap();
    for counter in counters {
        assert_eq!(stats.value(counter), REQUESTS, "{}: {counter}", row.name);
    }
    assert_eq!(stats.value(hits), REQUESTS - 1, "{}", row.name);
    assert_eq!(
        stats.value("wasmcustom.mesh_filters.rate_limit.limit=.=per-user;.;key_missing"),
        0,
        "{}",
        row.name
    );
}

#[tokio::test]
async fn all_filters_act_on_each_request() {
    let folder = tempfile::tempdir().unwrap();
    let modules = Modules::build(folder.path()).unwrap();
    check(&listeners::suite(&modules).unwrap(), &FILTERS, HITS).await;
    check(&listeners::five_modules(&modules).unwrap(), &FILTERS, HITS).await;
    check(&listeners::chain(), &NATIVE, NATIVE_HITS).await;
    check(&listeners::steering_chain(), &NATIVE, NATIVE_HITS).await;
}

#[test]
fn an_interval_needs_rounds() {
    let effort = super::Effort { rounds: 5, requests: 1 };
    let error = super::run(effort, false).unwrap_err().to_string();
    assert_eq!(error, "found 5 rounds, expected 6 to 1000: an interval needs as many");
}
