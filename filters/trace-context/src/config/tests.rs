//! Configs.

mod baggage;
mod correlate;
mod formats;
mod generate;
mod native_tracer;

use super::{Boundary, Config, Direction, parse};
use crate::format::Format;
use mesh_policy::client_ip::ClientIp;
use mesh_policy::headers::HeaderName;
use mesh_policy::mode::Mode;
use mesh_policy::percent::Percentage;
use mesh_policy::settings::{DecisionLog, Settings};
use std::time::Duration;

/// What is wrong with a config: nothing, or one line a problem.
#[track_caller]
fn check(config: &str, expected_problems: &str) {
    let problems = parse(config.as_bytes()).err().map(|problems| problems.to_string());
    assert_eq!(problems.unwrap_or_default(), expected_problems, "{config}");
}

#[track_caller]
fn good(config: &str) -> Config {
    parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{config}\n{problems}"))
}

fn header(name: &str) -> HeaderName {
    HeaderName::new(name).unwrap()
}

fn percent(percentage: u32) -> Percentage {
    Percentage::from_parts_per_million(percentage * 10_000).unwrap()
}

/// The config of the contract, whole.
const CONTRACT: &str = include_str!("../../examples/everything.json");

#[test]
fn an_empty_config_is_valid_and_has_every_default() {
    let nulls = r#"{"mode": null, "client_ip": null, "decision_log": null, "extract": null, "inject": null,
        "native_tracer": null, "boundary": null, "generate": null, "response": null, "correlate": null,
        "log_trace_id": null}"#;
    for config in ["", "{}", nulls] {
        let Config {
            settings,
            extract,
            inject,
            native_tracer,
            boundary,
            generate,
            baggage,
            response,
            correlate,
            log_trace_id,
        } = good(config);
        let Settings { mode, client_ip, decision_log } = settings;
        assert_eq!(
            (mode, client_ip, decision_log),
            (Mode::Enforce, ClientIp::default(), DecisionLog::Notable)
        );
        assert_eq!(extract, [Format::W3c, Format::B3, Format::B3Multi]);
        assert_eq!((inject, native_tracer), (vec![Format::W3c], vec![]));
        assert_eq!(boundary, Boundary::Continue);
        assert_eq!((generate.when_missing, generate.sampling_percentage), (false, percent(1)));
        assert!(generate.sampling_rules.is_empty() && baggage.is_none() && correlate.is_none());
        assert_eq!((response.header, log_trace_id), (None, false));
    }
}

#[test]
fn the_contract_s_config_is_read() {
    let config = good(CONTRACT);
    assert_eq!(config.settings.mode, Mode::Enforce);
    assert_ne!(config.settings.client_ip, ClientIp::default());
    assert_eq!(config.extract, Format::ALL);
    assert_eq!(config.inject, [Format::W3c, Format::B3Multi]);
    assert_eq!((config.native_tracer.len(), config.boundary), (0, Boundary::Continue));

    let generate = config.generate;
    assert_eq!((generate.when_missing, generate.sampling_percentage), (true, percent(1)));
    let rules: Vec<_> = generate.sampling_rules.iter().map(|rule| rule.sampling_percentage).collect();
    assert_eq!(rules, [percent(100)]);

    let baggage = config.baggage.unwrap();
    assert_eq!((baggage.max_members, baggage.max_bytes), (64, 8192));
    let passes = |key: &str| baggage.allow.iter().flatten().any(|test| test.is_match(key.as_bytes()));
    assert_eq!(["tenant", "mesh-route", "user"].map(passes), [true, true, false]);
    assert_eq!(baggage.set.iter().map(|set| set.key.as_str()).collect::<Vec<_>>(), ["tenant"]);

    assert_eq!(config.response.header, Some(header("x-trace-id")));
    let correlate = config.correlate.unwrap();
    assert_eq!((&correlate.by, correlate.direction), (&header("x-request-id"), Direction::Auto));
    let carry = ["traceparent", "tracestate", "baggage", "x-mesh-variant", "x-ot-span-context"].map(header);
    assert_eq!(correlate.carry.unwrap(), carry);
    assert_eq!((correlate.ttl, correlate.capacity), (Duration::from_secs(30), 16384));
    assert_eq!((correlate.max_value_bytes, correlate.max_entry_bytes), (1024, 2048));
}

