//! The filter in the filter chain of a cluster, where it sees each attempt.

use super::{MARKER, at_rest, faults, logged, marked, marked_upstream, metric, plugin, rules, setup};
use e2e::{Gateway, Plugin, Setup, eventually, get, show, timed, unspoilt};
use mesh_filters::http::{Protocol, Response, send};
use serde_json::{Value, json};
use std::time::Duration;

const SECRET: &str = "correct-horse-battery";

/// The plugin in the cluster. It has a name of its own.
fn of_cluster(config: Value) -> Plugin {
    plugin(config).named("of-cluster")
}

/// Routes with retries: all of them, and those of 5xx only; one without.
fn routed(setup: Setup) -> Setup {
    let route = |path: &str, more: Value| json!({"match": {"prefix": path}, "route": e2e::with(json!({"cluster": "upstream", "timeout": "30s"}), more)});
    let policy = |more: Value| {
        let policy = json!({"retry_on": "5xx", "num_retries": 3,
            "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.002s"}});
        json!({"retry_policy": e2e::with(policy, more)})
    };
    setup
        .route(route("/per-try", policy(json!({"per_try_timeout": "0.05s"}))))
        .route(route("/retry", policy(json!({}))))
}

/// Timeouts and retries of the cluster so far.
async fn retries(gateway: &Gateway) -> (u64, u64) {
    let stats = gateway.envoy.admin().stats().await.unwrap();
    let value = |name: &str| stats.value(&format!("cluster.upstream.{name}"));
    (value("upstream_rq_per_try_timeout"), value("upstream_rq_retry"))
}

async fn ask(gateway: &Gateway, protocol: Protocol, path: &str, headers: &[(&str, &str)]) -> Response {
    send(gateway.address, protocol, get(path, headers)).await.unwrap()
}

/// Tries of what a busy machine may spoil.
const TRIES: usize = 5;

/// Checks a response after these timeouts and retries: after a timeout there is a retry, up to three.
#[track_caller]
fn check_timeouts(answer: &Response, (timeouts, retries): (u64, u64)) {
    let (status, expected) = if timeouts <= 3 { (200, timeouts) } else { (504, 3) };
    assert_eq!((answer.status.as_u16(), retries), (status, expected), "{timeouts} timeouts: {answer:?}");
}

const PROTOCOLS: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

