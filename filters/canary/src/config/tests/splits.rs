//! The long and the short form.

use super::super::Split;
use super::{VARIANTS, check, good};

const ROLLOUT: &str = r#"{"variant": "v2", "start": "2026-11-20T10:00:00Z", "steps": [{"percentage": 10}]}"#;
const GUARD: &str = r#"{"variant": "v2", "max_error_percentage": 5}"#;

fn split(name: &str, fields: &str) -> String {
    format!(r#"{{"name": "{name}", {VARIANTS}{fields}}}"#)
}

#[track_caller]
fn same(one: &Split, other: &Split) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

#[test]
fn the_short_form_is_a_list_of_one() {
    let short =
        good(&format!(r#"{{"split": {}, "rollout": {ROLLOUT}, "guard": {GUARD}}}"#, split("s", ""))).splits.0;
    let inside = split("s", &format!(r#", "rollout": {ROLLOUT}, "guard": {GUARD}"#));
    let long = good(&format!(r#"{{"splits": [{inside}]}}"#)).splits.0;
    let [short, long] = [short.as_slice(), long.as_slice()].map(|splits| match splits {
        [split] => split,
        _ => panic!("one split"),
    });
    assert!(short.rollout.is_some() && short.guard.is_some());
    same(short, long);
    same(&good(&format!(r#"{{"split": {inside}}}"#)).splits.0[0], long);
    let mixed = good(&format!(
        r#"{{"split": {}, "guard": {GUARD}}}"#,
        split("s", &format!(r#", "rollout": {ROLLOUT}"#))
    ));
    same(&mixed.splits.0[0], long);
}

#[test]
fn both_forms_together_are_refused() {
    const BESIDE: &str = "found it beside `splits`, expected one of the two forms";
    let long = format!(r#""splits": [{}]"#, split("a", ""));
    check(&format!(r#"{{{long}, "split": {}}}"#, split("b", "")), &format!("split: {BESIDE}"));
    // Even if the list is empty: it says that there is none.
    check(&format!(r#"{{"splits": [], "split": {}}}"#, split("b", "")), &format!("split: {BESIDE}"));
    check(&format!(r#"{{{long}, "rollout": {ROLLOUT}}}"#), &format!("rollout: {BESIDE}"));
    check(&format!(r#"{{{long}, "guard": {GUARD}}}"#), &format!("guard: {BESIDE}"));
}

#[test]
fn a_rollout_and_a_guard_need_their_split() {
    const WITHOUT: &str = "found it without `split`, expected both";
    check(&format!(r#"{{"rollout": {ROLLOUT}}}"#), &format!("rollout: {WITHOUT}"));
    check(&format!(r#"{{"guard": {GUARD}}}"#), &format!("guard: {WITHOUT}"));
}

#[test]
fn a_split_has_one_rollout_and_one_guard() {
    const TWICE: &str = "found one here and one in `split`, expected one of them";
    for (field, value) in [("rollout", ROLLOUT), ("guard", GUARD)] {
        let inside = split("s", &format!(r#", "{field}": {value}"#));
        check(&format!(r#"{{"split": {inside}, "{field}": {value}}}"#), &format!("{field}: {TWICE}"));
    }
}

#[test]
fn splits_are_32_at_most_and_their_names_differ() {
    let of = |number: usize| {
        let splits: Vec<_> = (0..number).map(|index| split(&index.to_string(), "")).collect();
        format!(r#"{{"splits": [{}]}}"#, splits.join(", "))
    };
    assert_eq!(good(&of(32)).splits.0.len(), 32);
    check(&of(33), "splits: found 33 splits, expected at most 32");
    check(
        &format!(r#"{{"splits": [{}, {}]}}"#, split("a", ""), split("a", "")),
        "splits[1].name: found `a`, expected a name that no other split has",
    );
}

#[test]
fn a_problem_has_the_path_of_its_form() {
    const MESSAGE: &str =
        "found none, expected one of `max_error_percentage`, `max_error_ratio`, `max_p95_ratio`";
    let guard = r#"{"variant": "v2"}"#;
    let inside = split("s", &format!(r#", "guard": {guard}"#));
    check(&format!(r#"{{"split": {}, "guard": {guard}}}"#, split("s", "")), &format!("guard: {MESSAGE}"));
    check(&format!(r#"{{"split": {inside}}}"#), &format!("split.guard: {MESSAGE}"));
    check(&format!(r#"{{"splits": [{inside}]}}"#), &format!("splits[0].guard: {MESSAGE}"));
}

/// What is wrong with the variants is told once, and not again of the rollout and the guard.
#[test]
fn bad_variants_are_one_problem() {
    let config = format!(
        r#"{{"split": {{"name": "s", "variants": [{{"name": "v1", "weight": 1}}]}}, "rollout": {ROLLOUT}, "guard": {GUARD}}}"#
    );
    check(&config, "split.variants: found 1 items, expected at least 2");
}