#[test]
fn every_mode_and_boundary_can_be_given() {
    for (word, mode) in [("enforce", Mode::Enforce), ("shadow", Mode::Shadow), ("off", Mode::Off)] {
        assert_eq!(good(&format!(r#"{{"mode": "{word}"}}"#)).settings.mode, mode);
    }
    // YAML makes a boolean of an unquoted `off`.
    assert_eq!(good(r#"{"mode": false}"#).settings.mode, Mode::Off);
    let boundaries =
        [("continue", Boundary::Continue), ("restart", Boundary::Restart), ("strip", Boundary::Strip)];
    for (word, boundary) in boundaries {
        assert_eq!(good(&format!(r#"{{"boundary": "{word}"}}"#)).boundary, boundary);
    }
    check(
        r#"{"mode": "of", "boundary": "stripped"}"#,
        "mode: found `of`, expected one of `enforce`, `shadow`, `off`; did you mean `off`?\n\
         boundary: found `stripped`, expected one of `continue`, `restart`, `strip`",
    );
}

#[test]
fn the_trace_id_has_a_response_header_and_a_place_in_the_log_if_wanted() {
    let config = good(r#"{"response": {"header": "X-Trace-Id"}, "log_trace_id": true}"#);
    assert_eq!((config.response.header, config.log_trace_id), (Some(header("x-trace-id")), true));
    assert_eq!(good(r#"{"response": {}}"#).response.header, None);
    check(
        r#"{"response": {"header": "x trace"}, "log_trace_id": "yes"}"#,
        "response.header: found `x trace`, expected a header name\n\
         log_trace_id: found `yes`, expected true or false",
    );
    const OTHER: &str =
        "expected another header: the connection, the client or another filter depends on this one";
    for name in ["content-length", "set-cookie"] {
        check(
            &format!(r#"{{"response": {{"header": "{name}"}}}}"#),
            &format!("response.header: found `{name}`, {OTHER}"),
        );
    }
}

/// Without these fields more would pass than with them.
#[test]
fn null_lifts_no_restriction() {
    const NULL: &str = "found null, expected a value; leave the field out for no restriction";
    check(r#"{"baggage": null}"#, &format!("baggage: {NULL}"));
    check(r#"{"baggage": {"allow": null}}"#, &format!("baggage.allow: {NULL}"));
    check(
        r#"{"generate": {"sampling_rules": [{"match": null, "sampling_percentage": 1}]}}"#,
        &format!("generate.sampling_rules[0].match: {NULL}"),
    );
}

#[test]
fn names_of_fields_may_be_camel_case() {
    let config = good(
        r#"{"clientIp": {"trustedHops": 1}, "decisionLog": "all", "nativeTracer": ["xray"], "logTraceId": true,
            "generate": {"whenMissing": false, "samplingPercentage": 5,
                "samplingRules": [{"match": {}, "samplingPercentage": 10}]},
            "baggage": {"maxMembers": 7, "maxBytes": 9},
            "correlate": {"maxValueBytes": 100, "maxEntryBytes": 200}}"#,
    );
    assert_eq!((config.native_tracer, config.log_trace_id), (vec![Format::Xray], true));
    assert_eq!(config.generate.sampling_rules[0].sampling_percentage, percent(10));
    let (baggage, correlate) = (config.baggage.unwrap(), config.correlate.unwrap());
    assert_eq!((baggage.max_members, baggage.max_bytes), (7, 9));
    assert_eq!((correlate.max_value_bytes, correlate.max_entry_bytes), (100, 200));
    check(
        r#"{"nativeTracer": ["w3c"], "native_tracer": ["b3"]}"#,
        "native_tracer: found twice, expected once",
    );
}

#[test]
fn an_unknown_field_is_one_that_another_product_has() {
    check(r#"{"propagators": ["w3c"]}"#, "propagators: unknown field, did you mean `extract`?");
    check(r#"{"propagation": {}}"#, "propagation: unknown field, did you mean `extract`?");
    check(r#"{"extracts": []}"#, "extracts: unknown field, did you mean `extract`?");
    check(
        r#"{"generate": {"when": true}}"#,
        "generate.when: unknown field, expected one of `when_missing`, `sampling_percentage`, `sampling_rules`",
    );
    // There is none: a request that cannot be read passes untouched.
    check(
        r#"{"on_error": "deny"}"#,
        "on_error: unknown field, expected one of `mode`, `client_ip`, `decision_log`, `extract`, `inject`, `native_tracer`, \
         `boundary`, `generate`, `baggage`, `response`, `correlate`, `log_trace_id`",
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    check(
        r#"{"mode": "enforced", "extract": ["w3c", "zipkin"], "native_tracer": ["w3c"], "boundary": "restart",
            "generate": {"when_missing": true, "sampling_percentage": 101},
            "baggage": {"max_members": 0, "set": [{"key": "a b"}]},
            "correlate": {"ttl": "1ms", "capacity": 1}}"#,
        "mode: found `enforced`, expected one of `enforce`, `shadow`, `off`; did you mean `enforce`?\n\
         extract[1]: found `zipkin`, expected one of `w3c`, `b3`, `b3-multi`, `jaeger`, `datadog`, `xray`, `gcp`\n\
         generate.sampling_percentage: found 101, expected a number from 0 to 100\n\
         baggage.max_members: found 0, expected an integer from 1 to 180\n\
         baggage.set[0].key: found `a b`, expected a key: letters, digits and !#$%&'*+.^_`|~-\n\
         baggage.set[0].from: missing\n\
         correlate.ttl: found `1ms`, expected a duration from 1s to 10m, as \"250ms\", \"1m\" or \"1h30m\"\n\
         correlate.capacity: found 1, expected an integer from 64 to 1048576",
    );
}
