mod guard;
mod output;
mod rollout;
mod route;
mod split;
mod splits;

use super::{Config, Output, Rule, parse};
use mesh_policy::client_ip::ClientIp;
use mesh_policy::facts::Needs;
use mesh_policy::headers::HeaderName;
use mesh_policy::mode::Mode;
use mesh_policy::on_error::OnError;
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
    format!(r#"{{"rules": [{{"name": "r", "variant": "v2"{fields}}}]}}"#)
}

/// Two variants of equal weight.
const VARIANTS: &str = r#""variants": [{"name": "v1", "weight": 1}, {"name": "v2", "weight": 1}]"#;

/// The config of the contract, whole.
const CONTRACT: &str = r#"{
  "mode": "enforce", "client_ip": {"trusted_hops": 1}, "on_error": "allow", "default": "v1",
  "output": {"header": "x-mesh-variant", "filter_state": "variant", "response_header": "x-served-variant"},
  "trusted_override": {"header": "x-force-variant", "match": {"client_ip": ["10.0.0.0/8"]}},
  "rules": [
    {"name": "testers", "match": {"headers": [{"name": "canary", "exact": "true"}]}, "variant": "v2"},
    {"name": "premium", "match": {"cookies": [{"name": "session", "exact": "premium"}]}, "variant": "premium-ui", "mode": "shadow"}
  ],
  "split": {
    "name": "checkout-2026-11", "match": {"path": {"prefix": "/checkout"}},
    "sticky": [{"header": "x-user-id"}, {"claim": "sub"}, {"cookie": "mesh-uid"}],
    "assign_cookie": {"name": "mesh-uid", "max_age": "30d", "path": "/", "same_site": "lax", "secure": true, "http_only": true},
    "variants": [{"name": "v1", "weight": 90}, {"name": "v2", "weight": 10}]
  },
  "rollout": {"variant": "v2", "start": "2026-11-20T10:00:00Z",
              "steps": [{"percentage": 10, "for": "5m"}, {"percentage": 25, "for": "5m"}, {"percentage": 50, "for": "5m"}, {"percentage": 100}]},
  "guard": {"variant": "v2", "baseline": "v1", "max_error_percentage": 5, "max_error_ratio": 2, "max_p95_ratio": 1.5,
            "min_requests": 100, "window": "1m", "hold": "10m", "max_trips": 3, "fall_back_to": "v1"}
}"#;

