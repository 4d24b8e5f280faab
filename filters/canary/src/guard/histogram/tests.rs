use super::super::bytes::Reader;
use super::{BOUNDS, BUCKETS, Bucket, Histogram, Sum};
use proptest::prelude::*;
use std::time::Duration;

fn histogram(durations: &[Duration]) -> Histogram {
    let mut histogram = Histogram::EMPTY;
    durations.iter().for_each(|took| histogram.count(*took));
    histogram
}

fn p95(histogram: &Histogram) -> Option<Bucket> {
    let mut sum = Sum::EMPTY;
    sum.add(histogram);
    sum.p95()
}

#[test]
fn buckets_begin_at_their_bounds() {
    #[track_caller]
    fn check(nanos: u64, expected: usize) {
        assert_eq!(Bucket::of(Duration::from_nanos(nanos)), Bucket(expected), "{nanos}");
    }
    check(0, 0);
    check(109_999, 0);
    check(110_000, 1);
    check(120_999, 1);
    check(121_000, 2);
    check(3_600_000_000_000, BUCKETS - 1);
    check(u64::MAX, BUCKETS - 1);
    for (index, bound) in BOUNDS.iter().enumerate() {
        check(*bound, index);
    }
    assert_eq!(Bucket::of(Duration::MAX), Bucket(BUCKETS - 1));
}

#[test]
fn the_percentile_is_of_the_nearest_rank() {
    /// The first duration `short` times, then the second `long` times.
    #[track_caller]
    fn check(short: usize, long: usize, is_long: bool) {
        let (low, high) = (Duration::from_millis(1), Duration::from_secs(1));
        let durations = [vec![low; short], vec![high; long]].concat();
        let p95 = p95(&histogram(&durations)).unwrap().about();
        assert_eq!(p95 > Duration::from_millis(500), is_long, "{p95:?}");
    }
    check(1, 0, false);
    check(0, 1, true);
    check(19, 1, false);
    check(18, 2, true);
    check(38, 2, false);
    check(37, 2, true);
    check(95, 5, false);
    check(94, 6, true);
    assert_eq!(p95(&Histogram::EMPTY), None);
}

#[test]
fn counts_saturate() {
    let mut histogram = histogram(&[Duration::ZERO]);
    for _ in 0..40 {
        histogram.add(&histogram.clone());
    }
    assert_eq!(histogram.total(), u64::from(u32::MAX));
    let mut sum = Sum([u64::MAX; BUCKETS]);
    sum.add(&histogram);
    assert_eq!((sum.total(), sum.p95().is_some()), (u64::MAX, true));
}

/// From 1 ms to an hour.
fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![1_000_000_u64..1_000_000_000, 1_000_000_u64..3_600_000_000_001].prop_map(Duration::from_nanos)
}

#[test]
fn what_one_bucket_exceeds_another_by_is_certain() {
    #[track_caller]
    fn check(one: usize, other: usize, expected: u64) {
        assert_eq!(Bucket(one).exceeds_by(Bucket(other)), Duration::from_nanos(expected));
    }
    check(0, 0, 0);
    check(1, 0, 0);
    check(2, 0, 11_000);
    check(3, 1, BOUNDS[3] - BOUNDS[2]);
    check(0, 2, 0);
    // The last bucket has no end, and the first no beginning.
    check(BUCKETS - 1, BUCKETS - 1, 0);
    check(BUCKETS - 2, BUCKETS - 1, 0);
    check(BUCKETS - 1, BUCKETS - 2, 0);
    check(BUCKETS - 1, BUCKETS - 3, BOUNDS[BUCKETS - 1] - BOUNDS[BUCKETS - 2]);
}

proptest! {
    #[test]
    fn the_percentile_is_within_five_percent(mut durations in prop::collection::vec(duration(), 1..200)) {
        let found = p95(&histogram(&durations)).unwrap().about().as_secs_f64();
        durations.sort_unstable();
        let exact = durations[(durations.len() * 95).div_ceil(100) - 1].as_secs_f64();
        prop_assert!((found / exact - 1.0).abs() < 0.05, "{found} {exact}");
    }

    #[test]
    fn durations_differ_at_least_by_what_their_buckets_do(one in duration(), other in duration()) {
        prop_assert!(Bucket::of(one).exceeds_by(Bucket::of(other)) <= one.saturating_sub(other));
    }

    #[test]
    fn a_sum_has_the_counts_of_both(
        one in prop::collection::vec(duration(), 0..20), other in prop::collection::vec(duration(), 0..20),
    ) {
        let mut sum = histogram(&one);
        sum.add(&histogram(&other));
        prop_assert_eq!(sum.total(), (one.len() + other.len()) as u64);
        prop_assert_eq!(sum, histogram(&[one, other].concat()));
    }

    #[test]
    fn a_histogram_reads_back(durations in prop::collection::vec(duration(), 0..20)) {
        let histogram = histogram(&durations);
        let mut bytes = Vec::new();
        histogram.write(&mut bytes);
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(Histogram::read(&mut reader), Some(histogram));
        prop_assert!(reader.is_at_end());
    }
}
