//! Parts that would decide, and a filter that would.

use super::{Gateway, check, check_counts, label};
use mesh_policy::verdict::Verdict;

/// Two rules and a split in shadow in front of ones that decide; a split behind them.
const PARTS: &str = r#"{"default": "v1",
    "rules": [
        {"name": "would", "match": {"headers": [{"name": "a", "present": true}]}, "variant": "v2", "mode": "shadow"},
        {"name": "might", "match": {"headers": [{"name": "a", "present": true}]}, "variant": "v3", "mode": "shadow"},
        {"name": "does", "match": {"headers": [{"name": "b", "present": true}]}, "variant": "v4"},
        {"name": "late", "match": {"headers": [{"name": "b", "present": true}]}, "variant": "v5", "mode": "shadow"}],
    "splits": [
        {"name": "first", "mode": "shadow", "match": {"headers": [{"name": "c", "present": true}]},
         "variants": [{"name": "v6", "weight": 1}, {"name": "v7", "weight": 0}]},
        {"name": "second", "match": {"headers": [{"name": "c", "present": true}]},
         "variants": [{"name": "v8", "weight": 1}, {"name": "v9", "weight": 0}]}]}"#;

#[test]
fn a_part_in_shadow_decides_nothing_and_the_search_goes_on() {
    check(
        PARTS,
        &[
            // What would have decided first is recorded.
            ("a: 1; b: 1; c: 1", "shadow{would}:v2", "v4"),
            ("a: 1; c: 1", "shadow{would}:v2", "v8"),
            ("a: 1", "shadow{would}:v2", "v1"),
            ("b: 1; c: 1", "rule{does}:v4", "v4"),
            ("c: 1", "shadow{first}:v6", "v8"),
            ("", "default:v1", "v1"),
        ],
    );
}

#[test]
fn a_part_in_shadow_is_counted_where_it_would_have_decided() {
    check_counts(
        PARTS,
        &[
            ("a: 1; b: 1", &["decisions rule does", "decisions shadow would", "decisions shadow might"]),
            ("b: 1", &["decisions rule does"]),
            ("c: 1", &["decisions split second", "decisions shadow first"]),
            (
                "a: 1; c: 1",
                &[
                    "decisions split second",
                    "decisions shadow would",
                    "decisions shadow might",
                    "decisions shadow first",
                ],
            ),
            ("", &["decisions default v1"]),
        ],
    );
}

/// Behind an override nothing would have decided.
#[test]
fn an_override_leaves_nothing_to_shadow_parts() {
    let config = PARTS.replacen('{', r#"{"trusted_override": {"header": "o", "match": {}}, "#, 1);
    check(&config, &[("o: v9; a: 1; c: 1", "override:v9", "v9")]);
    check_counts(&config, &[("o: v9; a: 1; c: 1", &["decisions override v9"])]);
}

#[test]
fn a_split_in_shadow_is_not_observed_and_sets_no_cookie() {
    let config = r#"{"split": {"name": "s", "mode": "shadow", "sticky": [{"cookie": "c"}], "assign_cookie": {"name": "c"},
        "variants": [{"name": "v1", "weight": 1}, {"name": "v2", "weight": 0}]},
        "guard": {"variant": "v2", "max_error_percentage": 5}}"#;
    let gateway = Gateway::new(config);
    let verdict = gateway.decide("");
    assert_eq!(label(&verdict), "shadow{s}:v1");
    assert!(verdict.observation.is_none() && verdict.response.is_empty());
    assert_eq!(
        gateway.counted(&verdict),
        ["decisions default none", "decisions shadow s", "identity_missing s"]
    );
    // Its guard has nothing to count, so it looks at nothing either.
    assert_eq!(gateway.host.borrow().asked, [1, 0, 0, 0]);
}

/// Nothing but counters and the log.
fn changes_nothing(verdict: &Verdict<'_, super::super::Metric>) -> bool {
    let Verdict {
        refusal,
        filter_state,
        logged,
        request,
        response,
        claims,
        observation,
        warnings,
        counts: _,
        decision: _,
    } = verdict;
    refusal.is_none()
        && filter_state.is_none()
        && logged.is_none()
        && request.is_empty()
        && response.is_empty()
        && claims.is_none()
        && observation.is_none()
        && warnings.is_empty()
}

const OUTPUT: &str = r#""output": {"header": "h", "filter_state": "f", "response_header": "r"}, "#;

#[test]
fn a_filter_in_shadow_decides_and_changes_nothing() {
    for (headers, expected_label, count) in [
        ("b: 1", "shadow{does}:v4", "decisions shadow does"),
        ("c: 1", "shadow{first}:v6", "decisions shadow second"),
        ("o: v9", "shadow:v9", "decisions shadow v9"),
        ("", "shadow:v1", "decisions shadow v1"),
    ] {
        let config = PARTS.replacen(
            '{',
            &format!(
                r#"{{"mode": "shadow", {OUTPUT} "trusted_override": {{"header": "o", "match": {{}}}}, "#
            ),
            1,
        );
        let gateway = Gateway::new(&config);
        let verdict = gateway.decide(headers);
        assert_eq!(label(&verdict), expected_label, "{headers}");
        assert_eq!(gateway.counted(&verdict)[0], count, "{headers}");
        assert!(changes_nothing(&verdict), "{verdict:?}");
    }
}

#[test]
fn a_client_s_own_output_is_counted_in_every_mode() {
    use mesh_policy::headers::Headers;
    for mode in ["enforce", "shadow"] {
        let gateway = Gateway::new(&format!(r#"{{"mode": "{mode}"}}"#));
        let verdict = gateway.decide("x_mesh_variant: v2");
        assert!(gateway.counted(&verdict).contains(&"header_removed".to_owned()), "{mode}");
    }
    let gateway = Gateway::new(r#"{"mode": "off", "rules": [{"name": "r", "variant": "v2"}]}"#);
    let verdict = gateway.pass_by(&Headers::from_pairs([("x_mesh_variant", "v2")]));
    assert_eq!(gateway.counted(&verdict), ["header_removed"]);
    assert!(changes_nothing(&verdict) && verdict.decision.is_none());
    assert!(gateway.pass_by(&Headers::EMPTY).counts.is_empty());
}
