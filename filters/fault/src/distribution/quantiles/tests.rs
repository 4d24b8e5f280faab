use super::*;
use InvalidQuantiles::{Falling, NoP0, NoP100, Repeated};

/// Points in thousandths of a percent and milliseconds.
fn new(points: &[(u32, u64)]) -> Result<Quantiles, InvalidQuantiles> {
    let points =
        points.iter().map(|(point, ms)| (Percentile::of_thousandths(*point), Duration::from_millis(*ms)));
    Quantiles::new(points.collect())
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
fn a_percentile_is_given_once() {
    check(&[(0, 1), (100_000, 1), (0, 1)], Err(Repeated(Percentile::P0)));
    check(
        &[(0, 1), (50_000, 1), (100_000, 9), (50_000, 2)],
        Err(Repeated(Percentile::of_thousandths(50_000))),
    );
}

#[test]
fn durations_do_not_fall() {
    check(&[(0, 2), (100_000, 1)], Err(Falling { from: Percentile::P0, to: Percentile::P100 }));
    let points = [(0, 1), (50_000, 9), (90_000, 8), (99_000, 7), (100_000, 10)];
    check(
        &points,
        Err(Falling { from: Percentile::of_thousandths(50_000), to: Percentile::of_thousandths(90_000) }),
    );
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

    /// The thousandths of p100.
    const WHOLE: u32 = 100_000;

    /// Few percentages and durations, so that all errors are frequent.
    fn points() -> impl Strategy<Value = Vec<(u32, u64)>> {
        let percentage = prop_oneof![Just(0), Just(WHOLE), (0u32..6).prop_map(|n| n * 20_000), 0..=WHOLE];
        prop::collection::vec((percentage, 0u64..4), 0..6)
    }

    proptest! {
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
