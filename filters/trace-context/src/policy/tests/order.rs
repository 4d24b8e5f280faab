//! Several contexts: the first valid one, in the order of `extract`.

use super::*;
use mesh_policy::effects::Edit;

#[test]
fn the_first_format_counts() {
    let request = "traceparent: 00-<t>-<s>-01; b3: <other>-<s>-0";
    check(r#"{"extract": ["w3c", "b3"]}"#, &[(request, "traceparent: 00-<t>-<s>-01", "extracted{w3c}")]);
    check(
        r#"{"extract": ["b3", "w3c"]}"#,
        &[(request, "b3: <other>-<s>-0; traceparent: 00-<other>-<s>-00", "extracted{b3}")],
    );
}

#[test]
fn the_first_valid_one_counts() {
    check(
        r#"{"extract": ["w3c", "b3", "b3-multi"]}"#,
        &[
            (
                "traceparent: 00-<t>-<s>-0; b3: <other>-<s>-1",
                "b3: <other>-<s>-1; traceparent: 00-<other>-<s>-01",
                "extracted{b3}",
            ),
            (
                "traceparent: x; b3: y; x-b3-traceid: <t>; x-b3-spanid: <s>; x-b3-sampled: 1",
                "x-b3-traceid: <t>; x-b3-spanid: <s>; x-b3-sampled: 1; traceparent: 00-<t>-<s>-01",
                "extracted{b3-multi}",
            ),
        ],
    );
}

#[test]
fn other_formats_stay_if_they_name_the_same_trace() {
    check_untouched(
        &format!("{{{ALL}}}"),
        &[
            ("traceparent: 00-<t>-<s>-01; b3: <t>-<s>-1", "extracted{w3c}"),
            // Another span, and another decision.
            ("traceparent: 00-<t>-<s>-01; b3: <t>-0000000000000001-0", "extracted{w3c}"),
            // Its lower half, which is all that a format with 64 bits has.
            ("traceparent: 00-<t>-<s>-01; b3: <short>-<s>-1", "extracted{w3c}"),
            (
                "traceparent: 00-<t>-<s>-01; x-datadog-trace-id: <decimal t>; x-datadog-parent-id: 1",
                "extracted{w3c}",
            ),
            (
                "traceparent: 00-<t>-<s>-01; x-amzn-trace-id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736",
                "extracted{w3c}",
            ),
        ],
    );
}

#[test]
fn formats_that_name_another_trace_are_removed_and_counted() {
    let config = format!("{{{ALL}}}");
    let request = "traceparent: 00-<t>-<s>-01; b3: <other>-<s>-1; x-b3-traceid: <other>; x-b3-spanid: <s>; x-b3-flags: 1; \
        uber-trace-id: <other>:<s>:0:1; x-datadog-trace-id: 1; x-datadog-parent-id: 1; x-datadog-origin: rum; \
        x-datadog-tags: a=b; x-amzn-trace-id: Root=1-00000000-000000000000000000000001; x-cloud-trace-context: <other>/1";
    check(&config, &[(request, "traceparent: 00-<t>-<s>-01", "extracted{w3c}")]);
    check_counts(
        &config,
        &[(
            request,
            &[
                "extracted w3c",
                "conflict b3",
                "conflict b3-multi",
                "conflict jaeger",
                "conflict datadog",
                "conflict xray",
                "conflict gcp",
            ],
        )],
    );
}

#[test]
fn a_conflict_in_a_format_that_is_written_is_replaced() {
    let config = r#"{"extract": ["b3", "w3c"], "inject": ["w3c"]}"#;
    let request = "b3: <t>-<s>-1; traceparent: 00-<other>-<s>-00; tracestate: a=1";
    check(config, &[(request, "b3: <t>-<s>-1; traceparent: 00-<t>-<s>-01", "extracted{b3}")]);
    check_counts(config, &[(request, &["extracted b3", "conflict w3c", "converted b3 w3c"])]);
}

/// Each change costs a call to the proxy.
#[test]
fn what_is_written_is_not_removed_before() {
    check_edits(
        r#"{"extract": ["b3", "w3c"], "inject": ["w3c"]}"#,
        &[
            ("b3: <t>-<s>-1; traceparent: 00-<other>-<s>-00", &["set traceparent: 00-<t>-<s>-01"]),
            ("b3: <t>-<s>-1; traceparent: nonsense", &["set traceparent: 00-<t>-<s>-01"]),
            (
                "b3: <t>-<s>-1; traceparent: 00-<other>-<s>-00; tracestate: a=1",
                &["remove tracestate", "set traceparent: 00-<t>-<s>-01"],
            ),
        ],
    );
    check_edits(
        r#"{"boundary": "restart"}"#,
        &[
            ("traceparent: 00-<t>-<s>-01", &["set traceparent: 00-<new>-<new s>-02"]),
            ("b3: 0; traceparent: x", &["remove b3", "set traceparent: 00-<new>-<new s>-02"]),
        ],
    );
}

#[test]
fn the_same_trace_is_written_again_where_it_says_something_else() {
    check(
        r#"{"extract": ["b3", "w3c"], "inject": ["w3c", "b3"]}"#,
        &[
            // Another span: its tracestate belongs to it.
            (
                "b3: <t>-<s>-1; traceparent: 00-<t>-0000000000000001-01; tracestate: a=1",
                "b3: <t>-<s>-1; traceparent: 00-<t>-<s>-01",
                "extracted{b3}",
            ),
            (
                "b3: <short>-<s>-1; traceparent: 00-<t>-0000000000000001-01; tracestate: a=1",
                "b3: <t>-<s>-1; traceparent: 00-<t>-<s>-01",
                "extracted{b3}",
            ),
        ],
    );
}

/// Some services cut off the upper half. The id is that of the first format that has it whole.
#[test]
fn an_id_without_its_upper_half_gets_it_from_another_format() {
    let config = r#"{"extract": ["b3", "w3c", "jaeger"], "response": {"header": "x-trace-id"}}"#;
    let w3c = "traceparent: 00-<t>-<s>-03; tracestate: a=1";
    check_untouched(config, &[(&format!("b3: <short>-<s>-1; {w3c}"), "extracted{b3}")]);
    let gateway = Gateway::new(config);
    let told = gateway.decide(&format!("b3: <short>-<s>-1; {w3c}")).response;
    assert!(matches!(told.as_slice(), [Edit::Set(_, id)] if id.as_bytes() == expand("<t>").as_bytes()));
    // Span and decision are those of the first format, and whether the id is random is told with the id.
    check(
        config,
        &[(
            "b3: <short>-0000000000000001-0; traceparent: 00-<t>-<s>-03; tracestate: a=1",
            "b3: <short>-0000000000000001-0; traceparent: 00-<t>-0000000000000001-02",
            "extracted{b3}",
        )],
    );
    // A padded one keeps its tracestate.
    check(
        r#"{"extract": ["w3c", "b3"]}"#,
        &[(
            "traceparent: 00-<padded>-<s>-01; tracestate: a=1; b3: <t>-<s>-0",
            "traceparent: 00-<t>-<s>-01; tracestate: a=1; b3: <t>-<s>-0",
            "extracted{w3c}",
        )],
    );
    check_counts(
        r#"{"extract": ["w3c", "b3"]}"#,
        &[("traceparent: 00-<padded>-<s>-01; b3: <t>-<s>-0", &["extracted w3c"])],
    );
    // It keeps what a format has beyond the context.
    check(
        r#"{"extract": ["b3-multi", "w3c"], "inject": ["b3-multi"]}"#,
        &[(
            "x-b3-traceid: <short>; x-b3-spanid: <s>; x-b3-parentspanid: <s>; x-b3-flags: 1; traceparent: 00-<t>-<s>-01",
            "x-b3-traceid: <t>; x-b3-spanid: <s>; x-b3-parentspanid: <s>; x-b3-flags: 1; traceparent: 00-<t>-<s>-01",
            "extracted{b3-multi}",
        )],
    );
}

#[test]
fn two_ids_with_the_same_lower_half_are_two_traces() {
    let config = r#"{"extract": ["b3", "w3c", "jaeger"]}"#;
    let twin = "1111111111111111a3ce929d0e0e4736";
    let request = format!("b3: <short>-<s>-1; traceparent: 00-<t>-<s>-01; uber-trace-id: {twin}:<s>:0:1");
    check(config, &[(&request, "b3: <short>-<s>-1; traceparent: 00-<t>-<s>-01", "extracted{b3}")]);
    check_counts(config, &[(&request, &["extracted b3", "conflict jaeger"])]);
    // In this order the other one is the first that is whole.
    check(
        r#"{"extract": ["b3", "jaeger", "w3c"], "inject": []}"#,
        &[(&request, &format!("b3: <short>-<s>-1; uber-trace-id: {twin}:<s>:0:1"), "extracted{b3}")],
    );
}
