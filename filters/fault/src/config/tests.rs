//! Configs.

mod abort;
mod bounds;
mod delay;
mod distribution;
mod response;
mod rule;
mod trigger;

use super::{Config, Marker, parse};
use mesh_policy::client_ip::ClientIp;
use mesh_policy::headers::HeaderName;
use mesh_policy::mode::Mode;
use mesh_policy::preflight::CorsPreflight;
use mesh_policy::settings::{DecisionLog, Settings};

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

/// A config with one rule, of which only what matters is given.
fn rule(fields: &str) -> String {
    format!(r#"{{"rules": [{{"name": "r"{fields}}}]}}"#)
}

/// A fault, for rules in which it does not matter.
const ABORT: &str = r#", "abort": {"percentage": 1, "status": 503}"#;

/// The config of the contract, whole.
const CONTRACT: &str = include_str!("../../examples/everything.json");

#[test]
fn an_empty_config_is_valid_and_has_every_default() {
    let nulls = r#"{"mode": null, "cors_preflight": null, "max_active": null, "stack": null, "marker": null,
        "cohort": null, "trigger": null}"#;
    for config in ["", "{}", nulls] {
        let Config {
            settings,
            cors_preflight,
            expires_at,
            max_active,
            stack,
            exclude,
            budget,
            marker,
            cohort,
            trigger,
            rules,
        } = good(config);
        let Settings { mode, client_ip, decision_log } = settings;
        assert_eq!(
            (mode, client_ip, decision_log),
            (Mode::Enforce, ClientIp::default(), DecisionLog::Notable)
        );
        assert_eq!((cors_preflight, expires_at), (CorsPreflight::Allow, None));
        assert_eq!((max_active, stack, budget), (Some(200), false, None));
        let name = Some(header("x-mesh-fault"));
        assert_eq!(marker, Marker { request_header: name.clone(), response_header: name });
        assert!(exclude.is_none() && cohort.is_none() && trigger.is_none() && rules.is_empty());
    }
}

#[test]
fn the_contract_s_config_is_read() {
    let config = good(CONTRACT);
    assert_ne!(config.settings.client_ip, ClientIp::default());
    assert!(config.expires_at.is_some() && config.exclude.is_some() && config.budget.is_some());
    let cohort = config.cohort.unwrap();
    assert_eq!((cohort.by.len(), cohort.salt.as_str()), (1, "exp-1"));
    let trigger = config.trigger.unwrap();
    assert!(trigger.secret.matches(b"replace-me-3f9c1d"));
    let parts = |rule: &super::Rule| {
        let parts =
            [rule.delay.is_some(), rule.abort.is_some(), rule.response.is_some(), rule.throttle.is_some()];
        parts.map(|is_given| if is_given { 'x' } else { '-' }).iter().collect::<String>()
    };
    let rules: Vec<_> =
        config.rules.iter().map(|rule| (rule.name.as_str(), rule.mode, parts(rule))).collect();
    let expected = [
        ("chaos", Mode::Enforce, "xx--"),
        ("slow-tail", Mode::Shadow, "x---"),
        ("as-measured", Mode::Enforce, "--x-"),
        ("grpc-down", Mode::Enforce, "-x--"),
        ("under-load", Mode::Enforce, "-x--"),
        ("bad-answers", Mode::Enforce, "--x-"),
        ("thin-pipe", Mode::Enforce, "---x"),
    ];
    assert_eq!(rules, expected.map(|(name, mode, parts)| (name, mode, parts.to_owned())));
}

