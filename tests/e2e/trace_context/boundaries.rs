//! Where a trace ends: `restart` and `strip`, and what passes without them.

use super::{EVERYTHING, Logged, OTHERS, TRACEPARENT, logged, metric, one, parent, setup, told, traces};
use bytes::Bytes;
use e2e::{Setup, get, header_map, received, with};
use mesh_filters::http::{Parts, Protocol, Request, send};
use serde_json::{Value, json};

#[tokio::test]
async fn restart_ends_a_trace_and_begins_another() {
    let config = |extra: Value| {
        let restart = json!({"boundary": "restart", "response": {"header": "x-trace-id"}, "inject": ["w3c", "b3"],
            "generate": {"sampling_percentage": 0, "sampling_rules": [
                {"match": {"path": {"prefix": "/pay"}}, "sampling_percentage": 100}]}});
        with(restart, extra)
    };
    let gateway = setup(config(json!({})))
        .beside("baggage", setup(config(json!({"baggage": {"allow": ["locale"]}}))))
        .start()
        .await;
    let mut ids = Vec::new();
    for (listener, baggage) in [("gateway", None), ("baggage", Some("baggage: locale=de"))] {
        let address = gateway.envoy.listener(listener).await.unwrap();
        for (headers, path, flags, state) in [
            (&EVERYTHING[..], "/", "02", "0"),
            (&EVERYTHING[..], "/pay", "03", "1"),
            (&[TRACEPARENT], "/", "02", "0"),
            (&[("b3", "1")], "/", "02", "0"),
            (&[("b3", "nonsense")], "/pay", "03", "1"),
            (&[], "/", "02", "0"),
        ] {
            for protocol in [Protocol::Http1, Protocol::Http2] {
                let what = format!("{listener} {path} {headers:?} {protocol:?}");
                let answer = send(address, protocol, get(path, headers)).await.unwrap();
                let [trace, span, found] = parent(&answer);
                let mut expected = vec![
                    format!("b3: {trace}-{span}-{state}"),
                    format!("traceparent: 00-{trace}-{span}-{flags}"),
                ];
                expected.extend(baggage.filter(|_| headers.len() > 1).map(str::to_owned));
                expected.sort_unstable();
                assert_eq!(
                    (traces(&answer.text()), &*found),
                    (expected.iter().map(String::as_str).collect(), flags),
                    "{what}"
                );
                assert_eq!(told(&answer).as_ref(), Some(&trace), "{what}");
                ids.extend([trace, span]);
            }
        }
        // What tells of no trace, and what the filter does not read.
        let answer = gateway.send_to(listener, get("/", &[&EVERYTHING[..], &OTHERS].concat())).await;
        for (name, value) in
            [("x-other", "kept"), ("x-request-id", "kept"), ("trace_parent", EVERYTHING[2].1)]
        {
            assert_eq!(one(&answer, name), value, "{listener}");
        }
        for (name, value) in OTHERS {
            assert!(
                received(&answer.text(), name).contains(&(name.to_owned(), value.to_owned())),
                "{listener} {name}"
            );
        }
    }
    let number = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), number, "an id occurs twice");
    assert_eq!(metric(&gateway, "generated").await, number as u64 / 2 + 2);
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn strip_lets_nothing_out() {
    let strip = json!({"boundary": "strip", "response": {"header": "x-trace-id"}, "decision_log": "all",
        "generate": {"when_missing": true}, "baggage": {"set": [{"key": "a", "from": {"constant": "b"}}]}});
    let gateway = setup(strip).start().await;
    let all = [&EVERYTHING[..], &OTHERS].concat();
    let kept = ["x-other", "x-request-id", "trace_parent"];
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let path = format!("/{protocol:?}");
        let answer = send(gateway.address, protocol, get(&path, &all)).await.unwrap();
        assert_eq!(traces(&answer.text()), [""; 0]);
        let names = kept.map(|name| one(&answer, name));
        assert_eq!(names, ["kept", "kept", EVERYTHING[2].1]);
        for (name, _) in all.iter().filter(|(name, _)| !kept.contains(name)) {
            assert_eq!(received(&answer.text(), name), [], "{name}");
        }
        assert_eq!(told(&answer), None);
        let expected = Logged { decision: "stripped".into(), trace_id: "-".into() };
        assert_eq!(logged(&gateway, &path).await, expected);
    }
    gateway.assert_no_trap().await;
}

/// An upstream may take trailers for headers.
#[tokio::test]
async fn boundaries_are_ones_for_trailers_too() {
    let of = |boundary: &str| setup(json!({"boundary": boundary, "inject": []})).trailers();
    let gateway =
        of("strip").beside("restart", of("restart")).beside("continue", of("continue")).start().await;
    let sent = [&EVERYTHING[..], &OTHERS].concat();
    let kept = |name: &str, boundary: &str| {
        matches!(name, "x-other" | "x-request-id" | "trace_parent")
            || boundary == "continue"
            || (boundary == "restart" && OTHERS.iter().any(|(other, _)| *other == name))
    };
    for (listener, boundary) in [("gateway", "strip"), ("restart", "restart"), ("continue", "continue")] {
        let address = gateway.envoy.listener(listener).await.unwrap();
        let body = Parts::new([Bytes::from_static(b"body")]).trailers(header_map(&sent));
        let request = Request::post("/").body(body).unwrap();
        let text = send(address, Protocol::Http2, request).await.unwrap().text();
        let (_, trailers) = text.split_once("\n\n").unwrap();
        for (name, _) in &sent {
            let found = received(trailers, name).len();
            assert_eq!(found > 0, kept(name, boundary), "{boundary} {name}: {trailers}");
        }
    }
    assert_eq!(metric(&gateway, "failed").await, 0);
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn formats_that_are_not_read_pass() {
    let gateway = setup(json!({"extract": ["w3c"], "inject": []})).start().await;
    let bare = Setup::default().start().await;
    let sent: Vec<_> = [&EVERYTHING[..], &OTHERS].concat();
    let (answer, expected) = (gateway.send(get("/", &sent)).await, bare.send(get("/", &sent)).await);
    assert_eq!(traces(&answer.text()), traces(&expected.text()));
    assert!(traces(&answer.text()).len() > 30);
    gateway.assert_no_trap().await;
}
