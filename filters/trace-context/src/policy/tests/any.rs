//! Any config and any request.

use proptest::prelude::*;

const FORMATS: [&str; 7] = ["w3c", "b3", "b3-multi", "jaeger", "datadog", "xray", "gcp"];

/// Some formats, in any order.
pub(super) fn formats() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(FORMATS.to_vec(), 0..=FORMATS.len()).prop_shuffle()
}

fn list(formats: &[&str]) -> String {
    format!("{formats:?}")
}

fn baggage() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        r#", "baggage": {}"#,
        r#", "baggage": {"allow": ["a"], "max_bytes": 10, "max_members": 2}"#,
        r#", "baggage": {"set": [{"key": "a", "from": {"header": "h"}}]}"#,
    ])
}

fn generate() -> impl Strategy<Value = String> {
    (any::<bool>(), prop::sample::select(vec![0, 50, 100])).prop_map(|(when_missing, share)| {
        format!(r#""generate": {{"when_missing": {when_missing}, "sampling_percentage": {share}}}"#)
    })
}

/// A config, without its last brace.
pub(super) fn config() -> impl Strategy<Value = String> {
    let boundary = prop_oneof![4 => Just("continue"), 1 => Just("restart"), 1 => Just("strip")];
    let unlike_tracer = (generate(), boundary)
        .prop_map(|(generate, boundary)| format!(r#"{generate}, "boundary": "{boundary}""#));
    let tracer = formats().prop_map(|native| format!(r#""native_tracer": {}"#, list(&native)));
    let tracing = prop_oneof![3 => unlike_tracer, 1 => tracer];
    let correlate = prop::sample::select(vec![
        "",
        "",
        r#", "correlate": {}"#,
        r#", "correlate": {"direction": "inbound", "capacity": 64, "max_value_bytes": 60, "max_entry_bytes": 100}"#,
        r#", "correlate": {"direction": "outbound", "capacity": 64}"#,
        r#", "correlate": {"direction": "outbound", "capacity": 64, "carry": ["x-b3-traceid", "tracestate", "h"]}"#,
    ]);
    (formats(), formats(), tracing, baggage(), correlate).prop_map(
        |(extract, inject, tracing, baggage, correlate)| {
            format!(
                r#"{{"extract": {}, "inject": {}, "response": {{"header": "x-trace-id"}}, {tracing}{baggage}{correlate}"#,
                list(&extract),
                list(&inject)
            )
        },
    )
}

/// A config that reads what it writes.
pub(super) fn hop() -> impl Strategy<Value = String> {
    let both =
        (prop::sample::subsequence(FORMATS.to_vec(), 1..=FORMATS.len()).prop_shuffle(), 1..=FORMATS.len())
            .prop_flat_map(|(extract, number)| {
                let number = number.min(extract.len());
                (Just(extract.clone()), prop::sample::subsequence(extract, number).prop_shuffle())
            });
    (both, generate(), baggage()).prop_map(|((extract, inject), generate, baggage)| {
        format!(
            r#"{{"extract": {}, "inject": {}, "response": {{"header": "x-trace-id"}}, {generate}{baggage}}}"#,
            list(&extract),
            list(&inject)
        )
    })
}

/// Headers that are good, nearly good, and arbitrary.
pub(super) fn request() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    const TRACES: [&str; 3] = [
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "0000000000000000a3ce929d0e0e4736",
        "1111111111111111a3ce929d0e0e4736",
    ];
    let good = (prop::sample::select(TRACES.to_vec()), 0u64..3, 0u8..4, 0usize..14).prop_map(
        |(trace, span, flags, kind)| {
            let short = trace.strip_prefix("0000000000000000").unwrap_or(trace);
            let (name, value) = match kind {
                0 => ("traceparent", format!("00-{trace}-{span:016x}-{flags:02x}")),
                1 => ("traceparent", format!("cc-{trace}-{span:016x}-{flags:02x}-x")),
                2 => ("b3", format!("{short}-{span:016x}-{flags}")),
                3 => ("b3", format!("{short}-{span:016x}")),
                4 => ("x-b3-traceid", short.to_owned()),
                5 => ("x-b3-spanid", format!("{span:016x}")),
                6 => ("x-b3-sampled", flags.to_string()),
                7 => ("x-b3-flags", "1".to_owned()),
                8 => ("uber-trace-id", format!("{short}:{span:x}:0:{flags}")),
                9 => ("x-datadog-trace-id", "11803532876627986230".to_owned()),
                10 => ("x-datadog-parent-id", span.to_string()),
                11 => ("x-datadog-tags", "_dd.p.tid=4bf92f3577b34da6".to_owned()),
                12 => {
                    let (time, rest) = trace.split_at(8);
                    ("x-amzn-trace-id", format!("Root=1-{time}-{rest};Parent={span:016x};Sampled={flags}"))
                }
                _ => ("x-cloud-trace-context", format!("{trace}/{span};o={flags}")),
            };
            (name.to_owned(), value.into_bytes())
        },
    );
    let names = [
        "traceparent",
        "tracestate",
        "b3",
        "uber-trace-id",
        "baggage",
        "x-amzn-trace-id",
        "x_b3_traceid",
        "sw8",
    ];
    let arbitrary = (prop::sample::select(names.to_vec()), any::<Vec<u8>>())
        .prop_map(|(name, value)| (name.to_owned(), value));
    let other = prop::sample::select(vec![
        ("tracestate", "a=1"),
        ("baggage", "a=1,b=2"),
        ("baggage", "a=1,b=2,c=3,d"),
        ("h", "v"),
        ("x-request-id", "1"),
        ("x-request-id", "2"),
        ("b3", "0"),
        ("b3", "1"),
    ])
    .prop_map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    prop::collection::vec(prop_oneof![6 => good, 1 => arbitrary, 3 => other], 0..8)
}
