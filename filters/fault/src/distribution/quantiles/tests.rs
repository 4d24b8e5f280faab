use super::*;
use InvalidQuantiles::{Above100, Falling, NoP0, NoP100, Repeated, TooMany};

#[track_caller]
fn check_name(name: &str, expected: Option<u32>) {
    assert_eq!(percentile(name), expected, "{name:?}");
}

#[test]
fn names_of_percentiles() {
    check_name("p0", Some(0));
    check_name("p5", Some(5_000));
    check_name("p50", Some(50_000));
    check_name("p50.0", Some(50_000));
    check_name("p99", Some(99_000));
    check_name("p99.9", Some(99_900));
    check_name("p99.99", Some(99_990));
    check_name("p99.999", Some(99_999));
    check_name("p0.001", Some(1));
    check_name("p0.050", Some(50));
    check_name("p100", Some(100_000));
    check_name("p100.000", Some(100_000));
}

#[test]
fn other_names_are_refused() {
    for name in ["", "p", "p.", "p.5", "p5.", "50", "P50", "q50", "pp50", "p50%", "p50.5.5", "p5e1", "p٥"] {
        check_name(name, None);
    }
    for name in ["p-1", "p+1", "p1.+5", "p1.-5", " p1", "p1 ", "p 1", "p1. 5"] {
        check_name(name, None);
    }
    for name in [
        "p00",
        "p099",
        "p01.5",
        "p0100",
        "p50.0000",
        "p50.0005",
        "p0.0001",
        "p100.001",
        "p101",
        "p999",
        "p1000",
        "p4294967296",
    ] {
        check_name(name, None);
    }
}

#[test]
fn every_percentage_has_a_name_that_is_read_as_it() {
    for percentage in 0..=WHOLE {
        assert_eq!(percentile(&percentile_name(percentage)), Some(percentage));
    }
    assert_eq!(percentile_name(0), "p0");
    assert_eq!(percentile_name(50), "p0.05");
    assert_eq!(percentile_name(90_000), "p90");
    assert_eq!(percentile_name(99_900), "p99.9");
    assert_eq!(percentile_name(WHOLE), "p100");
}

/// Points in milliseconds.
fn new(points: &[(u32, u64)]) -> Result<Quantiles, InvalidQuantiles> {
    Quantiles::new(points.iter().map(|(percentage, ms)| (*percentage, Duration::from_millis(*ms))).collect())
}

#[track_caller]
fn check(points: &[(u32, u64)], expected: Result<(), InvalidQuantiles>) {
    assert_eq!(new(points).map(|_| ()), expected, "{points:?}");
}

#[test]
fn points_are_accepted_in_any_order() {
    let sorted = new(&[(0, 1), (50_000, 5), (99_000, 80), (100_000, 900)]);
    assert!(sorted.is_ok());
    assert_eq!(new(&[(100_000, 900), (99_000, 80), (50_000, 5), (0, 1)]), sorted);
    assert_eq!(new(&[(99_000, 80), (0, 1), (100_000, 900), (50_000, 5)]), sorted);
}

#[test]
fn durations_may_be_equal() {
    check(&[(0, 5), (100_000, 5)], Ok(()));
    check(&[(0, 0), (50_000, 0), (100_000, 0)], Ok(()));
}

#[test]
fn the_ends_are_required() {
    check(&[], Err(NoP0));
    check(&[(100_000, 1)], Err(NoP0));
    check(&[(1, 1), (100_000, 1)], Err(NoP0));
    check(&[(0, 1)], Err(NoP100));
    check(&[(0, 1), (99_999, 1)], Err(NoP100));
}

#[test]
fn a_percentage_is_given_once_and_at_most_100() {
    check(&[(0, 1), (100_000, 1), (0, 1)], Err(Repeated(0)));
    check(&[(0, 1), (50_000, 1), (100_000, 9), (50_000, 2)], Err(Repeated(50_000)));
    check(&[(0, 1), (100_001, 1)], Err(Above100(100_001)));
}

#[test]
fn durations_do_not_fall() {
    check(&[(0, 2), (100_000, 1)], Err(Falling { from: 0, to: 100_000 }));
    let points = [(0, 1), (50_000, 9), (90_000, 8), (99_000, 7), (100_000, 10)];
    check(&points, Err(Falling { from: 50_000, to: 90_000 }));
}

#[test]
fn there_are_2_to_32_points() {
    let points = |count: u32| -> Vec<_> { (1..count).map(|n| (n, 1)).chain([(0, 1), (WHOLE, 1)]).collect() };
    check(&points(1), Ok(()));
    check(&points(31), Ok(()));
    check(&points(32), Err(TooMany));
}

/// Milliseconds of a share that is given in percent.
#[track_caller]
fn check_at(percent: f64, expected: f64) {
    let quantiles = new(&[(0, 10), (50_000, 20), (90_000, 20), (99_000, 110), (100_000, 1010)]).unwrap();
    let found = quantiles.at(percent / 100.0) / 1e6;
    assert!((found - expected).abs() < 1e-9, "p{percent}: {found} ms, expected {expected} ms");
}

#[test]
fn durations_between_points_are_linear() {
    check_at(0.0, 10.0);
    check_at(25.0, 15.0);
    check_at(50.0, 20.0);
    check_at(70.0, 20.0);
    check_at(90.0, 20.0);
    check_at(94.5, 65.0);
    check_at(99.0, 110.0);
    check_at(99.9, 920.0);
    check_at(100.0, 1010.0);
}

mod laws {
    use super::*;
    use proptest::prelude::*;

    /// Few percentages and durations, so that all errors are frequent.
    fn points() -> impl Strategy<Value = Vec<(u32, u64)>> {
        let percentage = prop_oneof![Just(0), Just(WHOLE), (0u32..6).prop_map(|n| n * 20_000), any::<u32>()];
        prop::collection::vec((percentage, 0u64..4), 0..6)
    }

    proptest! {
        #[test]
        fn any_name_is_read_or_refused(name in "p?[0-9.+ ]{0,5}|\\PC{0,6}") {
            let read = percentile(&name);
            // Without unnecessary zeros, names and percentages are in one-to-one relation.
            if let Some(percentage) = read {
                let shortest = if name.contains('.') { name.trim_end_matches('0').trim_end_matches('.') } else { &name };
                prop_assert_eq!(percentile_name(percentage), shortest);
            }
        }

        #[test]
        fn points_are_accepted_if_and_only_if_they_rise_from_p0_to_p100(points in points()) {
            let mut sorted = points.clone();
            sorted.sort_unstable();
            let rise = sorted.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
            let ends = sorted.first().is_some_and(|point| point.0 == 0)
                && sorted.last().is_some_and(|point| point.0 == WHOLE);
            prop_assert_eq!(new(&points).is_ok(), rise && ends);
        }
    }
}
