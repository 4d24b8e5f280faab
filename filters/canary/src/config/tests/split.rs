//! One split.

use super::super::{Split, Variant};
use super::{VARIANTS, check, good};
use crate::assignment::Weight;
use mesh_policy::facts::Needs;
use mesh_policy::mode::Mode;

/// A config with one split, of which only what matters is given.
fn split(fields: &str) -> String {
    format!(r#"{{"split": {{"name": "s", {VARIANTS}{fields}}}}}"#)
}

/// A config with a split of these variants: names and weights.
fn weighted(variants: &[(&str, &str)]) -> String {
    let variants: Vec<_> = variants
        .iter()
        .map(|(name, weight)| format!(r#"{{"name": "{name}", "weight": {weight}}}"#))
        .collect();
    format!(r#"{{"split": {{"name": "s", "variants": [{}]}}}}"#, variants.join(", "))
}

#[track_caller]
fn only(config: &str) -> Split {
    let mut splits = good(config).splits.0;
    assert_eq!(splits.len(), 1, "{config}");
    splits.remove(0)
}

#[test]
fn a_split_has_every_default() {
    let Split { name, matches, sticky, assign_cookie, variants, rollout, guard, mode } = only(&split(""));
    assert_eq!((name.as_str(), mode), ("s", Mode::Enforce));
    assert_eq!(matches.needs(), Needs::default());
    assert!(sticky.is_empty() && assign_cookie.is_none() && rollout.is_none() && guard.is_none());
    let weight = Weight::from_hundredths(100).unwrap();
    assert_eq!(variants, ["v1", "v2"].map(|name| Variant { name: name.to_owned(), weight }));
}

#[test]
fn a_split_needs_name_and_variants() {
    check(r#"{"split": {}}"#, "split.name: missing\nsplit.variants: missing");
    check(
        r#"{"split": {"name": "a b", "variants": []}}"#,
        "split.name: found `a b`, expected 1 to 64 letters, \
        digits, `_`, `-` or `.`\nsplit.variants: found 0 items, expected at least 2",
    );
    check(r#"{"split": []}"#, "split: found an array, expected an object");
}

#[test]
fn variants_are_2_to_32() {
    let of = |number: usize| {
        let names: Vec<_> = (0..number).map(|index| format!("v{index}")).collect();
        weighted(&names.iter().map(|name| (name.as_str(), "1")).collect::<Vec<_>>())
    };
    check(&of(1), "split.variants: found 1 items, expected at least 2");
    assert_eq!(only(&of(2)).variants.len(), 2);
    assert_eq!(only(&of(32)).variants.len(), 32);
    check(&of(33), "split.variants: found 33 variants, expected at most 32");
}

#[test]
fn variants_have_names_and_weights() {
    check(
        r#"{"split": {"name": "s", "variants": [{"name": "v1"}, {"weight": 1}]}}"#,
        "split.variants[0].weight: missing\nsplit.variants[1].name: missing",
    );
    check(
        &weighted(&[("a", "1"), ("b", "1"), ("a", "2")]),
        "split.variants[2].name: found `a`, expected a name that no other variant has",
    );
    check(
        &weighted(&[("a:b", "1"), ("b", "1")]),
        "split.variants[0].name: found `a:b`, expected 1 to 64 letters, digits, `_`, `-` or `.`",
    );
}

#[test]
fn a_weight_has_two_decimals() {
    #[track_caller]
    fn check_weight(weight: &str, expected: Result<u32, &str>) {
        let config = weighted(&[("a", weight), ("b", "1")]);
        match expected {
            Ok(hundredths) => {
                assert_eq!(only(&config).variants[0].weight.hundredths(), hundredths, "{weight}");
            }
            Err(problem) => check(&config, &format!("split.variants[0].weight: {problem}")),
        }
    }
    check_weight("0", Ok(0));
    check_weight("-0.0", Ok(0));
    check_weight("0.01", Ok(1));
    check_weight("12.34", Ok(1_234));
    check_weight("33.3", Ok(3_330));
    check_weight("999999.99", Ok(99_999_999));
    check_weight("1000000", Ok(100_000_000));
    check_weight("1e6", Ok(100_000_000));
    check_weight("12.345", Err("found 12.345, expected at most two decimals"));
    check_weight("0.001", Err("found 0.001, expected at most two decimals"));
    check_weight("999999.991", Err("found 999999.991, expected at most two decimals"));
    check_weight("1000000.01", Err("found 1000000.01, expected a number from 0 to 1000000"));
    check_weight("-1", Err("found -1, expected a number from 0 to 1000000"));
    check_weight("\"1\"", Err("found `1`, expected a number from 0 to 1000000"));
}

#[test]
fn every_weight_of_two_decimals_is_exact() {
    for hundredths in (0..=100_000_000).step_by(9_973).chain(99_990_000..=100_000_000) {
        let weight = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        let found = only(&weighted(&[("a", &weight), ("b", "1")])).variants[0].weight.hundredths();
        assert_eq!(found, hundredths);
    }
}

#[test]
fn somebody_has_a_weight() {
    check(
        &weighted(&[("a", "0"), ("b", "0.0"), ("c", "0")]),
        "split.variants: found no weight above 0, expected one",
    );
    assert_eq!(only(&weighted(&[("a", "0"), ("b", "0.01")])).variants.len(), 2);
}

#[test]
fn weights_need_not_add_up_to_100() {
    assert_eq!(only(&weighted(&[("a", "1"), ("b", "0.5")])).variants.len(), 2);
    assert_eq!(only(&weighted(&[("a", "900"), ("b", "150")])).variants.len(), 2);
}

#[test]
fn sticky_parts_are_8_at_most() {
    let of = |number: usize| split(&format!(r#", "sticky": [{}]"#, vec![r#""path""#; number].join(", ")));
    assert_eq!(only(&of(8)).sticky.len(), 8);
    check(&of(9), "split.sticky: found 9 parts, expected at most 8");
    check(
        &split(r#", "sticky": null"#),
        "split.sticky: found null, expected a value; leave the field out for no \
        restriction",
    );
}

/// The contract: 1 to 8 key parts.
#[test]
fn a_sticky_split_has_a_part() {
    check(&split(r#", "sticky": []"#), "split.sticky: found an empty array, expected at least one item");
}

#[test]
fn a_sticky_part_is_a_key_part() {
    let config = split(
        r#", "sticky": [{"header": "x-user-id"}, {"claim": "sub"}, {"cookie": "c"}, "client_ip", {"query": "q"}]"#,
    );
    assert_eq!(only(&config).sticky.len(), 5);
    check(
        &split(r#", "sticky": ["header"]"#),
        "split.sticky[0]: found `header`, expected it with its argument, as {\"header\": \"…\"}",
    );
}

#[test]
fn an_assigned_cookie_is_one_that_is_read() {
    const NOT_READ: &str = "expected a cookie that `sticky` names, too";
    let with =
        |sticky: &str, cookie: &str| split(&format!(r#", "sticky": [{sticky}], "assign_cookie": {cookie}"#));
    let cookie =
        only(&with(r#"{"header": "a"}, {"cookie": "c"}"#, r#"{"name": "c"}"#)).assign_cookie.unwrap();
    assert_eq!(cookie.header("1").as_bytes(), b"c=1; Path=/; Secure; HttpOnly; SameSite=Lax");
    check(
        &with(r#"{"header": "c"}"#, r#"{"name": "c"}"#),
        &format!("split.assign_cookie.name: found `c`, {NOT_READ}"),
    );
    check(
        &with(r#"{"cookie": "c"}"#, r#"{"name": "C"}"#),
        &format!("split.assign_cookie.name: found `C`, {NOT_READ}"),
    );
    check(
        &split(r#", "assign_cookie": {"name": "c"}"#),
        &format!("split.assign_cookie.name: found `c`, {NOT_READ}"),
    );
    check(&with(r#"{"cookie": "c"}"#, "{}"), "split.assign_cookie.name: missing");
    check(
        &with(r#"{"cookie": "c"}"#, r#"{"name": "c", "same_site": "none", "secure": false}"#),
        "split.assign_cookie.secure: found false, expected true: browsers drop a cookie with `same_site: none` otherwise",
    );
    check(
        &with(r#"{"cookie": "c"}"#, r#"{"name": "c", "max_age": "401d"}"#),
        "split.assign_cookie.max_age: found `401d`, expected a duration from 1s to 400d, as \"250ms\", \"1m\" or \"1h30m\"",
    );
}

/// A mistake in `sticky` is told once.
#[test]
fn a_cookie_beside_bad_parts_is_not_judged() {
    check(
        &split(r#", "sticky": [{"coockie": "c"}], "assign_cookie": {"name": "c"}"#),
        "split.sticky[0].coockie: unknown field, did you mean `cookie`?",
    );
}
