//! Requests that legitimate clients do not send.

use super::{FORMATS, logged, metric, setup, traces};
use bytes::Bytes;
use e2e::{Gateway, get, received};
use mesh_filters::http::{Connection, HeaderName, HeaderValue, Protocol, Request, send};
use serde_json::{Value, json};

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Headers that are no context of a format, and why.
const INVALID: [(&str, &str, &[(&str, &[u8])]); 77] = [
    ("w3c", "version", &[("traceparent", b"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]),
    ("w3c", "version", &[("traceparent", b"0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]),
    ("w3c", "version", &[("traceparent", b"000-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]),
    ("w3c", "version", &[("traceparent", b"")]),
    ("w3c", "version", &[("traceparent", b"\xff\xfe\xfd")]),
    ("w3c", "length", &[("traceparent", b"00-")]),
    ("w3c", "length", &[("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0")]),
    ("w3c", "length", &[("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x")]),
    ("w3c", "hex", &[("traceparent", b"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01")]),
    ("w3c", "hex", &[("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01")]),
    ("w3c", "hex", &[("traceparent", b"00-\xc3\xa4f92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]),
    ("w3c", "hex", &[("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A")]),
    ("w3c", "zero_id", &[("traceparent", b"00-00000000000000000000000000000000-00f067aa0ba902b7-01")]),
    ("w3c", "zero_id", &[("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01")]),
    ("w3c", "grammar", &[("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01")]),
    ("w3c", "grammar", &[("traceparent", b"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.x")]),
    ("w3c", "repeated", &[("traceparent", TRACEPARENT.as_bytes()), ("traceparent", TRACEPARENT.as_bytes())]),
    (
        "w3c",
        "zero_id",
        &[
            ("traceparent", b"00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
            ("tracestate", b"congo=t61rcWkgMzE"),
        ],
    ),
    ("b3", "sampling", &[("b3", b"")]),
    ("b3", "sampling", &[("b3", b"2")]),
    ("b3", "sampling", &[("b3", b"\xff")]),
    ("b3", "sampling", &[("b3", b"80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-x")]),
    ("b3", "sampling", &[("b3", b"80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-")]),
    ("b3", "incomplete", &[("b3", b"80f198ee56343ba864fe8b2a57d3eff7")]),
    ("b3", "length", &[("b3", b"80f198ee56343ba864fe8b2a57d3eff-e457b5a2e4d86bd1-1")]),
    ("b3", "length", &[("b3", b"80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd-1")]),
    ("b3", "length", &[("b3", b"80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3")]),
    ("b3", "hex", &[("b3", b"80F198EE56343BA864FE8B2A57D3EFF7-E457B5A2E4D86BD1-1")]),
    ("b3", "zero_id", &[("b3", b"00000000000000000000000000000000-e457b5a2e4d86bd1-1")]),
    ("b3", "zero_id", &[("b3", b"80f198ee56343ba864fe8b2a57d3eff7-0000000000000000-1")]),
    ("b3", "grammar", &[("b3", b"80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90-1")]),
    ("b3", "repeated", &[("b3", b"0"), ("b3", b"0")]),
    ("b3-multi", "incomplete", &[("x-b3-traceid", b"80f198ee56343ba864fe8b2a57d3eff7")]),
    ("b3-multi", "incomplete", &[("x-b3-spanid", b"e457b5a2e4d86bd1"), ("x-b3-sampled", b"1")]),
    ("b3-multi", "incomplete", &[("x-b3-parentspanid", b"e457b5a2e4d86bd1"), ("x-b3-flags", b"1")]),
    ("b3-multi", "sampling", &[("x-b3-sampled", b"yes")]),
    ("b3-multi", "sampling", &[("x-b3-sampled", b"TRUE")]),
    ("b3-multi", "length", &[("x-b3-traceid", b"1"), ("x-b3-spanid", b"e457b5a2e4d86bd1")]),
    ("b3-multi", "hex", &[("x-b3-traceid", b"80f198ee56343bag"), ("x-b3-spanid", b"e457b5a2e4d86bd1")]),
    ("b3-multi", "hex", &[("x-b3-traceid", b"80f198ee56343ba\xe9"), ("x-b3-spanid", b"e457b5a2e4d86bd1")]),
    ("b3-multi", "zero_id", &[("x-b3-traceid", b"0000000000000000"), ("x-b3-spanid", b"e457b5a2e4d86bd1")]),
    ("b3-multi", "repeated", &[("x-b3-sampled", b"0"), ("x-b3-sampled", b"1")]),
    ("b3-multi", "repeated", &[("x-b3-flags", b"1"), ("x-b3-flags", b"1")]),
    ("jaeger", "grammar", &[("uber-trace-id", b"")]),
    ("jaeger", "grammar", &[("uber-trace-id", b"%")]),
    ("jaeger", "grammar", &[("uber-trace-id", b"%ff%ff%ff")]),
    ("jaeger", "grammar", &[("uber-trace-id", b"1:2:0")]),
    ("jaeger", "grammar", &[("uber-trace-id", b"1:2:0:1:1")]),
    ("jaeger", "grammar", &[("uber-trace-id", b"\xff\xfe")]),
    ("jaeger", "length", &[("uber-trace-id", b":2:0:1")]),
    ("jaeger", "length", &[("uber-trace-id", b"000000000000000000000000000000001:2:0:1")]),
    ("jaeger", "length", &[("uber-trace-id", b"1:2:0:001")]),
    ("jaeger", "hex", &[("uber-trace-id", b"x:2:0:1")]),
    ("jaeger", "hex", &[("uber-trace-id", b"1:2:0:-1")]),
    ("jaeger", "zero_id", &[("uber-trace-id", b"0:2:0:1")]),
    ("jaeger", "zero_id", &[("uber-trace-id", b"1:0:0:1")]),
    ("jaeger", "repeated", &[("uber-trace-id", b"1:2:0:1"), ("uber-trace-id", b"1:2:0:1")]),
    ("datadog", "incomplete", &[("x-datadog-trace-id", b"1")]),
    ("datadog", "incomplete", &[("x-datadog-parent-id", b"1")]),
    ("datadog", "decimal", &[("x-datadog-trace-id", b"1a"), ("x-datadog-parent-id", b"1")]),
    ("datadog", "decimal", &[("x-datadog-trace-id", b"-1"), ("x-datadog-parent-id", b"1")]),
    ("datadog", "decimal", &[("x-datadog-trace-id", b"18446744073709551616"), ("x-datadog-parent-id", b"1")]),
    ("datadog", "decimal", &[("x-datadog-trace-id", b"1"), ("x-datadog-parent-id", b"\xff")]),
    ("datadog", "zero_id", &[("x-datadog-trace-id", b"0"), ("x-datadog-parent-id", b"1")]),
    ("datadog", "zero_id", &[("x-datadog-trace-id", b"1"), ("x-datadog-parent-id", b"0")]),
    (
        "datadog",
        "sampling",
        &[("x-datadog-trace-id", b"1"), ("x-datadog-parent-id", b"1"), ("x-datadog-sampling-priority", b"3")],
    ),
    ("datadog", "repeated", &[("x-datadog-tags", b"a=1"), ("x-datadog-tags", b"b=1")]),
    ("xray", "incomplete", &[("x-amzn-trace-id", b"Parent=53995c3f42cd8ad8;Sampled=1")]),
    ("xray", "version", &[("x-amzn-trace-id", b"Root=2-5759e988-bd862e3fe1be46a994272793")]),
    ("xray", "length", &[("x-amzn-trace-id", b"Root=1-5759e988-bd862e3fe1be46a99427279")]),
    ("xray", "hex", &[("x-amzn-trace-id", b"Root=1-5759e98g-bd862e3fe1be46a994272793")]),
    ("xray", "zero_id", &[("x-amzn-trace-id", b"Root=1-00000000-000000000000000000000000")]),
    ("xray", "grammar", &[("x-amzn-trace-id", b"\xff")]),
    (
        "xray",
        "repeated",
        &[(
            "x-amzn-trace-id",
            b"Root=1-5759e988-bd862e3fe1be46a994272793;Root=1-5759e988-bd862e3fe1be46a994272793",
        )],
    ),
    ("gcp", "length", &[("x-cloud-trace-context", b"105445aa7843bc8bf206b1200010000/1;o=1")]),
    ("gcp", "decimal", &[("x-cloud-trace-context", b"105445aa7843bc8bf206b12000100000/0x1;o=1")]),
    ("gcp", "grammar", &[("x-cloud-trace-context", b"105445aa7843bc8bf206b12000100000/1;1")]),
];

fn raw(path: &str, headers: &[(&str, &[u8])]) -> Request<Bytes> {
    let mut request = get(path, &[]);
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
    }
    request
}

fn shown(headers: &[(&str, &[u8])]) -> String {
    headers.iter().map(|(name, value)| format!("{name}: {}; ", value.escape_ascii())).collect()
}

async fn invalid(gateway: &Gateway, format: &str, reason: &str) -> u64 {
    metric(gateway, &format!("format=.={format};.;reason=.={reason};.;invalid")).await
}

#[tokio::test]
async fn an_invalid_context_is_removed_and_counted_by_its_reason() {
    let gateway = setup(json!({"extract": FORMATS, "inject": FORMATS})).start().await;
    for (number, (format, reason, headers)) in INVALID.iter().enumerate() {
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let what = format!("{protocol:?} {format} {reason} {}", shown(headers));
            let before = invalid(&gateway, format, reason).await;
            let path = format!("/{number}-{protocol:?}");
            let answer = send(gateway.address, protocol, raw(&path, headers)).await.unwrap();
            assert_eq!(answer.status, 200, "{what}");
            assert_eq!(traces(&answer.text()), [""; 0], "{what}");
            assert_eq!(invalid(&gateway, format, reason).await, before + 1, "{what}");
            assert_eq!(
                logged(&gateway, &path).await.decision,
                format!("invalid{{{format}}}:{reason}"),
                "{what}"
            );
        }
    }
    // A valid context beside it is used all the same.
    for (format, reason, headers) in INVALID.iter().filter(|(format, ..)| *format != "w3c") {
        let headers = [&[("traceparent", TRACEPARENT.as_bytes())][..], headers].concat();
        let before = invalid(&gateway, format, reason).await;
        let answer = gateway.send(raw("/", &headers)).await;
        let what = format!("{format} {reason} {}", shown(&headers));
        assert_eq!(received(&answer.text(), "traceparent").len(), 1, "{what}");
        assert!(
            answer.text().contains("b3: 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1\n"),
            "{what}"
        );
        assert_eq!(invalid(&gateway, format, reason).await, before + 1, "{what}");
    }
    assert_eq!(metric(&gateway, "failed").await, 0);
    gateway.assert_no_trap().await;
}

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
        let parent = [("traceparent", TRACEPARENT.to_owned())];
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
                [("traceparent".into(), TRACEPARENT.into())],
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
        (list("baggage", 3000, 3000), [0, 0, 0, 2865, 0]),
        (list("baggage", 20_000, 1), [0, 0, 0, 19_865, 0]),
        (vec![("baggage", "k=,".repeat(300))], [0, 1, 120, 0, 0]),
        (vec![("baggage", "user=bob,".repeat(1000) + "k=1")], [1000, 0, 0, 0, 0]),
        (vec![("baggage", ",".repeat(400 << 10))], [0, (400 << 10) + 1, 0, 0, 0]),
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
            let passed: usize =
                received(&answer.text(), "baggage").iter().map(|(_, value)| value.len() + 1).sum();
            assert!(passed <= 1001, "{what}: {passed}");
            for ((reason, count), before) in reasons.into_iter().zip(counts).zip(before) {
                assert_eq!(dropped(reason).await - before, count, "{what}: {reason}");
            }
        }
    }
    gateway.assert_no_trap().await;
}

/// Everything that the filter has.
fn everything() -> Value {
    json!({
        "client_ip": {"trusted_hops": 1},
        "decision_log": "all",
        "extract": FORMATS,
        "inject": FORMATS,
        "generate": {"when_missing": true, "sampling_percentage": 50, "sampling_rules": [
            {"match": {"path": {"regex": "/never/.*"}, "cookies": [{"name": "never", "present": true}]},
                "sampling_percentage": 100},
        ]},
        "baggage": {"allow": [{"regex": "[a-z]+", "ignore_case": true}], "set": [
            {"key": "tenant", "from": {"header": "x-tenant"}}, {"key": "ip", "from": {"client_ip": {}}},
            {"key": "path", "from": "path"}, {"key": "q", "from": {"query": "q"}}, {"key": "c", "from": {"cookie": "c"}},
        ]},
        "response": {"header": "x-trace-id"},
        "correlate": {"carry": ["traceparent", "tracestate", "baggage", "b3", "x-datadog-tags", "x-other"],
            "capacity": 64, "max_entry_bytes": 512},
        "log_trace_id": true,
    })
}

fn odd() -> Vec<(String, Request<Bytes>)> {
    let mut odd = Vec::new();
    let mut add = |what: &str, request| odd.push((what.to_owned(), request));
    let names = [
        "traceparent",
        "tracestate",
        "b3",
        "x-b3-traceid",
        "x-b3-spanid",
        "x-b3-parentspanid",
        "x-b3-sampled",
        "x-b3-flags",
        "uber-trace-id",
        "x-datadog-trace-id",
        "x-datadog-parent-id",
        "x-datadog-sampling-priority",
        "x-datadog-origin",
        "x-datadog-tags",
        "x-amzn-trace-id",
        "x-cloud-trace-context",
        "baggage",
        "x-request-id",
        "x-tenant",
        "x-other",
        "cookie",
    ];
    for name in names {
        add(&format!("1000 of {name}"), raw("/", &vec![(name, &b"1"[..]); 1000]));
        for pattern in ["x", ",", ";", "=", "-", "%3A", ":", "00-", "a=1,", "Root=1-", "a=1;", "\u{e9}"] {
            let long = pattern.repeat((24 << 10) / pattern.len());
            add(&format!("long {name}: {pattern}"), raw("/", &[(name, long.as_bytes())]));
        }
        for value in [&b""[..], b"\xff\xfe", b"\xf0\x9f\x92\xa5", b"\t", b"0", b"\x80-\x80-\x80", b"a\tb"] {
            add(&format!("{name}: {value:?}"), raw("/", &[(name, value)]));
            add(
                &format!("{name} beside: {value:?}"),
                raw("/", &[("traceparent", TRACEPARENT.as_bytes()), (name, value)]),
            );
        }
    }
    let all: Vec<_> = names.iter().map(|name| (*name, &b"\xff"[..])).collect();
    add("all at once", raw("/", &all));
    add("all, a hundred times", raw("/", &all.repeat(100)));
    for path in ["/%", "/%ff%fe", "/?q=%", "//..//.//", "/\\..\\", "/?", "/?q=%ff&q"] {
        add(path, get(path, &[("cookie", ";;=;c;c=;c=\"")]));
    }
    for forwarded in ["", ",,,,", "6.6.6.6, ", "not an address", "[::1", "::ffff:1.2.3.4"] {
        add(forwarded, get("/", &[("x-forwarded-for", forwarded)]));
    }
    odd
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_requests_do_no_harm() {
    let strip = setup(json!({"boundary": "strip"}));
    let restart = setup(super::with(everything(), json!({"boundary": "restart"}))).direction("INBOUND");
    let gateway = setup(everything())
        .direction("INBOUND")
        .beside("outbound", setup(everything()).direction("OUTBOUND"))
        .beside("strip", strip)
        .beside("restart", restart)
        .start()
        .await;
    for listener in ["gateway", "outbound", "strip", "restart"] {
        let address = gateway.envoy.listener(listener).await.unwrap();
        for (what, request) in odd() {
            // On connections of their own, so that both workers are used.
            for protocol in [Protocol::Http1, Protocol::Http2] {
                let mut connection = Connection::open(address, protocol).await.unwrap();
                let answer = connection
                    .send(request.clone())
                    .await
                    .unwrap_or_else(|error| panic!("{what}: {error:#}"));
                assert_eq!(answer.status, 200, "{listener}: {what}");
                if listener == "strip" {
                    assert_eq!(traces(&answer.text()), [""; 0], "{what}");
                }
            }
        }
    }
    // Requests that Envoy refuses, or that have no path.
    for line in
        ["GET  HTTP/1.1", "GET HTTP/1.1", "CONNECT a:1 HTTP/1.1", "OPTIONS * HTTP/1.1", "GET / HTTP/1.0"]
    {
        gateway.send_raw(format!("{line}\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes()).await;
    }
    assert_eq!(metric(&gateway, "failed").await, 0);
    gateway.assert_no_trap().await;
}
