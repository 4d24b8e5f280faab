//! What counts as an error, and what becomes of it.

use super::{Gateway, counted, guard, guarded, of_v2, start, trips};
use crate::canary::{HEADER, assigned, identities, metric};
use bytes::Bytes;
use e2e::{Setup, Versions, eventually, get};
use mesh_filters::http::{Connection, Protocol, Request, send};
use serde_json::{Value, json};

/// Enough requests of v2 for a trip.
const ENOUGH: usize = 25;

/// A guard that trips by the percentage of so many requests alone, and then for long.
fn by_percentage(extra: Value) -> Value {
    let percentage = json!({"max_error_percentage": 5, "min_requests": ENOUGH});
    super::with(super::with(guard(json!({"hold": "1h", "window": "30s"})), percentage), extra)
}

fn call(path: &str, headers: &[(&str, &str)]) -> Request<Bytes> {
    let grpc = [("content-type", "application/grpc"), ("te", "trailers")];
    let request = headers.iter().chain(&grpc);
    let request = request.fold(Request::post(path), |request, (name, value)| request.header(*name, *value));
    request.body(Bytes::new()).unwrap()
}

/// Sends gRPC calls of users on v2 whose status is in a header or a trailer of the response.
async fn grpc(gateway: &Gateway, split: &'static str, place: &str, status: u32) {
    let asked = format!("grpc-status={status}");
    for user in identities(split, "v2").take(ENOUGH) {
        let call = call(&format!("/{split}"), &[("x-user-id", &user), (place, &asked)]);
        let answer = send(gateway.address, Protocol::Http2, call).await.unwrap();
        let found = if place == "x-trailer" { &answer.trailers } else { &answer.headers };
        assert_eq!(found["grpc-status"], status.to_string());
    }
}

/// Asserts that all requests have been counted, as errors or not.
async fn check(gateway: &Gateway, split: &str, errors: usize, trips: u64) {
    eventually("all outcomes", || async { of_v2(gateway, split, "requests").await >= ENOUGH as u64 }).await;
    assert_eq!(of_v2(gateway, split, "requests").await, ENOUGH as u64, "{split}");
    assert_eq!(of_v2(gateway, split, "errors").await, errors as u64, "{split}");
    eventually("the merge", || async { counted(gateway, split, "trips").await >= trips }).await;
    assert_eq!(counted(gateway, split, "trips").await, trips, "{split}");
    assert_eq!(counted(gateway, split, "tripped").await, trips, "{split}");
    assert_eq!(super::trips(gateway, split).len() as u64, trips, "{split}");
}

/// Each split has its own guard, and its own kind of outcome.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outcomes() {
    let names = ["trailer", "header", "not-found", "injected", "left", "dead", "status"];
    let splits: Vec<_> = names.iter().map(|name| guarded(name, by_percentage(json!({})))).collect();
    let fault = json!({
        "name": "envoy.filters.http.fault",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
            "abort": {"http_status": 503, "percentage": {"numerator": 100}},
            "headers": [
                {"name": ":path", "string_match": {"exact": "/injected"}},
                {"name": HEADER, "string_match": {"exact": "v2"}},
            ],
        },
    });
    let dead = json!({"match": {"path": "/dead"}, "route": {"cluster": "dead"}});
    let versions = Versions::start(&["v1", "v2"]).await;
    let setup = Setup::default().trailers().plugins(&[crate::canary::plugin(json!({"splits": splits}))]);
    let gateway = versions.by_header(setup.filter(fault).route(dead), HEADER).start().await;

    grpc(&gateway, "trailer", "x-trailer", 14).await;
    grpc(&gateway, "header", "x-answer", 13).await;
    grpc(&gateway, "not-found", "x-trailer", 5).await;
    for (path, status, headers) in
        [("/injected", 503, &[][..]), ("/dead", 503, &[]), ("/status", 500, &[("x-status", "500")])]
    {
        for user in identities(&path[1..], "v2").take(ENOUGH) {
            let answer = gateway.send(get(path, &[&[("x-user-id", user.as_str())], headers].concat())).await;
            assert_eq!(answer.status, status, "{path}");
        }
    }
    for user in identities("left", "v2").take(ENOUGH) {
        let mut connection = Connection::open(gateway.address, Protocol::Http1).await.unwrap();
        let slow = get("/left", &[("x-user-id", &user), ("x-slow", "60000")]);
        let begun = versions.get("v2").begun();
        let sending = connection.send(slow);
        let arriving = eventually("the request", || async { versions.get("v2").begun() > begun });
        tokio::select! { _ = sending => panic!("a response"), () = arriving => {} }
    }
    for (split, errors, trips) in [
        ("trailer", ENOUGH, 1),
        ("header", ENOUGH, 1),
        ("not-found", 0, 0),
        ("injected", 0, 0),
        ("left", 0, 0),
        ("dead", ENOUGH, 1),
        ("status", ENOUGH, 1),
    ] {
        check(&gateway, split, errors, trips).await;
    }
    gateway.assert_no_trap().await;
}

