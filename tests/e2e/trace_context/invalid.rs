//! Headers that are no context of their format.

use super::{FORMATS, TRACEPARENT, invalid, logged, metric, raw, setup, traces};
use e2e::received;
use mesh_filters::http::{Protocol, send};
use serde_json::json;

/// Names and values of headers.
type Headers = &'static [(&'static str, &'static [u8])];

/// Headers that are no context of a format, and why.
const INVALID: [(&str, &str, Headers); 77] = [
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
    (
        "w3c",
        "repeated",
        &[("traceparent", TRACEPARENT.1.as_bytes()), ("traceparent", TRACEPARENT.1.as_bytes())],
    ),
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

fn shown(headers: &[(&str, &[u8])]) -> String {
    headers.iter().map(|(name, value)| format!("{name}: {}; ", value.escape_ascii())).collect()
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
        let headers = [&[("traceparent", TRACEPARENT.1.as_bytes())][..], headers].concat();
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