#[test]
fn every_mode_can_be_given() {
    for (word, mode) in [("enforce", Mode::Enforce), ("shadow", Mode::Shadow), ("off", Mode::Off)] {
        assert_eq!(good(&format!(r#"{{"mode": "{word}"}}"#)).settings.mode, mode);
        assert_eq!(good(&rule(&format!(r#"{ABORT}, "mode": "{word}""#))).rules[0].mode, mode);
    }
    // YAML makes a boolean of an unquoted `off`.
    assert_eq!(good(r#"{"mode": false}"#).settings.mode, Mode::Off);
    check(
        r#"{"mode": "of", "cors_preflight": "deny"}"#,
        "mode: found `of`, expected one of `enforce`, `shadow`, `off`; did you mean `off`?\n\
         cors_preflight: found `deny`, expected one of `allow`, `check`",
    );
}

/// It would make a rule for some requests one for all, or lift a bound.
#[test]
fn null_lifts_no_restriction() {
    const NULL: &str = "found null, expected a value; leave the field out for no restriction";
    check(
        r#"{"expires_at": null, "exclude": null, "budget": null, "rules": null}"#,
        &["expires_at", "exclude", "budget", "rules"].map(|name| format!("{name}: {NULL}")).join("\n"),
    );
    check(
        &rule(&format!(r#"{ABORT}, "match": null, "attempts": null, "in_flight": null"#)),
        &["match", "attempts", "in_flight"].map(|name| format!("rules[0].{name}: {NULL}")).join("\n"),
    );
}

#[test]
fn names_of_fields_may_be_camel_case() {
    let config = good(
        r#"{"clientIp": {"trustedHops": 1}, "corsPreflight": "check", "expiresAt": "2030-01-01T00:00:00Z", "maxActive": 7,
            "decisionLog": "all", "marker": {"requestHeader": "a", "responseHeader": "b"},
            "trigger": {"secretHeader": "c", "secret": "12345678", "maxDelay": "1s"},
            "rules": [{"name": "r", "inFlight": {"atLeast": 1},
                "abort": {"percentage": 1, "grpcStatus": 14, "body": "x", "contentType": "a/b"},
                "response": {"percentage": 1, "delay": {"fixed": "1s", "countedFrom": "request"}, "removeHeaders": ["etag"],
                    "truncateBody": 1},
                "throttle": {"percentage": 1, "bytesPerSecond": 1}}]}"#,
    );
    assert_eq!((config.max_active, config.cors_preflight), (Some(7), CorsPreflight::Check));
    assert_eq!(config.marker.request_header, Some(header("a")));
    check(r#"{"maxActive": 1, "max_active": 2}"#, "max_active: found twice, expected once");
}

#[test]
fn an_unknown_field_gets_a_suggestion() {
    check(r#"{"fault": {}}"#, "fault: unknown field, did you mean `rules`?");
    check(r#"{"faults": []}"#, "faults: unknown field, did you mean `rules`?");
    check(r#"{"max_active_faults": 5}"#, "max_active_faults: unknown field, did you mean `max_active`?");
    check(
        &rule(&format!(r#"{ABORT}, "headers": []"#)),
        "rules[0].headers: unknown field, did you mean `match.headers`?",
    );
    check(
        &rule(&format!(r#"{ABORT}, "response_rate_limit": {{}}"#)),
        "rules[0].response_rate_limit: unknown field, did you mean `throttle`?",
    );
    check(
        &rule(r#", "delay": {"percentage": 1, "fixed": "1s", "fixed_delay": "1s"}"#),
        "rules[0].delay.fixed_delay: unknown field, did you mean `fixed`?",
    );
    check(
        &rule(r#", "abort": {"percentage": 1, "status": 503, "http_status": 503}"#),
        "rules[0].abort.http_status: unknown field, did you mean `status`?",
    );
    check(r#"{"exlude": {}}"#, "exlude: unknown field, did you mean `exclude`?");
    check(
        r#"{"on_error": "deny"}"#,
        "on_error: unknown field, expected one of `mode`, `client_ip`, `decision_log`, `cors_preflight`, `expires_at`, \
         `max_active`, `stack`, `exclude`, `budget`, `marker`, `cohort`, `trigger`, `rules`",
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    check(
        r#"{"mode": "enforced", "max_active": -1, "budget": {"percentage": 101},
            "trigger": {"secret": "short"},
            "rules": [{"name": "a b", "delay": {"percentage": "5%", "fixed": "1s"}},
                {"name": "r", "abort": {"status": 99}, "match": {"path": {"prefx": "/"}}},
                {"name": "r"}]}"#,
        "mode: found `enforced`, expected one of `enforce`, `shadow`, `off`; did you mean `enforce`?\n\
         max_active: found -1, expected an integer from 0 to 100000\n\
         budget.percentage: found 101, expected a number from 0 to 100\n\
         trigger.secret: not a secret, expected a string of 8 to 256 bytes that a header can carry, without spaces at its ends\n\
         rules[0].name: found `a b`, expected 1 to 64 letters, digits, `_`, `-` or `.`\n\
         rules[0].delay.percentage: found `5%`, expected a number from 0 to 100\n\
         rules[1].match.path.prefx: unknown field, did you mean `prefix`?\n\
         rules[1].abort.percentage: missing\n\
         rules[1].abort.status: found 99, expected an integer from 200 to 599\n\
         rules[2]: found none, expected one of `delay`, `abort`, `response`, `throttle`\n\
         rules[2].name: found `r`, expected a name that no other rule has",
    );
}

/// Headers that are removed before a rule sees the request.
#[test]
fn a_header_that_is_removed_decides_nothing() {
    const MESSAGE: &str = "found `trigger.header` or `trigger.secret_header`, which the filter removes before, expected another header";
    let on = |name: &str| format!(r#"{{"headers": [{{"name": "{name}", "present": true}}]}}"#);
    let with = |fields: &str| format!(r#"{{"trigger": {{"secret": "12345678"}}{fields}}}"#);
    let matching =
        |matches: &str| with(&format!(r#", "rules": [{{"name": "r"{ABORT}, "match": {matches}}}]"#));
    let path = |path: &str| format!("{path}: {MESSAGE}");
    check(&matching(&on("x-fault")), &path("rules[0].match"));
    check(&matching(&on("x_fault_key")), &path("rules[0].match"));
    check(&matching(&on("x-faults")), "");
    check(&matching(&format!(r#"{{"not": {{"any": [{}]}}}}"#, on("X-Fault"))), &path("rules[0].match"));
    check(&with(&format!(r#", "exclude": {}"#, on("x-fault"))), &path("exclude"));
    check(&with(r#", "cohort": {"by": ["path", {"header": "x-fault-key"}]}"#), &path("cohort.by"));
    check(&with(r#", "cohort": {"by": [{"cookie": "x-fault"}]}"#), "");
    check(&with(r#", "marker": {"request_header": "x.fault"}"#), &path("marker.request_header"));
    // Only requests lose them.
    check(&with(r#", "marker": {"response_header": "x-fault"}"#), "");
    // Without a trigger they are headers like others.
    check(&format!(r#"{{"exclude": {}}}"#, on("x-fault")), "");
    check(
        &with(&format!(
            r#", "exclude": {0}, "cohort": {{"by": [{{"header": "x-fault"}}]}}, "marker": {{"request_header": "x-fault-key"}},
                "rules": [{{"name": "a"{ABORT}}}, {{"name": "b"{ABORT}, "match": {0}}}]"#,
            on("x-fault")
        )),
        &["exclude", "cohort.by", "marker.request_header", "rules[1].match"].map(path).join("\n"),
    );
}

#[test]
fn faults_that_requests_ask_for_have_a_name_of_their_own() {
    let config =
        |top: &str| format!(r#"{{{top}"rules": [{{"name": "a"{ABORT}}}, {{"name": "trigger"{ABORT}}}]}}"#);
    check(&config(""), "");
    check(
        &config(r#""trigger": {"secret": "12345678"}, "#),
        "rules[1].name: found `trigger`, expected another name: faults that requests ask for have this one",
    );
}
