//! Distributions of random delays.

use super::super::Wait;
use super::{check, good, rule};
use crate::distribution::{Distribution, Percentile, Quantiles};
use std::time::Duration;

const LENGTH: &str = "expected a duration from 1ms to 5m, as \"250ms\", \"1m\" or \"1h30m\"";
const FROM_ZERO: &str = "expected a duration from 0s to 5m, as \"250ms\", \"1m\" or \"1h30m\"";

fn with(distribution: &str) -> String {
    rule(&format!(r#", "delay": {{"percentage": 1, "distribution": {{{distribution}}}}}"#))
}

#[track_caller]
fn check_good(distribution: &str, expected: &Distribution) {
    match &good(&with(distribution)).rules[0].delay.as_ref().unwrap().wait {
        Wait::Random { distribution, .. } => assert_eq!(distribution, expected),
        fixed @ Wait::Fixed(_) => panic!("{fixed:?}"),
    }
}

/// `@` is the path of the distribution.
#[track_caller]
fn check_bad(distribution: &str, expected: &str) {
    check(&with(distribution), &expected.replace('@', "rules[0].delay.distribution"));
}

fn quantiles(points: &[(&str, Duration)]) -> Distribution {
    let points = points.iter().map(|(name, duration)| (Percentile::named(name).unwrap(), *duration));
    Distribution::Quantiles(Quantiles::new(points.collect()).unwrap())
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn every_distribution_is_read() {
    check_good(
        r#""uniform": {"min": "0s", "max": "1ms"}"#,
        &Distribution::Uniform { min: ms(0), max: ms(1) },
    );
    check_good(
        r#""uniform": {"min": "299999ms", "max": "5m"}"#,
        &Distribution::Uniform { min: ms(299_999), max: ms(300_000) },
    );
    check_good(r#""exponential": {"mean": "1ms"}"#, &Distribution::Exponential { mean: ms(1) });
    check_good(
        r#""normal": {"mean": "5m", "stddev": "1ms"}"#,
        &Distribution::Normal { mean: ms(300_000), stddev: ms(1) },
    );
    check_good(
        r#""lognormal": {"median": "200ms", "p99": "2s"}"#,
        &Distribution::Lognormal { median: ms(200), p99: ms(2_000) },
    );
    let points = [("p0", ms(0)), ("p50", ms(20)), ("p99.9", ms(20)), ("p100", ms(300_000))];
    check_good(
        r#""quantiles": {"p100": "5m", "p50": "20ms", "p0": "0s", "p99.9": "20ms"}"#,
        &quantiles(&points),
    );
}

#[test]
fn a_distribution_is_one() {
    const ONE: &str = "expected one of `uniform`, `exponential`, `normal`, `lognormal`, `quantiles`";
    check_bad("", &format!("@: found none, {ONE}"));
    check_bad(
        r#""exponential": {"mean": "1s"}, "normal": {"mean": "1s", "stddev": "1s"}"#,
        "@: found `exponential`, `normal`, expected one of them only",
    );
    check_bad(r#""pareto": {}"#, &format!("@.pareto: unknown field, {ONE}"));
}

#[test]
fn every_parameter_is_required_and_bounded() {
    for (name, fields) in [
        ("uniform", &["min", "max"][..]),
        ("exponential", &["mean"]),
        ("normal", &["mean", "stddev"]),
        ("lognormal", &["median", "p99"]),
    ] {
        let missing: Vec<_> = fields.iter().map(|field| format!("@.{name}.{field}: missing")).collect();
        check_bad(&format!(r#""{name}": {{}}"#), &missing.join("\n"));
        let bounds = |field: &str| if field == "min" { FROM_ZERO } else { LENGTH };
        for value in ["301s", "-1s", "1"] {
            let given: Vec<_> = fields.iter().map(|field| format!(r#""{field}": "{value}""#)).collect();
            let expected: Vec<_> = fields
                .iter()
                .map(|field| format!("@.{name}.{field}: found `{value}`, {}", bounds(field)))
                .collect();
            check_bad(&format!(r#""{name}": {{{}}}"#, given.join(", ")), &expected.join("\n"));
        }
    }
    check_bad(r#""exponential": {"mean": "0s"}"#, &format!("@.exponential.mean: found `0s`, {LENGTH}"));
    check_bad(
        r#""normal": {"mean": "999us", "stddev": "0s"}"#,
        &format!("@.normal.mean: found `999us`, {LENGTH}\n@.normal.stddev: found `0s`, {LENGTH}"),
    );
}

#[test]
fn the_greater_parameter_is_greater() {
    for max in ["1s", "999ms"] {
        check_bad(
            &format!(r#""uniform": {{"min": "1s", "max": "{max}"}}"#),
            "@.uniform.max: expected more than `min`",
        );
        check_bad(
            &format!(r#""lognormal": {{"median": "1s", "p99": "{max}"}}"#),
            "@.lognormal.p99: expected more than `median`",
        );
    }
}

#[test]
fn quantiles_have_both_ends_and_do_not_fall() {
    let of = |points: &str| format!(r#""quantiles": {{{points}}}"#);
    check_bad(&of(r#""p50": "1s", "p100": "2s""#), "@.quantiles.p0: missing");
    check_bad(&of(r#""p0": "1s", "p50": "2s""#), "@.quantiles.p100: missing");
    check_bad(&of(""), "@.quantiles.p0: missing");
    check_good(&of(r#""p0": "1s", "p100": "1s""#), &quantiles(&[("p0", ms(1_000)), ("p100", ms(1_000))]));
    check_bad(
        &of(r#""p0": "1s", "p100": "5s", "p99.9": "2s", "p50": "3s""#),
        "@.quantiles.p99.9: expected at least that of `p50`",
    );
    check_bad(&of(r#""p0": "1s", "p100": "999ms""#), "@.quantiles.p100: expected at least that of `p0`");
    check_bad(
        &of(r#""p0": "1s", "p100": "5s", "p50": "2s", "p50.0": "2s""#),
        "@.quantiles: found `p50` twice",
    );
    check_bad(
        &of(r#""p0": "0s", "p100": "301s", "p50": 5"#),
        &format!("@.quantiles.p100: found `301s`, {FROM_ZERO}\n@.quantiles.p50: found 5, {FROM_ZERO}"),
    );
}

#[test]
fn names_of_quantiles_are_percentiles() {
    for name in ["p", "50", "p101", "p100.001", "p-1", "p050", "p50.", "p50.1234", "P50", "p50%", "median"] {
        let path = if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            format!(".{name}")
        } else {
            format!("[\"{name}\"]")
        };
        check_bad(
            &format!(r#""quantiles": {{"p0": "1s", "{name}": "1s", "p100": "1s"}}"#),
            &format!(
                "@.quantiles{path}: not a percentile, expected a name from `p0` to `p100`, with at most three decimals"
            ),
        );
    }
    for name in ["p1", "p99", "p99.9", "p99.99", "p99.999", "p0.001"] {
        check(&with(&format!(r#""quantiles": {{"p0": "1s", "{name}": "1s", "p100": "1s"}}"#)), "");
    }
}

#[test]
fn quantiles_are_32_at_most() {
    let of = |number: usize| {
        let points: Vec<_> = (1..number - 1).map(|point| format!(r#""p{point}": "1s""#)).collect();
        with(&format!(r#""quantiles": {{"p0": "1s", "p100": "1s", {}}}"#, points.join(", ")))
    };
    check(&of(32), "");
    check(&of(33), "rules[0].delay.distribution.quantiles: found 33 points, expected at most 32");
}
