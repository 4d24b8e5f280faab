//! Which part of a config decides.

use super::{ALL_V2, check, check_counts};

/// An override, two rules, two splits and a default.
const CONFIG: &str = r#"{"default": "v1", "trusted_override": {"header": "x-force", "match": {}},
            "rules": [
                {"name": "testers", "match": {"headers": [{"name": "canary", "exact": "true"}]}, "variant": "v2"},
                {"name": "beta", "match": {"headers": [{"name": "beta", "present": true}]}, "variant": "v3"}],
            "splits": [
                {"name": "a", "match": {"path": {"prefix": "/a/"}},
                  "variants": [{"name": "a1", "weight": 1}, {"name": "a2", "weight": 0}]},
                {"name": "b", "match": {"headers": [{"name": "b", "present": true}]},
                  "variants": [{"name": "b1", "weight": 0}, {"name": "b2", "weight": 1}]}]}"#;

#[test]
fn the_first_of_override_rule_split_and_default_decides() {
    check(
        CONFIG,
        &[
            ("x-force: v3; canary: true; beta: 1; :path: /a/; b: 1", "override:v3", "v3"),
            ("canary: true; beta: 1; :path: /a/; b: 1", "rule{testers}:v2", "v2"),
            ("canary: false; beta: 1; :path: /a/; b: 1", "rule{beta}:v3", "v3"),
            (":path: /a/; b: 1", "split{a}:a1", "a1"),
            (":path: /; b: 1", "split{b}:b2", "b2"),
            (":path: /", "default:v1", "v1"),
        ],
    );
}

#[test]
fn each_decision_is_counted_once() {
    check_counts(
        CONFIG,
        &[
            ("x-force: v3; canary: true; b: 1", &["decisions override v3"]),
            ("canary: true; beta: 1", &["decisions rule testers"]),
            ("beta: 1", &["decisions rule beta"]),
            (":path: /a/", &["decisions split a"]),
            (":path: /; b: 1", &["decisions split b"]),
            (":path: /", &["decisions default v1"]),
        ],
    );
}

#[test]
fn a_rule_and_a_split_match_every_request_unless_they_say_which() {
    check(
        r#"{"rules": [{"name": "r", "variant": "v2"}]}"#,
        &[(":path: /", "rule{r}:v2", "v2"), ("", "rule{r}:v2", "v2")],
    );
    check(
        &format!(r#"{{"split": {ALL_V2}}}"#),
        &[(":path: /", "split{s}:v2", "v2"), ("", "split{s}:v2", "v2")],
    );
}

#[test]
fn without_a_default_there_may_be_no_variant() {
    check("", &[(":path: /", "default", "-")]);
    check_counts("", &[(":path: /", &["decisions default none"])]);
    check(r#"{"default": "v1"}"#, &[(":path: /", "default:v1", "v1")]);
}

/// Upstreams may read such a path in several ways, so neither of the two rules would be right for all of them.
#[test]
fn an_undecided_match_does_not_hold() {
    const PATH: &str = r#"{"path": {"prefix": "/checkout/"}}"#;
    let rules = |matches: &str| {
        format!(r#"{{"default": "v1", "rules": [{{"name": "r", "match": {matches}, "variant": "v2"}}]}}"#)
    };
    let split = |matches: &str| {
        format!(
            r#"{{"default": "v1", "split": {{"name": "r", "match": {matches},
                "variants": [{{"name": "v1", "weight": 0}}, {{"name": "v2", "weight": 1}}]}}}}"#
        )
    };
    let undecided = ":path: /a/../checkout/b";
    for (kind, config) in [("rule", &rules as &dyn Fn(&str) -> String), ("split", &split)] {
        let decided = format!("{kind}{{r}}:v2");
        check(&config(PATH), &[(":path: /checkout/b", &decided, "v2"), (undecided, "default:v1", "v1")]);
        let not = format!(r#"{{"not": {PATH}}}"#);
        check(&config(&not), &[(":path: /a", &decided, "v2"), (undecided, "default:v1", "v1")]);
    }
}

#[test]
fn parts_that_are_off_are_passed_over() {
    let config = format!(
        r#"{{"rules": [{{"name": "r", "variant": "v3", "mode": "off"}}],
            "splits": [{}, {ALL_V2}]}}"#,
        ALL_V2.replace(r#""name": "s","#, r#""name": "off", "mode": "off","#)
    );
    check(&config, &[("", "split{s}:v2", "v2")]);
    check_counts(&config, &[("", &["decisions split s"])]);
}

/// The header map is always fetched; everything else only where a part that is not off needs it.
#[test]
fn what_no_part_needs_is_not_fetched() {
    use mesh_policy::policy::Policy as _;
    let needs = |config: &str| super::Gateway::new(config).policy.needs().clone();
    let of = |mode: &str| {
        needs(&format!(
            r#"{{"rules": [{{"name": "r", "variant": "v2", "mode": "{mode}", "match": {{"client_ip": ["10.0.0.0/8"]}}}}],
                "split": {{"name": "s", "mode": "{mode}", "match": {{"principal": {{"prefix": "a"}}}}, "sticky": [{{"claim": "sub"}}],
                    "variants": [{{"name": "v1", "weight": 0}}, {{"name": "v2", "weight": 1}}]}}}}"#
        ))
    };
    for mode in ["enforce", "shadow"] {
        let needs = of(mode);
        assert!(needs.headers && needs.source && needs.principal && needs.claims, "{mode}");
    }
    assert_eq!(of("off"), needs(""));
    assert!(needs("").headers && !needs("").source);
    assert!(needs(r#"{"trusted_override": {"header": "a", "match": {"client_ip": ["10.0.0.0/8"]}}}"#).source);
}
