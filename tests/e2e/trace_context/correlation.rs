//! Calls of an application, and the requests that have caused them.

use super::chain::{BAGGAGE, OTHER, SENT, STATE, VARIANT, arrived, correlated, correlating, owned};
use super::{TRACEPARENT, metric, plugin, setup};
use e2e::{Setup, Sidecar, eventually, get, received};
use mesh_filters::http::{Connection, Protocol};
use serde_json::{Value, json};
use std::time::Duration;

/// A service with its proxy.
async fn sidecar(config: Value) -> Sidecar {
    Sidecar::start(setup(config.clone()), setup(config), None).await
}

#[tokio::test]
async fn several_calls_are_joined() {
    let service = sidecar(correlating(json!({}))).await;
    let answer = service.gateway.send(get("/", &[&SENT[..], &[("x-calls", "3")]].concat())).await;
    for (name, value) in SENT {
        assert_eq!(received(&answer.text(), name), vec![(name.to_owned(), value.to_owned()); 3], "{name}");
    }
    assert_eq!(correlated(&service.gateway).await, (3, 0));
    service.gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_call_keeps_what_it_has() {
    let service = sidecar(correlating(json!({}))).await;
    let gateway = &service.gateway;
    let id = ("x-request-id", "an id");
    gateway.send(get("/", &[&SENT[..], &[id]].concat())).await;
    let call = async |headers: &[(&str, &str)]| {
        let answer = gateway.send_to(Sidecar::OUTBOUND, get("/", &[headers, &[id]].concat())).await;
        arrived(&answer, &SENT)
    };
    // Beside a context of its own, that of another tracer would name another span.
    let own = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
    assert_eq!(call(&[own]).await, owned(&[own, BAGGAGE, VARIANT]));
    let b3 = ("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0");
    assert_eq!(call(&[b3]).await, owned(&[own, BAGGAGE, VARIANT]));
    let (variant, baggage) = (("x-mesh-variant", "v1"), ("baggage", "a=1"));
    assert_eq!(call(&[variant, baggage]).await, owned(&[TRACEPARENT, STATE, baggage, variant, OTHER]));
    // What is no context gives way, also its tracestate.
    let invalid = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-00");
    assert_eq!(call(&[invalid, ("tracestate", "own=1")]).await, owned(&SENT));
    assert_eq!(call(&[("tracestate", "own=1")]).await, owned(&SENT));
    assert_eq!(metric(gateway, "format=.=w3c;.;reason=.=zero_id;.;invalid").await, 1);
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn only_an_id_that_is_whole_and_sent_once_correlates() {
    // Of several `x-request-id` Envoy makes one; of others it does not.
    let service =
        sidecar(json!({"correlate": {"by": "x-flow", "carry": ["traceparent", "x-mesh-variant"]}})).await;
    let gateway = &service.gateway;
    let send = async |listener: &str, ids: &[&str], extra: &[(&str, &str)]| {
        let ids: Vec<_> = ids.iter().map(|id| ("x-flow", *id)).collect();
        let answer = gateway.send_to(listener, get("/", &[&ids[..], extra].concat())).await;
        arrived(&answer, &SENT)
    };
    let (long, longer) = ("i".repeat(128), "i".repeat(129));
    let other = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
    for ids in [&["a"][..], &[&*long], &[&*longer], &["b", "b"], &["c", "d"], &["A"], &["\u{e9}"], &[""], &[]]
    {
        let is_id = ids.len() == 1 && (1..=128).contains(&ids[0].len());
        for extra in [&[TRACEPARENT][..], &[other, VARIANT], &[TRACEPARENT], &[]] {
            // The last one wins, also if it has nothing.
            send("gateway", ids, extra).await;
            let expected = if is_id { owned(extra) } else { vec![] };
            assert_eq!(send(Sidecar::OUTBOUND, ids, &[]).await, expected, "{ids:?}");
        }
        send("gateway", ids, &[TRACEPARENT]).await;
    }
    // Spaces around a value do not belong to it.
    for (id, is_joined) in
        [("a ", true), ("aa", false), ("b", false), ("c", false), ("d", false), (&long[..127], false)]
    {
        assert_eq!(send(Sidecar::OUTBOUND, &[id], &[]).await.len(), usize::from(is_joined), "{id}");
    }
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn an_entry_has_its_time_and_its_size() {
    let correlate = json!({"carry": ["traceparent", "baggage"], "ttl": "2s", "max_value_bytes": 100, "max_entry_bytes": 150});
    let service = sidecar(json!({"correlate": correlate})).await;
    let gateway = &service.gateway;
    let id = ("x-request-id", "an id");
    let call = async || {
        let answer = gateway.send_to(Sidecar::OUTBOUND, get("/", &[id])).await;
        received(&answer.text(), "traceparent").len() + received(&answer.text(), "baggage").len()
    };
    gateway.send(get("/", &[TRACEPARENT, BAGGAGE, id])).await;
    assert_eq!(call().await, 2);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(call().await, 0);
    // A value that is too large is left out; with one that is not, the entry is too large.
    for (bytes, arrive, too_large) in [(101, 1, 1), (100, 0, 2), (50, 2, 2)] {
        let baggage = format!("a={}", "v".repeat(bytes - 2));
        gateway.send(get("/", &[TRACEPARENT, ("baggage", &baggage), id])).await;
        assert_eq!((call().await, metric(gateway, "too_large").await), (arrive, too_large), "{bytes}");
    }
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_full_table_loses_its_oldest_entries() {
    let service = sidecar(json!({"correlate": {"capacity": 64, "ttl": "10m"}})).await;
    let gateway = &service.gateway;
    let ids: Vec<_> = (0..200).map(|number| format!("id-{number}")).collect();
    let mut inbound = Connection::open(gateway.address, Protocol::Http1).await.unwrap();
    let trace = |number: usize| format!("00-{number:032x}-00f067aa0ba902b7-00");
    for (number, id) in ids.iter().enumerate() {
        inbound.send(get("/", &[("traceparent", &trace(number + 1)), ("x-request-id", id)])).await.unwrap();
    }
    let outbound = gateway.envoy.listener(Sidecar::OUTBOUND).await.unwrap();
    let mut outbound = Connection::open(outbound, Protocol::Http1).await.unwrap();
    let mut found = 0;
    for (number, id) in ids.iter().enumerate() {
        let answer = outbound.send(get("/", &[("x-request-id", id)])).await.unwrap();
        let parents = received(&answer.text(), "traceparent");
        assert!(
            parents.is_empty() || parents == [("traceparent".to_owned(), trace(number + 1))],
            "{parents:?}"
        );
        assert!(number + 1 < ids.len() || parents.len() == 1, "the last one is gone");
        found += parents.len() as u64;
    }
    let evicted = metric(gateway, "evicted").await;
    assert_eq!(found + evicted, 200);
    assert!((40..=64).contains(&found), "{found}");
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn without_a_direction_nothing_is_correlated() {
    let both = setup(correlating(json!({})));
    let gateway = both.clone().workers(1).beside("outbound", both).start().await;
    let id = ("x-request-id", "an id");
    for _ in 0..3 {
        gateway.send(get("/", &[TRACEPARENT, id])).await;
        let answer = gateway.send_to("outbound", get("/", &[id])).await;
        assert_eq!(arrived(&answer, &SENT), []);
    }
    assert_eq!(metric(&gateway, "no_direction").await, 6);
    let warnings = || gateway.envoy.log().matches("requests are not correlated").count();
    eventually("a warning", || async { warnings() == 1 }).await;
    // Where the proxy does not say it, the config can.
    let of = |direction: &str| setup(json!({"correlate": {"direction": direction}}));
    let gateway = of("inbound").beside("outbound", of("outbound")).start().await;
    gateway.send(get("/", &[TRACEPARENT, id])).await;
    let answer = gateway.send_to("outbound", get("/", &[id])).await;
    assert_eq!(arrived(&answer, &SENT), owned(&[TRACEPARENT]));
    // The other way around it is no call.
    let answer = gateway.send(get("/", &[id])).await;
    assert_eq!(arrived(&answer, &SENT), []);
    assert_eq!(correlated(&gateway).await, (1, 0));
    gateway.assert_no_trap().await;
}

/// Plugins of other names have tables of their own.
#[tokio::test]
async fn a_table_belongs_to_a_name() {
    let config = correlating(json!({}));
    let outbound = Setup::default().plugins(&[plugin(config.clone()).named("another")]);
    let service = Sidecar::start(setup(config), outbound, None).await;
    let answer = service.gateway.send(get("/", &SENT)).await;
    assert_eq!(arrived(&answer, &SENT), []);
    assert_eq!(correlated(&service.gateway).await, (0, 1));
}