#[test]
fn an_empty_config_is_valid_and_has_every_default() {
    for config in
        ["", "{}", r#"{"default": null, "output": null, "trusted_override": null, "on_error": null}"#]
    {
        let Config { settings, on_error, default, output, trusted_override, rules, splits } = good(config);
        let Settings { mode, client_ip, decision_log } = settings;
        assert_eq!((mode, client_ip), (Mode::Enforce, ClientIp::default()));
        assert_eq!((decision_log, on_error), (DecisionLog::Notable, OnError::Allow));
        assert_eq!(default, None);
        let expected =
            Output { header: Some(header("x-mesh-variant")), filter_state: None, response_header: None };
        assert_eq!(output, expected);
        assert!(trusted_override.is_none() && rules.is_empty() && splits.0.is_empty());
    }
}

#[test]
fn a_rule_has_every_default() {
    let config = good(&rule(""));
    let [Rule { name, matches, variant, mode }] = config.rules.as_slice() else { panic!("one rule") };
    assert_eq!((name.as_str(), variant.as_str(), *mode), ("r", "v2", Mode::Enforce));
    assert_eq!(matches.needs(), Needs::default());
}

#[test]
fn the_contract_s_config_is_read() {
    let config = good(CONTRACT);
    assert_ne!(config.settings.client_ip, ClientIp::default());
    assert_eq!(config.default.as_deref(), Some("v1"));
    let modes: Vec<_> = config.rules.iter().map(|rule| (rule.name.as_str(), rule.mode)).collect();
    assert_eq!(modes, [("testers", Mode::Enforce), ("premium", Mode::Shadow)]);
    let [split] = config.splits.0.as_slice() else { panic!("one split") };
    assert_eq!((split.name.as_str(), split.sticky.len(), split.variants.len()), ("checkout-2026-11", 3, 2));
    assert!(split.assign_cookie.is_some() && split.rollout.is_some() && split.guard.is_some());
}

#[test]
fn every_mode_can_be_given() {
    for (word, mode) in [("enforce", Mode::Enforce), ("shadow", Mode::Shadow), ("off", Mode::Off)] {
        assert_eq!(good(&format!(r#"{{"mode": "{word}"}}"#)).settings.mode, mode);
        assert_eq!(good(&rule(&format!(r#", "mode": "{word}""#))).rules[0].mode, mode);
    }
    check(
        r#"{"mode": "of", "on_error": "ignore"}"#,
        "mode: found `of`, expected one of `enforce`, `shadow`, `off`; did you mean `off`?\n\
         on_error: found `ignore`, expected one of `allow`, `deny`",
    );
    assert_eq!(good(r#"{"on_error": "deny"}"#).on_error, OnError::Deny);
}

/// YAML makes a boolean of an unquoted `off`.
#[test]
fn false_is_off() {
    assert_eq!(good(r#"{"mode": false}"#).settings.mode, Mode::Off);
}

#[test]
fn a_variant_s_name_is_plain() {
    const EXPECTED: &str = "expected 1 to 64 letters, digits, `_`, `-` or `.`";
    for name in ["v2", "V_2.0-rc", "0", &"a".repeat(64)] {
        assert_eq!(good(&format!(r#"{{"default": "{name}"}}"#)).default.as_deref(), Some(name));
    }
    check(r#"{"default": "v 2"}"#, &format!("default: found `v 2`, {EXPECTED}"));
    check(r#"{"default": ""}"#, &format!("default: found ``, {EXPECTED}"));
    check(&format!(r#"{{"default": "{}"}}"#, "é".repeat(4)), &format!("default: found `éééé`, {EXPECTED}"));
    check(r#"{"default": 2}"#, "default: found 2, expected a string");
    let long = "a".repeat(65);
    assert!(parse(format!(r#"{{"default": "{long}"}}"#).as_bytes()).is_err());
    check(
        r#"{"rules": [{"name": "a/b", "variant": "v{2}"}]}"#,
        &format!("rules[0].name: found `a/b`, {EXPECTED}\nrules[0].variant: found `v{{2}}`, {EXPECTED}"),
    );
}

#[test]
fn a_rule_needs_name_and_variant() {
    check(r#"{"rules": [{}]}"#, "rules[0].name: missing\nrules[0].variant: missing");
    check(
        r#"{"rules": [{"name": null, "variant": null}]}"#,
        "rules[0].name: missing\nrules[0].variant: missing",
    );
}

#[test]
fn names_of_rules_differ() {
    check(
        r#"{"rules": [{"name": "a", "variant": "v1"}, {"name": "b", "variant": "v1"}, {"name": "a", "variant": "v2"}]}"#,
        "rules[2].name: found `a`, expected a name that no other rule has",
    );
}

#[test]
fn rules_are_256_at_most() {
    let rules = |number: usize| {
        let rules: Vec<_> =
            (0..number).map(|index| format!(r#"{{"name": "{index}", "variant": "v2"}}"#)).collect();
        format!(r#"{{"rules": [{}]}}"#, rules.join(", "))
    };
    assert_eq!(good(&rules(256)).rules.len(), 256);
    check(&rules(257), "rules: found 257 rules, expected at most 256");
}

/// It would make a rule for some requests one for all.
#[test]
fn null_lifts_no_restriction() {
    const NULL: &str = "found null, expected a value; leave the field out for no restriction";
    check(&rule(r#", "match": null"#), &format!("rules[0].match: {NULL}"));
    check(
        r#"{"rules": null, "splits": null, "split": null, "rollout": null, "guard": null}"#,
        &["rules", "splits", "split", "rollout", "guard"].map(|name| format!("{name}: {NULL}")).join("\n"),
    );
}

#[test]
fn names_of_fields_may_be_camel_case() {
    let config = good(&format!(
        r#"{{"clientIp": {{"trustedHops": 1}}, "onError": "deny", "decisionLog": "all",
            "output": {{"filterState": "variant", "responseHeader": "x-served-variant"}},
            "trustedOverride": {{"header": "x-force", "match": {{}}}},
            "split": {{"name": "s", "sticky": [{{"cookie": "c"}}], "assignCookie": {{"name": "c", "maxAge": "1d"}}, {VARIANTS}}},
            "guard": {{"variant": "v2", "maxErrorPercentage": 5, "maxErrorRatio": 2, "maxP95Ratio": 1.5,
                       "minRequests": 10, "maxTrips": 1, "fallBackTo": "v1"}}}}"#
    ));
    assert_eq!(config.on_error, OnError::Deny);
    assert_eq!(config.output.filter_state.as_deref(), Some("variant"));
    assert!(config.trusted_override.is_some());
    let guard = config.splits.0[0].guard.as_ref().unwrap();
    assert_eq!((guard.min_requests, guard.limits.max_p95_ratio), (10, Some(1.5)));
    check(r#"{"onError": "deny", "on_error": "allow"}"#, "on_error: found twice, expected once");
}

#[test]
fn an_unknown_field_is_one_that_another_product_has() {
    check(r#"{"routes": []}"#, "routes: unknown field, did you mean `rules`?");
    check(r#"{"variants": []}"#, "variants: unknown field, did you mean `split.variants`?");
    check(r#"{"steps": []}"#, "steps: unknown field, did you mean `rollout.steps`?");
    check(&rule(r#", "subset": "v2""#), "rules[0].subset: unknown field, did you mean `variant`?");
    check(&rule(r#", "destination": "v2""#), "rules[0].destination: unknown field, did you mean `variant`?");
    check(r#"{"defualt": "v1"}"#, "defualt: unknown field, did you mean `default`?");
    check(
        r#"{"cors_preflight": "allow"}"#,
        "cors_preflight: unknown field, expected one of `mode`, `client_ip`, `decision_log`, `on_error`, `default`, \
         `output`, `trusted_override`, `rules`, `splits`, `split`, `rollout`, `guard`",
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    check(
        &format!(
            r#"{{"mode": "enforced", "rules": [{{"name": "r", "variant": "v2", "match": {{"path": {{"prefx": "/"}}}}}}],
                "split": {{"name": "s", {VARIANTS}}}, "rollout": {{"variant": "v3"}}, "guard": {{"variant": "v2"}}}}"#
        ),
        "mode: found `enforced`, expected one of `enforce`, `shadow`, `off`; did you mean `enforce`?\n\
         rules[0].match.path.prefx: unknown field, did you mean `prefix`?\n\
         rollout.variant: found `v3`, expected a variant of the split\n\
         rollout.start: missing\n\
         rollout.steps: missing\n\
         guard: found none, expected one of `max_error_percentage`, `max_error_ratio`, `max_p95_ratio`",
    );
}

/// Headers that are removed before a rule or a split sees the request.
#[test]
fn a_header_that_is_removed_decides_nothing() {
    const MESSAGE: &str = "found `output.header` or `trusted_override.header`, which the filter removes before, expected another header";
    let canary = r#""output": {"header": "canary"}"#;
    let on = |name: &str| format!(r#""match": {{"headers": [{{"name": "{name}", "present": true}}]}}"#);
    let with_rule = |top: &str, matches: &str| {
        format!(r#"{{{top}, "rules": [{{"name": "r", "variant": "v2", {matches}}}]}}"#)
    };
    let path = |path: &str| format!("{path}: {MESSAGE}");
    check(&with_rule(canary, &on("canary")), &path("rules[0].match"));
    check(&with_rule(canary, &on("canaries")), "");
    check(&with_rule(r#""mode": "enforce""#, &on("x_mesh_variant")), &path("rules[0].match"));
    let within = r#""match": {"not": {"any": [{"headers": [{"name": "Canary", "exact": "1"}]}]}}"#;
    check(&with_rule(canary, within), &path("rules[0].match"));
    let split =
        format!(r#""split": {{"name": "s", {}, {VARIANTS}, "sticky": [{{"header": "x-f"}}]}}"#, on("x-f"));
    let trusted = format!(r#""trusted_override": {{"header": "x-f", {}}}"#, on("x-f"));
    check(
        &format!("{{{trusted}, {split}}}"),
        &[path("split.match"), path("split.sticky"), path("trusted_override.match")].join("\n"),
    );
    let several = format!(r#""splits": [{{"name": "s", {}, {VARIANTS}}}]"#, on("canary"));
    check(&format!("{{{canary}, {several}}}"), &path("splits[0].match"));
    check(&format!(r#"{{"output": {{"filter_state": "v"}}, {several}}}"#), "");
}