/// A trip is logged, counted and shown; nobody moves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guard_in_shadow_moves_nobody() {
    let split = guarded("s", by_percentage(json!({"mode": "shadow"})));
    let (_versions, gateway) = start(json!({"split": split, "decision_log": "all"})).await;
    let send = async |status: &str| {
        for user in identities("s", "v2").take(ENOUGH) {
            let answer = gateway.send(get("/s", &[("x-user-id", &user), ("x-status", status)])).await;
            assert_eq!(Versions::route(&answer), "v2");
        }
    };
    send("503").await;
    eventually("a trip", || async { counted(&gateway, "s", "trips").await == 1 }).await;
    assert_eq!(counted(&gateway, "s", "tripped").await, 1);
    let lines = trips(&gateway, "s");
    assert!(lines.len() == 1 && lines[0].contains("v2 would be off, v1 would take"), "{lines:?}");
    send("503").await;
    assert_eq!(metric(&gateway, "kind=.=fallback;.;name=.=s;.;decisions").await, 0);
    assert_eq!((trips(&gateway, "s").len(), gateway.access_log().contains("fallback")), (1, false));
    gateway.assert_no_trap().await;
}

/// Rules, overrides and users of the other variants keep what they have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trip_moves_only_those_whom_the_split_gives_the_variant() {
    let rule =
        json!({"name": "r", "match": {"headers": [{"name": "x-rule", "present": true}]}, "variant": "v2"});
    let (_versions, gateway) = start(json!({
        "split": guarded("s", by_percentage(json!({}))),
        "rules": [rule],
        "trusted_override": {"header": "x-force-variant", "match": {}},
    }))
    .await;
    for user in identities("s", "v2").take(ENOUGH) {
        gateway.send(get("/s", &[("x-user-id", &user), ("x-status", "503")])).await;
    }
    eventually("a trip", || async { counted(&gateway, "s", "trips").await == 1 }).await;
    let on = async |headers: &[(&str, &str)]| Versions::route(&gateway.send(get("/s", headers)).await);
    let user = identities("s", "v2").next().unwrap();
    eventually("the fallback on all workers", || async {
        let mut routes = Vec::new();
        for _ in 0..8 {
            routes.push(on(&[("x-user-id", &user)]).await);
        }
        routes.iter().all(|route| route == "v1")
    })
    .await;
    for number in 0..20 {
        let user = format!("user-{number}");
        assert_eq!(on(&[("x-user-id", &user)]).await, "v1", "{}", assigned("s", [50, 50], &user));
        assert_eq!(on(&[("x-user-id", &user), ("x-rule", "1")]).await, "v2");
        assert_eq!(on(&[("x-user-id", &user), ("x-force-variant", "v2")]).await, "v2");
    }
    gateway.assert_no_trap().await;
}
