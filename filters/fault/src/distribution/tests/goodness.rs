//! The Kolmogorov-Smirnov distance of 5000 samples from the exact distribution, which is written here independently.

use super::{MAX, ms, quantiles};
use crate::distribution::Distribution::{self, Exponential, Lognormal, Normal, Uniform};
use mesh_testkit::goodness::{Shares, distance};
use mesh_testkit::random::SplitMix64;
use std::time::Duration;

const SAMPLES: usize = 5000;

#[track_caller]
fn check_cut(distribution: &Distribution, max: Duration, exact: impl Fn(f64) -> Shares) {
    let max_ms = max.as_secs_f64() * 1e3;
    for seed in 0..4 {
        let mut random = SplitMix64::new(seed);
        let sample = || distribution.sample(random.roll(), max).as_secs_f64() * 1e3;
        let mut samples: Vec<_> = std::iter::repeat_with(sample).take(SAMPLES).collect();
        let distance = distance(&mut samples, |x| exact(x).cut(x, max_ms));
        assert!(distance < 0.03, "{distribution:?} up to {max:?}, seed {seed}: {distance}");
    }
}

/// Checks samples as they are, and cut to `max`. `exact` is the distribution function.
#[track_caller]
fn check(distribution: &Distribution, max: Duration, exact: impl Fn(f64) -> f64) {
    let exact = |x| Shares::continuous(exact(x));
    check_cut(distribution, MAX, exact);
    check_cut(distribution, max, exact);
}

fn normal(x: f64) -> f64 {
    0.5 + 0.5 * libm::erf(x / 2f64.sqrt())
}

#[test]
fn uniform_samples() {
    check(&Uniform { min: ms(100), max: ms(300) }, ms(250), |x| ((x - 100.0) / 200.0).clamp(0.0, 1.0));
    check(&Uniform { min: ms(0), max: ms(10) }, ms(1), |x| x.min(10.0) / 10.0);
}

#[test]
fn exponential_samples() {
    check(&Exponential { mean: ms(80) }, ms(200), |x| 1.0 - (-x / 80.0).exp());
}

#[test]
fn normal_samples() {
    check(&Normal { mean: ms(200), stddev: ms(50) }, ms(250), |x| normal((x - 200.0) / 50.0));
    // A third is below zero.
    check(&Normal { mean: ms(20), stddev: ms(50) }, ms(60), |x| normal((x - 20.0) / 50.0));
}

#[test]
fn lognormal_samples() {
    let sigma = 45f64.ln() / 2.326_347_874_040_840_8;
    check(&Lognormal { median: ms(20), p99: ms(900) }, ms(100), |x| normal((x / 20.0).ln() / sigma));
}

/// Straight lines through the points, each a duration in milliseconds and a percentage; several points of one duration
/// are a share of this duration alone.
fn lines(points: &[(f64, f64)], x: f64) -> Shares {
    let (mut below, mut up_to) = (0.0, 0.0);
    for pair in points.windows(2) {
        let ((from, lower), (to, upper)) = (pair[0], pair[1]);
        if from < to && from < x && x <= to {
            below = lower + (upper - lower) * (x - from) / (to - from);
        }
        if from < to && from <= x && x < to {
            up_to = lower + (upper - lower) * (x - from) / (to - from);
        }
        if to <= x {
            up_to = upper;
        }
        if to < x {
            below = upper;
        }
    }
    Shares { below: below / 100.0, up_to: up_to / 100.0 }
}

#[track_caller]
fn check_points(max: Duration, points: &[(&str, u64)]) {
    let durations: Vec<_> = points.iter().map(|(name, duration)| (*name, ms(*duration))).collect();
    let lined: Vec<_> = points
        .iter()
        .map(|(name, duration)| (*duration as f64, name.trim_matches('p').parse().unwrap()))
        .collect();
    for max in [MAX, max] {
        check_cut(&quantiles(&durations), max, |x| lines(&lined, x));
    }
}

#[test]
fn quantile_samples() {
    check_points(ms(50), &[("p0", 2), ("p50", 10), ("p90", 40), ("p99", 300), ("p100", 2000)]);
    check_points(ms(50), &[("p0", 2), ("p100", 1000)]);
    // A tenth has 2 ms, two fifths have 10 ms, a fiftieth 40 ms.
    let equal = [("p0", 2), ("p10", 2), ("p30", 10), ("p70", 10), ("p97.5", 40), ("p99.5", 40), ("p100", 60)];
    check_points(ms(40), &equal);
    check_points(ms(10), &equal);
    check_points(ms(9), &equal);
}
