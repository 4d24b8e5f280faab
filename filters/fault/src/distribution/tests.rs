use super::*;
use Distribution::{Exponential, Lognormal, Normal, Uniform};
use proptest::prelude::*;

/// Whether samples are distributed as they should be.
mod goodness;

const MAX: Duration = Duration::from_secs(300);

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn quantiles(points: &[(&str, Duration)]) -> Distribution {
    let points = points.iter().map(|(name, duration)| (Percentile::named(name).unwrap(), *duration));
    Distribution::Quantiles(Quantiles::new(points.collect()).unwrap())
}

/// The number that is `percent` of the way from the least to the greatest.
fn roll(percent: f64) -> u64 {
    (percent / 100.0 * 2f64.powi(64)) as u64
}

#[track_caller]
fn check(distribution: &Distribution, uniform: u64, expected: Duration) {
    let found = distribution.sample(uniform, MAX);
    assert!(found.abs_diff(expected) <= Duration::from_nanos(1), "{found:?}, expected {expected:?}");
}

#[test]
fn the_least_and_the_greatest_number() {
    let uniform = Uniform { min: ms(100), max: ms(250) };
    check(&uniform, 0, ms(100));
    check(&uniform, u64::MAX, ms(250));
    check(&Exponential { mean: ms(100) }, 0, Duration::ZERO);
    // ln 2^53.
    check(&Exponential { mean: ms(100) }, u64::MAX, Duration::from_nanos(3_673_680_057));
    let normal = Normal { mean: ms(1000), stddev: ms(100) };
    check(&normal, 0, Duration::from_nanos(179_046_385));
    check(&normal, u64::MAX, Duration::from_nanos(1_820_953_615));
    check(&Normal { mean: ms(100), stddev: ms(100) }, 0, Duration::ZERO);
    let points = quantiles(&[("p0", ms(3)), ("p50", ms(10)), ("p100", ms(700))]);
    check(&points, 0, ms(3));
    check(&points, u64::MAX, ms(700));
}

#[test]
fn known_percentiles() {
    check(&Uniform { min: ms(100), max: ms(300) }, roll(25.0), ms(150));
    check(&Exponential { mean: ms(100) }, roll(50.0), Duration::from_nanos(69_314_718));
    check(&Normal { mean: ms(100), stddev: ms(10) }, roll(50.0), ms(100));
    check(&Normal { mean: ms(100), stddev: ms(10) }, roll(97.5), Duration::from_nanos(119_599_640));
    check(&Lognormal { median: ms(20), p99: ms(900) }, roll(50.0), ms(20));
    check(&Lognormal { median: ms(20), p99: ms(900) }, roll(99.0), ms(900));
}

#[test]
fn quantiles_at_their_points() {
    let points = [
        ("p0", ms(1)),
        ("p12.5", ms(2)),
        ("p50", ms(5)),
        ("p90", ms(5)),
        ("p99", ms(80)),
        ("p99.9", ms(400)),
        ("p99.999", ms(1000)),
        ("p100", ms(2000)),
    ];
    for (name, duration) in &points {
        let percent = Percentile::named(name).unwrap().thousandths() / 1000.0;
        check(&quantiles(&points), roll(percent), *duration);
    }
}

#[test]
fn a_distribution_may_be_a_single_duration() {
    for uniform in [0, 1, u64::MAX / 3, u64::MAX] {
        check(&Uniform { min: ms(7), max: ms(7) }, uniform, ms(7));
        check(&Exponential { mean: Duration::ZERO }, uniform, Duration::ZERO);
        check(&Normal { mean: ms(7), stddev: Duration::ZERO }, uniform, ms(7));
        check(&Lognormal { median: ms(7), p99: ms(7) }, uniform, ms(7));
        check(&Lognormal { median: ms(7), p99: ms(6) }, uniform, ms(7));
        check(&Lognormal { median: ms(7), p99: Duration::ZERO }, uniform, ms(7));
        check(&Lognormal { median: Duration::ZERO, p99: ms(7) }, uniform, Duration::ZERO);
        check(&Lognormal { median: Duration::ZERO, p99: Duration::ZERO }, uniform, Duration::ZERO);
        check(&quantiles(&[("p0", ms(7)), ("p100", ms(7))]), uniform, ms(7));
    }
}

