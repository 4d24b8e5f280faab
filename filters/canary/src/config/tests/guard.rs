//! What takes a variant out.

use super::super::Guard;
use super::super::guard::Limits;
use super::{check, good};
use mesh_policy::mode::Mode;
use mesh_policy::percent::Percentage;
use std::time::Duration;

/// A config with this guard of v2, in a split of these variants.
fn among(variants: &[&str], fields: &str) -> String {
    let variants: Vec<_> =
        variants.iter().map(|name| format!(r#"{{"name": "{name}", "weight": 1}}"#)).collect();
    format!(
        r#"{{"split": {{"name": "s", "variants": [{}]}}, "guard": {{"variant": "v2"{fields}}}}}"#,
        variants.join(", ")
    )
}

const TWO: &[&str] = &["v1", "v2"];
const THREE: &[&str] = &["v1", "v2", "v3"];
const LIMIT: &str = r#", "max_error_ratio": 2"#;

/// A config with a guard of v2 beside v1 that has a limit and these fields.
fn with(fields: &str) -> String {
    among(TWO, &format!("{LIMIT}{fields}"))
}

#[track_caller]
fn guard(config: &str) -> Guard {
    good(config).splits.0.remove(0).guard.unwrap()
}

#[test]
fn a_guard_has_every_default() {
    let expected = Guard {
        variant: "v2".to_owned(),
        baseline: "v1".to_owned(),
        fall_back_to: "v1".to_owned(),
        limits: Limits { max_error_percentage: None, max_error_ratio: Some(2.0), max_p95_ratio: None },
        min_requests: 100,
        window: Duration::from_secs(60),
        hold: Duration::from_secs(600),
        max_trips: 3,
        mode: Mode::Enforce,
    };
    assert_eq!(guard(&with("")), expected);
    let null = r#", "baseline": null, "fall_back_to": null, "min_requests": null, "window": null, "hold": null,
        "max_trips": null, "mode": null"#;
    assert_eq!(guard(&with(null)), expected);
}

#[test]
fn every_field_is_read() {
    let fields = r#", "baseline": "v3", "fall_back_to": "v1", "max_error_percentage": 5.5, "max_error_ratio": 2.5,
        "max_p95_ratio": 1, "min_requests": 10, "window": "1h", "hold": "24h", "max_trips": 1000, "mode": "shadow""#;
    let percentage = Percentage::from_parts_per_million(55_000);
    let limits =
        Limits { max_error_percentage: percentage, max_error_ratio: Some(2.5), max_p95_ratio: Some(1.0) };
    let expected = Guard {
        variant: "v2".to_owned(),
        baseline: "v3".to_owned(),
        fall_back_to: "v1".to_owned(),
        limits,
        min_requests: 10,
        window: Duration::from_secs(3600),
        hold: Duration::from_secs(86_400),
        max_trips: 1000,
        mode: Mode::Shadow,
    };
    assert_eq!(guard(&among(THREE, fields)), expected);
}

#[test]
fn a_guard_has_a_limit() {
    const NONE: &str =
        "guard: found none, expected one of `max_error_percentage`, `max_error_ratio`, `max_p95_ratio`";
    check(&among(TWO, ""), NONE);
    check(&among(TWO, r#", "min_requests": 10"#), NONE);
    for limit in ["max_error_percentage", "max_error_ratio", "max_p95_ratio"] {
        check(&among(TWO, &format!(r#", "{limit}": 1"#)), "");
        // It would be a guard without this limit.
        check(
            &with(&format!(r#", "{limit}": null"#))
                .replace(LIMIT, if limit == "max_error_ratio" { "" } else { LIMIT }),
            &format!("guard.{limit}: found null, expected a value; leave the field out for no restriction"),
        );
    }
}

#[test]
fn the_baseline_is_the_other_variant_or_has_to_be_named() {
    const SEVERAL: &str = "guard.baseline: expected one, as the split has several other variants";
    assert_eq!(guard(&with("")).baseline, "v1");
    check(&among(THREE, LIMIT), SEVERAL);
    check(&among(THREE, &format!(r#"{LIMIT}, "fall_back_to": "v1""#)), SEVERAL);
    let named = guard(&among(THREE, &format!(r#"{LIMIT}, "baseline": "v3""#)));
    assert_eq!((named.baseline.as_str(), named.fall_back_to.as_str()), ("v3", "v3"));
    // The contract: `fall_back_to` is `baseline` unless it is given.
    let apart = guard(&among(THREE, &format!(r#"{LIMIT}, "baseline": "v3", "fall_back_to": "v1""#)));
    assert_eq!((apart.baseline.as_str(), apart.fall_back_to.as_str()), ("v3", "v1"));
}

#[test]
fn variants_of_a_guard_are_those_of_the_split() {
    for field in ["baseline", "fall_back_to"] {
        check(
            &with(&format!(r#", "{field}": "v9""#)),
            &format!("guard.{field}: found `v9`, expected a variant of the split"),
        );
        check(
            &with(&format!(r#", "{field}": "v2""#)),
            &format!("guard.{field}: found `v2`, expected another variant than the guarded one"),
        );
    }
    check(&among(&["v1", "v3"], LIMIT), "guard.variant: found `v2`, expected a variant of the split");
    check(&with("").replace(r#""variant": "v2", "#, ""), "guard.variant: missing");
}

#[test]
fn numbers_have_bounds() {
    #[track_caller]
    fn check_field(field: &str, good: [&str; 2], bad: &[&str], expected: &str) {
        let config = |value: &str| {
            // The limit that every other config has.
            let limit = if field == "max_error_ratio" { "" } else { LIMIT };
            among(TWO, &format!(r#"{limit}, "{field}": {value}"#))
        };
        good.into_iter().for_each(|value| check(&config(value), ""));
        for value in bad {
            let found = match value.trim_matches('"') {
                text if text.len() < value.len() => format!("`{text}`"),
                number => number.to_owned(),
            };
            check(&config(value), &format!("guard.{field}: found {found}, expected {expected}"));
        }
    }
    check_field("max_error_percentage", ["0", "100"], &["-1", "100.5", "\"5%\""], "a number from 0 to 100");
    check_field("max_error_percentage", ["0.0001", "99.9999"], &["0.00001"], "at most four decimals");
    for ratio in ["max_error_ratio", "max_p95_ratio"] {
        check_field(ratio, ["1", "1000.0"], &["0.99", "1000.1", "0", "\"2\""], "a number from 1 to 1000");
    }
    check_field(
        "min_requests",
        ["10", "1000000"],
        &["9", "1000001", "10.5"],
        "an integer from 10 to 1000000",
    );
    check_field("max_trips", ["1", "1000"], &["0", "1001", "-1"], "an integer from 1 to 1000");
    let example = "as \"250ms\", \"1m\" or \"1h30m\"";
    check_field(
        "window",
        ["\"1s\"", "\"1h\""],
        &["\"999ms\"", "\"61m\"", "60"],
        &format!("a duration from 1s to 1h, {example}"),
    );
    check_field(
        "hold",
        ["\"1s\"", "\"24h\""],
        &["\"999ms\"", "\"25h\"", "0"],
        &format!("a duration from 1s to 1d, {example}"),
    );
}

#[test]
fn a_guard_has_the_modes_of_a_rule() {
    for (word, mode) in [("enforce", Mode::Enforce), ("shadow", Mode::Shadow), ("off", Mode::Off)] {
        assert_eq!(guard(&with(&format!(r#", "mode": "{word}""#))).mode, mode);
    }
}