#[tokio::test]
async fn a_delay_of_the_first_attempt_trips_its_timeout() {
    let config =
        rules(json!([{"name": "slow", "attempts": [1], "delay": {"percentage": 100, "fixed": "2s"}}]));
    let gateway = routed(Setup::default().upstream(&[of_cluster(config)])).start().await;
    let mut sent = 0;
    for protocol in PROTOCOLS {
        // A later attempt takes longer than 50 ms if the machine is busy.
        unspoilt("a timeout and a retry", TRIES, async || {
            let before = retries(&gateway).await;
            let (took, answer) = timed(ask(&gateway, protocol, "/per-try", &[])).await;
            sent += 1;
            assert!(took >= Duration::from_millis(50), "{took:?}");
            // The attempt that was delayed has had no response, and no attempt leaves something for the next one.
            assert_eq!((answer.count(MARKER), marked_upstream(&answer)), (0, None));
            eventually("the place returns", || async { metric(&gateway, "active").await == 0 }).await;
            let after = retries(&gateway).await;
            let found = (after.0 - before.0, after.1 - before.1);
            show(&format!("{protocol:?}: {} timeouts and {} retries in {took:?}", found.0, found.1));
            check_timeouts(&answer, found);
            (found == (1, 1) && took < Duration::from_secs(2)).then_some(())
        })
        .await;
    }
    assert_eq!(faults(&gateway, "slow", "delay").await, sent);
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_rewritten_response_is_retried() {
    let response = |name: &str, attempts: Value| {
        json!({"name": name, "match": {"path": {"prefix": format!("/retry/{name}")}}, "attempts": attempts,
            "response": {"percentage": 100, "status": 503}})
    };
    let config = rules(json!([
        response("first", json!([1])),
        response("two", json!([1, 2])),
        response("all", json!([1, 2, 3, 4])),
    ]));
    let gateway = routed(Setup::default().upstream(&[of_cluster(config)])).start().await;
    for protocol in PROTOCOLS {
        for (name, status, expected) in
            [("first", 200, 1), ("two", 200, 2), ("all", 503, 3), ("none", 200, 0)]
        {
            let (before, begun) = (retries(&gateway).await, gateway.upstream.begun());
            let path = format!("/retry/{name}/{protocol:?}");
            let answer = ask(&gateway, protocol, &path, &[]).await;
            let is_faulted = status == 503;
            assert_eq!((answer.status.as_u16(), marked(&answer).is_some()), (status, is_faulted), "{path}");
            assert_eq!(marked_upstream(&answer), None, "{path}");
            assert_eq!(retries(&gateway).await.1 - before.1, expected, "{path}");
            assert_eq!(
                gateway.upstream.begun() - begun,
                expected as usize + 1,
                "{path}: the upstream has answered each"
            );
        }
    }
    assert_eq!(faults(&gateway, "all", "response").await, 8);
    at_rest(&gateway).await;
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn an_abort_is_not_retried() {
    let config = rules(json!([
        {"name": "a", "match": {"path": {"prefix": "/retry"}}, "abort": {"percentage": 100, "status": 503}},
    ]));
    let gateway = routed(Setup::default().upstream(&[of_cluster(config)])).start().await;
    for protocol in PROTOCOLS {
        let path = format!("/retry/{protocol:?}");
        let answer = ask(&gateway, protocol, &path, &[]).await;
        assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (503, Some("a")));
        let logged = logged(&gateway, &path).await;
        assert_eq!(logged.details, "fault_injected{a}");
    }
    assert_eq!((retries(&gateway).await.1, gateway.upstream.begun()), (0, 0));
    assert_eq!(faults(&gateway, "a", "abort").await, 2);
    gateway.assert_no_trap().await;
}

/// A request header that is written in one attempt would be sent in all later ones.
#[tokio::test]
async fn no_request_marker_is_written() {
    let config = rules(json!([{"name": "d", "delay": {"percentage": 100, "fixed": "20ms"}}]));
    let gateway = routed(Setup::default().upstream(&[of_cluster(config)])).start().await;
    for protocol in PROTOCOLS {
        let path = format!("/plain/{protocol:?}");
        let (took, answer) = timed(ask(&gateway, protocol, &path, &[])).await;
        assert!(took >= Duration::from_millis(20), "{took:?}");
        assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (200, Some("d")));
        assert_eq!(marked_upstream(&answer), None);
        // Each of four attempts is delayed: none has seen a marker.
        let before = faults(&gateway, "d", "delay").await;
        let answer = ask(&gateway, protocol, "/retry", &[("x-status", "503")]).await;
        assert_eq!((answer.status.as_u16(), marked_upstream(&answer)), (503, None));
        assert_eq!(faults(&gateway, "d", "delay").await - before, 4);
    }
    at_rest(&gateway).await;
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_trigger_is_for_the_first_attempt() {
    let config = json!({"trigger": {"secret": SECRET}});
    let gateway = routed(Setup::default().upstream(&[of_cluster(config)])).start().await;
    let asked = [("x-fault", "delay=2s"), ("x-fault-key", SECRET)];
    for protocol in PROTOCOLS {
        // All later attempts take longer than 50 ms if the machine is busy.
        unspoilt("a good retry", TRIES, async || {
            let (before, delayed) = (retries(&gateway).await, faults(&gateway, "trigger", "delay").await);
            let (took, answer) = timed(ask(&gateway, protocol, "/per-try", &asked)).await;
            let after = retries(&gateway).await;
            check_timeouts(&answer, (after.0 - before.0, after.1 - before.1));
            assert_eq!(marked(&answer), None, "{answer:?}");
            for name in ["x-fault", "x-fault-key"] {
                assert_eq!(e2e::received(&answer.text(), name), [], "{answer:?}");
            }
            assert_eq!(faults(&gateway, "trigger", "delay").await - delayed, 1);
            (answer.status == 200 && took < Duration::from_secs(2)).then_some(())
        })
        .await;
    }
    assert_eq!(metric(&gateway, "trigger_ignored").await, 0);
    at_rest(&gateway).await;
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn attempts_exist_only_in_a_cluster() {
    let all = json!({"abort": {"percentage": 100, "status": 503}, "name": "r", "attempts": [1, 2, 3, 4]});
    let gateway = routed(setup(rules(json!([all])))).start().await;
    for protocol in PROTOCOLS {
        for path in ["/", "/retry", "/per-try"] {
            let answer = ask(&gateway, protocol, path, &[]).await;
            assert_eq!((answer.status.as_u16(), marked(&answer)), (200, None), "{path}");
        }
    }
    assert_eq!(faults(&gateway, "r", "abort").await, 0);
}

/// Delay, change, cut and throttle also work for each attempt, and those of the listener beside them.
#[tokio::test]
async fn both_positions_work_together() {
    let everything = |name: &str, size: u64| {
        rules(json!([{
            "name": name,
            "response": {"percentage": 100, "status": 299, "delay": {"fixed": "20ms"}, "truncate_body": size},
            "throttle": {"percentage": 100, "bytes_per_second": 100_000},
        }]))
    };
    let stacked = e2e::with(everything("outer", 500), json!({"stack": true}));
    let gateway = Setup::default()
        .plugins(&[plugin(stacked)])
        .upstream(&[of_cluster(everything("inner", 1000))])
        .trailers()
        .start()
        .await;
    for protocol in PROTOCOLS {
        let headers = [("x-size", "5000"), ("te", "trailers"), ("x-trailer", "x-end=1")];
        let (took, answer) = timed(ask(&gateway, protocol, "/", &headers)).await;
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (299, &e2e::numbered(500)[..]));
        let markers: Vec<_> = answer.headers.get_all(MARKER).iter().collect();
        assert_eq!(markers, ["inner", "outer"]);
        assert_eq!(answer.trailers.get("x-end").unwrap(), "1");
        assert!(took >= Duration::from_millis(50), "{took:?}");
    }
    for rule in ["inner", "outer"] {
        assert_eq!(faults(&gateway, rule, "throttle").await, 2);
    }
    at_rest(&gateway).await;
    gateway.assert_no_trap().await;
}

/// A client that leaves, and a timeout of the whole request, end an attempt that is delayed.
#[tokio::test]
async fn places_return_when_an_attempt_is_cut_off() {
    let config = rules(json!([
        {"name": "d", "match": {"path": {"prefix": "/d"}}, "delay": {"percentage": 100, "fixed": "20s"}},
        {"name": "r", "match": {"path": {"prefix": "/r"}}, "response": {"percentage": 100, "delay": {"fixed": "20s"}}},
        {"name": "t", "match": {"path": {"prefix": "/t"}}, "throttle": {"percentage": 100, "bytes_per_second": 10}},
        {"name": "n", "in_flight": {"at_least": 1_000_000}, "abort": {"percentage": 100, "status": 503}},
    ]));
    let gateway = Setup::default()
        .upstream(&[of_cluster(config)])
        .route(json!({"match": {"headers": [{"name": "x-short", "present_match": true}], "prefix": "/"},
            "route": {"cluster": "upstream", "timeout": "0.1s"}}))
        .start()
        .await;
    for protocol in PROTOCOLS {
        for path in ["/d", "/r", "/t"] {
            let short = get(path, &[("x-short", "1"), ("x-size", "20")]);
            match send(gateway.address, protocol, short).await {
                // A throttled response has begun: its headers were sent before the timeout. Envoy 1.36 does not cut it off.
                Ok(answer) => assert!(answer.status == 504 || path == "/t", "{path}: {answer:?}"),
                Err(error) => assert_eq!(path, "/t", "{error:#}"),
            }
            let request = ask(&gateway, protocol, path, &[("x-size", "1000")]);
            let left = tokio::time::timeout(Duration::from_millis(200), request).await;
            assert!(left.is_err(), "{path}");
            eventually(path, || async { metric(&gateway, "active").await == 0 }).await;
            eventually(path, || async { metric(&gateway, "plugin=.=of-cluster;.;in_flight").await == 0 })
                .await;
        }
    }
    gateway.assert_no_trap().await;
}
