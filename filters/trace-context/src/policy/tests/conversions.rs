//! Contexts in another format.

use super::*;

/// The same sampled context in every format.
const SAMPLED: [(&str, &str); 7] = [
    ("w3c", "traceparent: 00-<t>-<s>-01"),
    ("b3", "b3: <t>-<s>-1"),
    ("b3-multi", "x-b3-traceid: <t>; x-b3-spanid: <s>; x-b3-sampled: 1"),
    ("jaeger", "uber-trace-id: <t>:<s>:0:1"),
    (
        "datadog",
        "x-datadog-trace-id: <decimal t>; x-datadog-parent-id: <decimal s>; x-datadog-sampling-priority: 1; \
         x-datadog-tags: _dd.p.tid=4bf92f3577b34da6",
    ),
    ("xray", "x-amzn-trace-id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=<s>;Sampled=1"),
    ("gcp", "x-cloud-trace-context: <t>/<decimal s>;o=1"),
];

/// The same context that is not sampled, with an id of 64 bits.
const NOT_SAMPLED: [(&str, &str); 7] = [
    ("w3c", "traceparent: 00-<padded>-<s>-00"),
    ("b3", "b3: <short>-<s>-0"),
    ("b3-multi", "x-b3-traceid: <short>; x-b3-spanid: <s>; x-b3-sampled: 0"),
    ("jaeger", "uber-trace-id: <short>:<s>:0:0"),
    (
        "datadog",
        "x-datadog-trace-id: <decimal t>; x-datadog-parent-id: <decimal s>; x-datadog-sampling-priority: 0",
    ),
    ("xray", "x-amzn-trace-id: Root=1-00000000-00000000a3ce929d0e0e4736;Parent=<s>;Sampled=0"),
    ("gcp", "x-cloud-trace-context: <padded>/<decimal s>;o=0"),
];

