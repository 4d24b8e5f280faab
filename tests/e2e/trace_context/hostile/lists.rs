//! Long and invalid lists: `tracestate` and `baggage`.

use crate::trace_context::{TRACEPARENT, invalid, metric, raw, setup, traces};
use e2e::{get, received};
use mesh_filters::http::{Protocol, send};
use serde_json::json;

/// So many members, in so many headers.
fn list(name: &'static str, members: usize, headers: usize) -> Vec<(&'static str, String)> {
    let member = |number| format!("k{number}={number}");
    let all: Vec<_> = (0..members).map(member).collect();
    all.chunks(members.div_ceil(headers)).map(|chunk| (name, chunk.join(","))).collect()
}

/// The protocols in which a request of this size gets past Envoy: its HTTP/2 takes eight frames of headers.
fn protocols(headers: &[(&str, &[u8])]) -> &'static [Protocol] {
    let bytes: usize = headers.iter().map(|(_, value)| value.len()).sum();
    if bytes < 100 << 10 { &[Protocol::Http1, Protocol::Http2] } else { &[Protocol::Http1] }
}

#[tokio::test]
async fn tracestate_stays_whole_or_goes_alone() {
    let gateway = setup(json!({})).start().await;
    for (lines, reason) in [
        (list("tracestate", 1, 1), None),
        (list("tracestate", 32, 1), None),
        (list("tracestate", 32, 32), None),
        (vec![("tracestate", "a=1,a=1".into()), ("tracestate", " a=2 ,\t, a=3".into())], None),
        (vec![("tracestate", format!("{}={}", "k".repeat(256), "v".repeat(256)))], None),
        (list("tracestate", 33, 1), Some("members")),
        (list("tracestate", 33, 33), Some("members")),
        (list("tracestate", 20_000, 1), Some("members")),
        (list("tracestate", 3000, 3000), Some("members")),
        (vec![("tracestate", ",".repeat(400 << 10))], Some("members")),
        (vec![("tracestate", format!("k={}", "v".repeat(400 << 10)))], Some("length")),
        (vec![("tracestate", format!("{}=1", "k".repeat(257)))], Some("length")),
        (vec![("tracestate", "a=1,B=2".into())], Some("grammar")),
        (vec![("tracestate", "a=1".into()), ("tracestate", "b".into())], Some("grammar")),
        (vec![("tracestate", "a=\u{e9}".into())], Some("grammar")),
    ] {
        let parent = [("traceparent", TRACEPARENT.1.to_owned())];
        let sent: Vec<_> =
            parent.iter().chain(&lines).map(|(name, value)| (*name, value.as_bytes())).collect();
        for protocol in protocols(&sent) {
            let what =
                format!("{} headers, the first of {} bytes, {protocol:?}", lines.len(), lines[0].1.len());
            let before = match reason {
                Some(reason) => invalid(&gateway, "w3c", reason).await,
                None => 0,
            };
            let answer = send(gateway.address, *protocol, raw("/", &sent)).await.unwrap();
            let text = answer.text();
            assert_eq!(answer.status, 200, "{what}");
            assert_eq!(
                received(&text, "traceparent"),
                [("traceparent".into(), TRACEPARENT.1.into())],
                "{what}"
            );
            let states = received(&text, "tracestate");
            if let Some(reason) = reason {
                assert_eq!(states, [], "{what}");
                assert_eq!(invalid(&gateway, "w3c", reason).await, before + 1, "{what}");
            } else {
                let states: Vec<_> =
                    states.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                let sent: Vec<_> = lines.iter().map(|(name, value)| (*name, value.trim())).collect();
                assert_eq!(states, sent, "{what}");
            }
        }
    }
    // Without a traceparent it goes, too, and that is no fault.
    let answer = gateway.send(get("/", &[("tracestate", "a=1"), ("tracestate", "b=1")])).await;
    assert_eq!(traces(&answer.text()), [""; 0]);
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn baggage_is_bounded() {
    let config = json!({"baggage": {"allow": [{"prefix": "k"}], "max_members": 180, "max_bytes": 1000,
        "set": [{"key": "tenant", "from": {"header": "x-tenant"}}]}});
    let gateway = setup(config).start().await;
    let dropped =
        async |reason: &str| metric(&gateway, &format!("reason=.={reason};.;baggage_dropped")).await;
    let reasons = ["not_allowed", "malformed", "too_many", "too_large", "replaced"];
    for (lines, counts) in [
        (list("baggage", 100, 1), [0, 0, 0, 0, 0]),
        (list("baggage", 100, 100), [0, 0, 0, 0, 0]),
        (list("baggage", 3000, 3000), [0, 0, 2488, 377, 0]),
        (list("baggage", 20_000, 1), [0, 0, 19_488, 377, 0]),
        (vec![("baggage", "k=,".repeat(300))], [0, 1, 120, 0, 0]),
        (vec![("baggage", "user=bob,".repeat(1000) + "k=1")], [512, 0, 489, 0, 0]),
        (vec![("baggage", ",".repeat(400 << 10))], [0, 512, (400 << 10) - 511, 0, 0]),
        (vec![("baggage", format!("k={}", "v".repeat(400 << 10)))], [0, 0, 0, 1, 0]),
        (vec![("baggage", "tenant=other,%74enant=o,TENANT=o,k=\u{e9},k=\"1\"".into())], [0, 2, 0, 0, 3]),
    ] {
        let sent: Vec<_> = lines.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        for protocol in protocols(&sent) {
            let what =
                format!("{} headers, the first of {} bytes, {protocol:?}", lines.len(), lines[0].1.len());
            let mut before = Vec::new();
            for reason in reasons {
                before.push(dropped(reason).await);
            }
            let answer = send(gateway.address, *protocol, raw("/", &sent)).await.unwrap();
            assert_eq!(answer.status, 200, "{what}");
            let passed = received(&answer.text(), "baggage");
            let bytes: usize = passed.iter().map(|(_, value)| value.len() + 1).sum();
            assert!(bytes <= 1001, "{what}: {bytes}");
            let is_whole = passed.iter().map(|(_, value)| value).eq(lines.iter().map(|(_, value)| value));
            assert_eq!(is_whole, counts == [0; 5], "{what}");
            for ((reason, count), before) in reasons.into_iter().zip(counts).zip(before) {
                assert_eq!(dropped(reason).await - before, count, "{what}: {reason}");
            }
        }
    }
    gateway.assert_no_trap().await;
}
