//! The schedule of a split.

use super::super::{Rollout, Step};
use super::{VARIANTS, check, good};
use mesh_policy::percent::Percentage;
use std::time::Duration;

/// A config with this rollout of a split of v1 and v2.
fn with(rollout: &str) -> String {
    format!(r#"{{"split": {{"name": "s", {VARIANTS}}}, "rollout": {rollout}}}"#)
}

/// A config with a rollout of these steps: percentages and durations.
fn stepped(steps: &[(&str, Option<&str>)]) -> String {
    let step = |(percentage, lasts): &(&str, Option<&str>)| {
        let lasts = lasts.map(|lasts| format!(r#", "for": "{lasts}""#)).unwrap_or_default();
        format!(r#"{{"percentage": {percentage}{lasts}}}"#)
    };
    let steps: Vec<_> = steps.iter().map(step).collect();
    with(&format!(r#"{{"variant": "v2", "start": "2026-11-20T10:00:00Z", "steps": [{}]}}"#, steps.join(", ")))
}

#[test]
fn a_rollout_is_read() {
    let config = good(&stepped(&[("10", Some("5m")), ("25.5", Some("1d")), ("100", None)]));
    let step = |parts: u32, lasts: Option<u64>| Step {
        percentage: Percentage::from_parts_per_million(parts).unwrap(),
        lasts: lasts.map(Duration::from_secs),
    };
    let expected = Rollout {
        variant: "v2".to_owned(),
        start: Duration::from_secs(1_795_168_800),
        steps: vec![step(100_000, Some(300)), step(255_000, Some(86_400)), step(1_000_000, None)],
    };
    assert_eq!(config.splits.0[0].rollout, Some(expected));
}

#[test]
fn every_field_is_required() {
    check(&with("{}"), "rollout.variant: missing\nrollout.start: missing\nrollout.steps: missing");
    check(
        &with(r#"{"variant": "v2", "start": "2026-11-20T10:00:00Z", "steps": [{}]}"#),
        "rollout.steps[0].percentage: missing",
    );
}

#[test]
fn a_rollout_is_of_a_variant_beside_which_others_have_a_weight() {
    let of = |variant: &str, weights: [u32; 3]| {
        let [a, b, c] = weights;
        format!(
            r#"{{"split": {{"name": "s", "variants": [{{"name": "a", "weight": {a}}}, {{"name": "b", "weight": {b}}},
                {{"name": "c", "weight": {c}}}]}},
                "rollout": {{"variant": "{variant}", "start": "2026-11-20T10:00:00Z", "steps": [{{"percentage": 1}}]}}}}"#
        )
    };
    const ONLY: &str =
        "rollout.variant: found the only variant with a weight, expected others that share the rest";
    check(&of("d", [1, 1, 1]), "rollout.variant: found `d`, expected a variant of the split");
    check(&of("a", [1, 0, 0]), ONLY);
    check(&of("a", [0, 0, 1]), "");
    check(&of("a", [0, 1, 0]), "");
    check(&of("a", [1, 1, 1]), "");
    check(&of("b", [1, 0, 0]), "");
}

#[test]
fn a_start_has_a_date_a_time_and_an_offset() {
    const EXPECTED: &str = "expected a time since 1970, such as `2026-11-20T10:00:00Z`";
    for start in ["2026-11-20", "2026-11-20T10:00:00", "2026-13-20T10:00:00Z", "1969-12-31T23:59:59Z", "now"]
    {
        check(
            &with(&format!(r#"{{"variant": "v2", "start": "{start}", "steps": [{{"percentage": 1}}]}}"#)),
            &format!("rollout.start: found `{start}`, {EXPECTED}"),
        );
    }
    check(
        &with(r#"{"variant": "v2", "start": 1795168800, "steps": [{"percentage": 1}]}"#),
        "rollout.start: found 1795168800, expected a string",
    );
}

#[test]
fn steps_are_1_to_32() {
    let of = |number: usize| {
        let percentages: Vec<_> = (0..number).map(|step| step.to_string()).collect();
        let step = |(index, percentage)| (percentage, (index + 1 < number).then_some("1s"));
        stepped(&percentages.iter().map(String::as_str).enumerate().map(step).collect::<Vec<_>>())
    };
    check(&of(0), "rollout.steps: found an empty array, expected at least one item");
    check(&of(1), "");
    assert_eq!(good(&of(32)).splits.0[0].rollout.as_ref().unwrap().steps.len(), 32);
    check(&of(33), "rollout.steps: found 33 steps, expected at most 32");
}

#[test]
fn percentages_grow() {
    const MORE: &str = "expected more than in the step before";
    check(&stepped(&[("0", Some("1s")), ("0.0001", Some("1s")), ("100", None)]), "");
    check(
        &stepped(&[("10", Some("1s")), ("10", Some("1s")), ("5", Some("1s")), ("6", None)]),
        &format!("rollout.steps[1].percentage: {MORE}\nrollout.steps[2].percentage: {MORE}"),
    );
    check(
        &stepped(&[("100.1", None)]),
        "rollout.steps[0].percentage: found 100.1, expected a number from 0 to 100",
    );
    check(
        &stepped(&[("1.00001", None)]),
        "rollout.steps[0].percentage: found 1.00001, expected at most four decimals",
    );
}

#[test]
fn all_steps_but_the_last_have_a_length() {
    const ONE: &str = "expected one: only the last step stays";
    check(
        &stepped(&[("10", None), ("25", None), ("50", Some("5m"))]),
        &format!(
            "rollout.steps[0].for: {ONE}\nrollout.steps[1].for: {ONE}\n\
             rollout.steps[2].for: expected none: the last step stays"
        ),
    );
    check(&stepped(&[("10", Some("5m"))]), "rollout.steps[0].for: expected none: the last step stays");
}

#[test]
fn a_step_lasts_from_a_second_to_a_year() {
    for lasts in ["1s", "365d"] {
        check(&stepped(&[("1", Some(lasts)), ("2", None)]), "");
    }
    for lasts in ["999ms", "0s", "366d", "5", "-1s"] {
        check(
            &stepped(&[("1", Some(lasts)), ("2", None)]),
            &format!(
                "rollout.steps[0].for: found `{lasts}`, expected a duration from 1s to 365d, as \"250ms\", \"1m\" or \"1h30m\""
            ),
        );
    }
}