#[test]
fn samples_are_whole_nanoseconds_to_the_nearest() {
    let uniform = Uniform { min: Duration::ZERO, max: Duration::from_nanos(2) };
    assert_eq!(uniform.sample(roll(24.0), MAX), Duration::ZERO);
    assert_eq!(uniform.sample(roll(26.0), MAX), Duration::from_nanos(1));
    assert_eq!(uniform.sample(roll(74.0), MAX), Duration::from_nanos(1));
    assert_eq!(uniform.sample(roll(76.0), MAX), Duration::from_nanos(2));
}

/// Computed independently. They must never change: a config draws the same durations on all platforms and in all versions.
#[test]
fn known_answers() {
    let uniform = 0x9e37_79b9_7f4a_7c15;
    let nanos = |distribution: Distribution| distribution.sample(uniform, MAX).as_nanos();
    assert_eq!(nanos(Uniform { min: ms(100), max: ms(300) }), 223_606_798);
    assert_eq!(nanos(Exponential { mean: ms(100) }), 96_242_365);
    assert_eq!(nanos(Normal { mean: ms(100), stddev: ms(10) }), 103_003_214);
    assert_eq!(nanos(Lognormal { median: ms(20), p99: ms(900) }), 32_692_831);
    assert_eq!(nanos(quantiles(&[("p0", ms(1)), ("p50", ms(5)), ("p100", ms(80))])), 22_705_098);
}

/// Durations up to five minutes, and the numbers that a hash or a generator gives, both often near the ends.
fn duration() -> impl Strategy<Value = Duration> {
    let most = MAX.as_nanos() as u64;
    prop_oneof![0..=most, 0..4u64, most - 4..=most].prop_map(Duration::from_nanos)
}

fn uniform() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..64u32, any::<bool>()).prop_map(|(roll, shift, high)| {
        let roll = roll >> shift;
        if high { !roll } else { roll }
    })
}

fn any_quantiles(duration: impl Strategy<Value = Duration>) -> impl Strategy<Value = Distribution> {
    let inner = prop::collection::btree_set(1..100_000u32, 0..=30);
    (inner, prop::collection::vec(duration, 32)).prop_map(|(inner, mut durations)| {
        durations.sort_unstable();
        let percentiles = [0].into_iter().chain(inner).chain([100_000]).map(Percentile::of_thousandths);
        Distribution::Quantiles(Quantiles::new(percentiles.zip(durations).collect()).unwrap())
    })
}

fn distribution<D: Strategy<Value = Duration>>(duration: fn() -> D) -> impl Strategy<Value = Distribution> {
    let pair = || (duration(), duration());
    prop_oneof![
        pair().prop_map(|(a, b)| Uniform { min: a.min(b), max: a.max(b) }),
        duration().prop_map(|mean| Exponential { mean }),
        pair().prop_map(|(mean, stddev)| Normal { mean, stddev }),
        pair().prop_map(|(median, p99)| Lognormal { median, p99 }),
        any_quantiles(duration()),
    ]
}

proptest! {
    /// Durations of any length, too.
    #[test]
    fn a_sample_is_at_most_the_maximum(
        distribution in prop_oneof![distribution(duration), distribution(any::<Duration>)],
        uniform in uniform(),
        max in duration(),
    ) {
        prop_assert!(distribution.sample(uniform, max) <= max);
    }

    #[test]
    fn the_maximum_only_cuts(distribution in distribution(duration), uniform in uniform(), max in duration()) {
        let uncut = distribution.sample(uniform, Duration::MAX);
        prop_assert_eq!(distribution.sample(uniform, max), uncut.min(max));
    }

    /// To within a nanosecond: the logarithm and the quotients are rounded.
    #[test]
    fn a_greater_number_gives_no_shorter_sample(
        distribution in distribution(duration),
        uniform in uniform(),
        step in uniform(),
    ) {
        let shorter = distribution.sample(uniform, MAX);
        let longer = distribution.sample(uniform.saturating_add(step), MAX);
        prop_assert!(shorter <= longer + Duration::from_nanos(1), "{shorter:?} {longer:?}");
    }

    #[test]
    fn a_uniform_sample_is_between_its_ends_in_either_order(a in duration(), b in duration(), uniform in uniform()) {
        let sample = Uniform { min: a, max: b }.sample(uniform, MAX);
        prop_assert!(a.min(b) <= sample && sample <= a.max(b), "{sample:?}");
    }
}
