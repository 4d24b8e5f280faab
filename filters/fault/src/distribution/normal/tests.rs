use super::{P99, quantile};
use crate::distribution::units::share;

/// The distribution function, by the complementary error function.
fn share_up_to(deviations: f64) -> f64 {
    libm::erfc(-deviations / 2f64.sqrt()) / 2.0
}

#[track_caller]
fn check(share: f64, expected: f64) {
    let found = quantile(share);
    assert!((found - expected).abs() <= 4e-16 * expected.abs(), "{share}: {found}, expected {expected}");
}

#[test]
fn published_quantiles() {
    check(0.5, 0.0);
    check(0.75, 0.674_489_750_196_081_7);
    check(0.25, -0.674_489_750_196_081_7);
    check(0.975, 1.959_963_984_540_054);
    check(0.99, P99);
    check(0.001, -3.090_232_306_167_813_5);
    check(1e-10, -6.361_340_902_404_056);
    check(1e-13, -7.348_796_102_800_677);
}

mod laws {
    use super::*;
    use proptest::prelude::*;

    /// Also the ends, down to the smallest share.
    fn rolls() -> impl Strategy<Value = u64> {
        (any::<u64>(), 0..64u32).prop_map(|(roll, shift)| roll >> shift)
    }

    proptest! {
        #[test]
        fn the_quantile_inverts_the_distribution_function(roll in rolls()) {
            let share = share(roll);
            let found = share_up_to(quantile(share));
            prop_assert!((found - share).abs() <= 1e-13 * share, "{share}: {found}");
        }

        #[test]
        fn it_is_symmetric(roll in rolls()) {
            prop_assert_eq!(quantile(share(!roll)), -quantile(share(roll)));
        }
    }
}
