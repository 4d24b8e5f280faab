//! Sampling decisions: kept, deferred, and alone.

use super::*;

#[test]
fn a_deferred_decision_stays_deferred_where_that_is_possible() {
    check(
        r#"{"inject": ["b3-multi"]}"#,
        &[("b3: <t>-<s>", "b3: <t>-<s>; x-b3-traceid: <t>; x-b3-spanid: <s>", "extracted{b3}")],
    );
}

/// `<t>` is sampled for shares from 19.31 % on.
#[test]
fn elsewhere_it_is_what_a_new_trace_of_this_id_would_get() {
    let check = |generate: &str, request: &str, flags: &str| {
        let config = format!(r#"{{"inject": ["w3c", "jaeger"], "generate": {{{generate}}}}}"#);
        let jaeger = flags.trim_start_matches('0').parse().unwrap_or(0);
        let context = "b3: <t>-<s>";
        let expected = format!(
            "{request}; {context}; traceparent: 00-<t>-<s>-{flags}; uber-trace-id: <t>:<s>:0:{jaeger}"
        );
        check(&config, &[(&format!("{request}; {context}"), &expected, "extracted{b3}")]);
    };
    check("", ":path: /", "00");
    check(r#""sampling_percentage": 19.3"#, ":path: /", "00");
    check(r#""sampling_percentage": 20"#, ":path: /", "01");
    let rules = r#""sampling_rules": [{"match": {"path": {"prefix": "/pay"}}, "sampling_percentage": 100}]"#;
    check(rules, ":path: /pay", "01");
    check(rules, ":path: /", "00");
}

/// A decision that came is not replaced by the share.
#[test]
fn elsewhere_it_is_what_another_format_of_the_trace_says() {
    let config = |percentage: u32| {
        format!(
            r#"{{{ALL}, "inject": ["w3c", "jaeger", "b3"], "generate": {{"sampling_percentage": {percentage}}}}}"#
        )
    };
    let written = "traceparent: 00-<t>-<s>-01; uber-trace-id: <t>:<s>:0:1; b3: <t>-<s>";
    let xray = "x-amzn-trace-id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736";
    let gcp = "x-cloud-trace-context: <t>/1;o=1";
    for states in [gcp, &format!("{xray}; {gcp}"), &format!("{gcp}; {xray};Sampled=0")] {
        let multi = "x-b3-traceid: <t>; x-b3-spanid: <s>";
        // X-Ray comes before Google in `extract`.
        let flags = if states.contains("Sampled=0") { "0" } else { "1" };
        let written = written.replace("-01", &format!("-0{flags}")).replace(":0:1", &format!(":0:{flags}"));
        let expected = format!("{multi}; {states}; {written}");
        for percentage in [0, 100] {
            check(&config(percentage), &[(&format!("{multi}; {states}"), &expected, "extracted{b3-multi}")]);
        }
    }
    // Another trace says nothing about this one.
    check(
        r#"{"extract": ["b3", "gcp"], "generate": {"sampling_percentage": 0}}"#,
        &[(
            "b3: <t>-<s>; x-cloud-trace-context: <other>/1;o=1",
            "b3: <t>-<s>; traceparent: 00-<t>-<s>-00",
            "extracted{b3}",
        )],
    );
    // A decision without ids is one, too.
    let config = r#"{"extract": ["b3", "b3-multi"], "generate": {"sampling_percentage": 100}}"#;
    let traceparent = "b3: <t>-<s>; traceparent: 00-<t>-<s>-0";
    check(
        config,
        &[("b3: <t>-<s>; x-b3-sampled: 0", &format!("{traceparent}0; x-b3-sampled: 0"), "extracted{b3}")],
    );
    check(
        &config.replace("100", "0"),
        &[("b3: <t>-<s>; x-b3-sampled: 1", &format!("{traceparent}1"), "extracted{b3}")],
    );
}

/// An upstream with B3 would begin a second trace of it.
#[test]
fn a_decision_beside_a_context_is_removed() {
    let alone = ["b3: 1", "b3: d", "x-b3-sampled: 1", "x-b3-sampled: true", "x-b3-flags: 1"];
    for decision in alone {
        let format = if decision.starts_with("b3") { "b3" } else { "b3-multi" };
        for flags in ["00", "01"] {
            let traceparent = format!("traceparent: 00-<t>-<s>-{flags}");
            let request = format!("{traceparent}; {decision}");
            check("{}", &[(&request, &traceparent, "extracted{w3c}")]);
            check_counts("{}", &[(&request, &["extracted w3c", &format!("conflict {format}")])]);
        }
        // In a format that is written it is replaced, as always.
        let config = format!(r#"{{"inject": ["{format}"]}}"#);
        let b3 = if format == "b3" {
            "b3: <t>-<s>-1"
        } else {
            "x-b3-traceid: <t>; x-b3-spanid: <s>; x-b3-sampled: 1"
        };
        let traceparent = "traceparent: 00-<t>-<s>-01";
        let request = format!("{traceparent}; {decision}");
        check(&config, &[(&request, &format!("{traceparent}; {b3}"), "extracted{w3c}")]);
        check_counts(&config, &[(&request, &["extracted w3c", &format!("converted w3c {format}")])]);
        // A format that is not read, or is the tracer's.
        for config in
            [r#"{"extract": ["w3c"]}"#, &format!(r#"{{"native_tracer": ["{format}"], "extract": ["w3c"]}}"#)]
        {
            check_untouched(config, &[(&request, "extracted{w3c}")]);
            check_counts(config, &[(&request, &["extracted w3c"])]);
        }
    }
    for decision in ["b3: 0", "x-b3-sampled: 0", "x-b3-sampled: false"] {
        check_untouched("{}", &[(&format!("traceparent: 00-<t>-<s>-00; {decision}"), "extracted{w3c}")]);
        let sampled = "traceparent: 00-<t>-<s>-01";
        check("{}", &[(&format!("{sampled}; {decision}"), sampled, "extracted{w3c}")]);
    }
    // A context without a span, which B3 cannot say.
    let gcp = "x-cloud-trace-context: <t>;o=1";
    let config = r#"{"extract": ["gcp", "b3"], "inject": ["b3"]}"#;
    check(config, &[(&format!("{gcp}; b3: 1"), gcp, "extracted{gcp}")]);
    check_counts(config, &[(&format!("{gcp}; b3: 1"), &["extracted gcp", "conflict b3"])]);
}

#[test]
fn of_several_decisions_the_first_counts() {
    let config = r#"{"extract": ["b3", "b3-multi"], "inject": []}"#;
    check(
        config,
        &[
            ("b3: 0; x-b3-sampled: 1", "b3: 0", "missing"),
            ("b3: 1; x-b3-flags: 1", "b3: 1", "missing"),
            ("b3: d; x-b3-sampled: 0", "b3: d", "missing"),
        ],
    );
    check_counts(config, &[("b3: 0; x-b3-sampled: 1", &["conflict b3-multi"])]);
    check_untouched(config, &[("b3: 0; x-b3-sampled: 0", "missing"), ("b3: d; x-b3-flags: 1", "missing")]);
    let config = r#"{"extract": ["b3", "b3-multi"], "generate": {"when_missing": true}}"#;
    let traceparent = "traceparent: 00-<new>-<new s>-0";
    check(
        config,
        &[
            ("b3: 0; x-b3-sampled: 1", &format!("b3: 0; {traceparent}2"), "generated"),
            ("b3: 0; x-b3-sampled: 0", &format!("b3: 0; x-b3-sampled: 0; {traceparent}2"), "generated"),
            ("b3: 1; x-b3-sampled: 0", &format!("{traceparent}3"), "generated"),
        ],
    );
    check_counts(config, &[("b3: 1; x-b3-sampled: 0", &["generated", "conflict b3", "conflict b3-multi"])]);
}

#[test]
fn a_decision_that_came_is_never_changed() {
    let config = r#"{"generate": {"sampling_percentage": 100}, "inject": ["w3c"]}"#;
    check(config, &[("b3: <t>-<s>-0", "b3: <t>-<s>-0; traceparent: 00-<t>-<s>-00", "extracted{b3}")]);
    let config = r#"{"generate": {"sampling_percentage": 0}, "inject": ["w3c"]}"#;
    check(config, &[("b3: <t>-<s>-1", "b3: <t>-<s>-1; traceparent: 00-<t>-<s>-01", "extracted{b3}")]);
    check_untouched(config, &[("traceparent: 00-<t>-<s>-01", "extracted{w3c}")]);
}

#[test]
fn a_decision_alone_invents_nothing() {
    check_untouched(
        r#"{"inject": ["w3c", "b3", "b3-multi"]}"#,
        &[
            ("b3: 0", "missing"),
            ("b3: 1", "missing"),
            ("x-b3-sampled: 0", "missing"),
            ("x-b3-flags: 1", "missing"),
        ],
    );
    check_counts("{}", &[("b3: 0", &[])]);
}

#[test]
fn a_new_trace_has_the_decision_that_came_alone() {
    let config = |percentage: u32| {
        format!(
            r#"{{"inject": ["w3c"], "generate": {{"when_missing": true, "sampling_percentage": {percentage}}}}}"#
        )
    };
    check(
        &config(100),
        &[
            ("b3: 0", "b3: 0; traceparent: 00-<new>-<new s>-02", "generated"),
            ("x-b3-sampled: false", "x-b3-sampled: false; traceparent: 00-<new>-<new s>-02", "generated"),
        ],
    );
    check(
        &config(0),
        &[
            ("b3: 1", "traceparent: 00-<new>-<new s>-03", "generated"),
            ("b3: d", "traceparent: 00-<new>-<new s>-03", "generated"),
        ],
    );
    check(
        r#"{"inject": ["b3", "b3-multi"], "generate": {"when_missing": true}}"#,
        &[(
            "x-b3-flags: 1",
            "b3: <new>-<new s>-d; x-b3-traceid: <new>; x-b3-spanid: <new s>; x-b3-flags: 1",
            "generated",
        )],
    );
}