#[test]
fn every_format_is_written_from_every_other() {
    for all in [SAMPLED, NOT_SAMPLED] {
        for (from, request) in all {
            for (to, expected) in all {
                let config = format!(r#"{{"extract": ["{from}"], "inject": ["{to}"]}}"#);
                let label = format!("extracted{{{from}}}");
                if from == to {
                    check_untouched(&config, &[(request, &label)]);
                    continue;
                }
                check(&config, &[(request, &format!("{request}; {expected}"), &label)]);
                let counts = [format!("extracted {from}"), format!("converted {from} {to}")];
                check_counts(&config, &[(request, &counts.each_ref().map(String::as_str))]);
            }
        }
    }
}

#[test]
fn several_formats_can_be_written() {
    let all: Vec<_> = SAMPLED.iter().map(|(_, headers)| *headers).collect();
    let config =
        format!(r#"{{{ALL}, "inject": ["w3c", "b3", "b3-multi", "jaeger", "datadog", "xray", "gcp"]}}"#);
    for (from, request) in SAMPLED {
        check(&config, &[(request, &all.join("; "), &format!("extracted{{{from}}}"))]);
    }
}

#[test]
fn debug_stays_debug_where_there_is_one() {
    check(
        &format!(r#"{{{ALL}, "inject": ["b3-multi", "jaeger"]}}"#),
        &[(
            "b3: <t>-<s>-d",
            "b3: <t>-<s>-d; x-b3-traceid: <t>; x-b3-spanid: <s>; x-b3-flags: 1; uber-trace-id: <t>:<s>:0:3",
            "extracted{b3}",
        )],
    );
    check(
        &format!("{{{ALL}}}"),
        &[(
            "uber-trace-id: <t>:<s>:0:2",
            "uber-trace-id: <t>:<s>:0:2; traceparent: 00-<t>-<s>-01",
            "extracted{jaeger}",
        )],
    );
}

/// A header of the format that says something else loses what does not fit.
#[test]
fn headers_of_the_format_are_replaced() {
    check(
        r#"{"extract": ["w3c"], "inject": ["b3-multi"]}"#,
        &[(
            "traceparent: 00-<t>-<s>-00; x-b3-traceid: <other>; x-b3-parentspanid: <s>; x-b3-flags: 1",
            "traceparent: 00-<t>-<s>-00; x-b3-traceid: <t>; x-b3-spanid: <s>; x-b3-sampled: 0",
            "extracted{w3c}",
        )],
    );
}

/// Otherwise the upstream would see two.
#[test]
fn another_trace_in_a_format_that_cannot_be_written_is_removed() {
    let config = r#"{"extract": ["gcp"], "inject": ["b3", "w3c"]}"#;
    let gcp = "x-cloud-trace-context: <t>";
    let with = |other: &str| format!("{gcp}; {other}");
    check(
        config,
        &[
            (&with("b3: <other>-<s>-1"), gcp, "extracted{gcp}"),
            (&with("traceparent: 00-<other>-<s>-01; tracestate: a=1"), gcp, "extracted{gcp}"),
        ],
    );
    // Also if it is read.
    for config in [config, r#"{"extract": ["gcp", "b3"], "inject": ["b3"]}"#] {
        check_counts(config, &[(&with("b3: <other>-<s>-1"), &["extracted gcp", "conflict b3"])]);
    }
    check_untouched(
        config,
        &[
            (&with("b3: <t>-<s>-1"), "extracted{gcp}"),
            // No trace, and formats that are neither read nor written.
            (&with("b3: nonsense"), "extracted{gcp}"),
            (&with("b3: 0"), "extracted{gcp}"),
            (&with("uber-trace-id: <other>:<s>:0:1"), "extracted{gcp}"),
            ("b3: <other>-<s>-1; traceparent: 00-<t>-<s>-01", "missing"),
        ],
    );
}

/// Without a trace id, Datadog's tracers take neither a decision nor a trace from the other headers.
#[test]
fn datadog_without_ids_is_no_context() {
    let rest =
        "x-datadog-sampling-priority: 0; x-datadog-origin: rum; x-datadog-tags: _dd.p.tid=4bf92f3577b34da6";
    check_untouched(
        &format!("{{{ALL}}}"),
        &[(rest, "missing"), (&format!("traceparent: 00-<t>-<s>-01; {rest}"), "extracted{w3c}")],
    );
    // They do not become a part of a context.
    for (state, priority) in [("-1", "; x-datadog-sampling-priority: 1"), ("", "")] {
        let b3 = format!("b3: <short>-<s>{state}");
        check(
            &format!(r#"{{{ALL}, "inject": ["datadog"]}}"#),
            &[(
                &format!("{b3}; {rest}"),
                &format!("{b3}; x-datadog-trace-id: <decimal t>; x-datadog-parent-id: <decimal s>{priority}"),
                "extracted{b3}",
            )],
        );
    }
}

#[test]
fn a_context_without_a_span_is_passed_on_and_no_span_is_invented() {
    let config = format!(r#"{{{ALL}, "inject": ["w3c", "b3", "b3-multi", "jaeger", "datadog"]}}"#);
    check_untouched(
        &config,
        &[
            ("x-amzn-trace-id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Sampled=1", "extracted{xray}"),
            ("x-cloud-trace-context: <t>", "extracted{gcp}"),
            ("x-cloud-trace-context: <t>/0;o=1", "extracted{gcp}"),
        ],
    );
    check_counts(&config, &[("x-cloud-trace-context: <t>", &["extracted gcp"])]);
    // Also if traces are generated: there is one.
    check_untouched(
        &format!(r#"{{{ALL}, "generate": {{"when_missing": true}}}}"#),
        &[("x-cloud-trace-context: <t>/0;o=1", "extracted{gcp}")],
    );
    check(
        &format!(r#"{{{ALL}, "inject": ["xray"]}}"#),
        &[(
            "x-cloud-trace-context: <t>",
            "x-cloud-trace-context: <t>; x-amzn-trace-id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736",
            "extracted{gcp}",
        )],
    );
}
