//! Delays through the policy have the distribution of the config. The distributions themselves have tests of their own.

use super::{Gateway, rules};
use mesh_testkit::goodness::{Shares, distance};
use std::time::Duration;

const SAMPLES: u32 = 5000;

/// Delays of requests and of responses, in milliseconds.
fn samples(distribution: &str, seed: u64) -> [Vec<f64>; 2] {
    let wait = format!(r#""distribution": {{{distribution}}}, "max": "2s""#);
    let config = rules(&[&format!(
        r#""delay": {{"percentage": 100, {wait}}}, "response": {{"percentage": 100, "delay": {{{wait}}}}}"#
    )]);
    let gateway = Gateway::random(&config, seed);
    let milliseconds = |delay: Option<Duration>| delay.unwrap().as_secs_f64() * 1e3;
    let (mut requests, mut responses) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        let fault = gateway.decide("").outcome.unwrap();
        requests.push(milliseconds(fault.delay));
        responses.push(milliseconds(fault.response.unwrap().delay));
    }
    [requests, responses]
}

/// Whether 5000 delays, cut to 2 s, are within a Kolmogorov-Smirnov distance of 0.03 of a cumulative distribution.
/// `share`: the share of delays up to a number of milliseconds.
#[track_caller]
fn check(distribution: &str, share: impl Fn(f64) -> f64) {
    for seed in [1, 2, 3] {
        for mut samples in samples(distribution, seed) {
            let distance = distance(&mut samples, |ms| Shares::continuous(share(ms)).cut(ms, 2000.0));
            assert!(distance < 0.03, "{distribution}: {distance}");
            assert!(samples.iter().all(|sample| (0.0..=2000.0).contains(sample)));
        }
    }
}

/// The share of a standard normal distribution below a number.
fn normal(deviations: f64) -> f64 {
    libm::erfc(-deviations / std::f64::consts::SQRT_2) / 2.0
}

#[test]
fn uniform() {
    check(r#""uniform": {"min": "100ms", "max": "1500ms"}"#, |ms| ((ms - 100.0) / 1400.0).clamp(0.0, 1.0));
    // A third is cut.
    check(r#""uniform": {"min": "0s", "max": "3s"}"#, |ms| ms / 3000.0);
}

#[test]
fn exponential() {
    check(r#""exponential": {"mean": "500ms"}"#, |ms| 1.0 - (-ms / 500.0).exp());
}

#[test]
fn normal_with_a_part_below_zero() {
    // 2.3 % are cut to zero.
    check(r#""normal": {"mean": "800ms", "stddev": "400ms"}"#, |ms| normal((ms - 800.0) / 400.0));
    check(r#""normal": {"mean": "1s", "stddev": "200ms"}"#, |ms| normal((ms - 1000.0) / 200.0));
}

#[test]
fn lognormal() {
    // 1 % are longer than 10 times the median.
    let sigma = 10f64.ln() / 2.326_347_874;
    check(r#""lognormal": {"median": "200ms", "p99": "2s"}"#, |ms| normal((ms / 200.0).ln() / sigma));
}

#[test]
fn quantiles() {
    let points = [(5.0, 0.0), (20.0, 0.5), (80.0, 0.95), (400.0, 0.99), (2000.0, 1.0)];
    check(
        r#""quantiles": {"p0": "5ms", "p50": "20ms", "p95": "80ms", "p99": "400ms", "p100": "2s"}"#,
        |ms| {
            let next = points.iter().position(|(at, _)| *at >= ms).unwrap();
            let ((from, low), (to, high)) = (points[next - 1], points[next]);
            low + (high - low) * (ms - from) / (to - from)
        },
    );
}
