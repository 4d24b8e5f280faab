//! Whether a variant is worse than allowed.

use super::counts::{Both, Figures};
use mesh_policy::percent::Percentage;
use std::time::Duration;

/// Number of errors that the variant needs for a comparison with the baseline's.
const MIN_ERRORS: u64 = 5;
/// How much longer the variant must take than the baseline for certain, whatever the ratio.
const MIN_P95_DIFFERENCE: Duration = Duration::from_millis(10);

/// What is allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Number of requests of an arm below which it is not judged.
    pub min_requests: u32,
    /// Errors of the variant.
    pub max_error_percentage: Option<Percentage>,
    /// Error rate of the variant, as a multiple of the baseline's; 1 to 1000.
    pub max_error_ratio: Option<f64>,
    /// 95th percentile of the variant, as a multiple of the baseline's; 1 to 1000.
    pub max_p95_ratio: Option<f64>,
}

/// Why a guard trips, with the threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reason {
    /// Too many errors.
    ErrorPercentage(Percentage),
    /// An error rate that is too many times the baseline's.
    ErrorRatio(f64),
    /// A 95th percentile that is too many times the baseline's.
    P95Ratio(f64),
}

impl Thresholds {
    /// The first threshold that is exceeded.
    pub(super) fn judge(&self, figures: &Both<Figures>) -> Option<Reason> {
        let Both { variant, baseline } = figures;
        let is_enough = |figures: &Figures| figures.requests >= u64::from(self.min_requests);
        if !is_enough(variant) {
            return None;
        }
        let percentage = self.max_error_percentage.filter(|allowed| exceeds_percentage(variant, *allowed));
        if let Some(allowed) = percentage {
            return Some(Reason::ErrorPercentage(allowed));
        }
        if !is_enough(baseline) {
            return None;
        }
        let error_ratio = self.max_error_ratio.filter(|allowed| exceeds_error_ratio(figures, *allowed));
        let p95_ratio = self.max_p95_ratio.filter(|allowed| exceeds_p95_ratio(figures, *allowed));
        error_ratio.map(Reason::ErrorRatio).or(p95_ratio.map(Reason::P95Ratio))
    }
}

fn exceeds_percentage(variant: &Figures, allowed: Percentage) -> bool {
    let errors = u128::from(variant.errors) * 1_000_000;
    errors > u128::from(variant.requests) * u128::from(allowed.parts_per_million())
}

/// Compares products rather than quotients, so that integers up to 2^53 are compared exactly.
fn exceeds_error_ratio(Both { variant, baseline }: &Both<Figures>, allowed: f64) -> bool {
    // The rate of a baseline without errors would be exceeded by any.
    let expected = baseline.errors.max(1) as f64 * variant.requests as f64;
    variant.errors >= MIN_ERRORS && variant.errors as f64 * baseline.requests as f64 > allowed * expected
}

fn exceeds_p95_ratio(Both { variant, baseline }: &Both<Figures>, allowed: f64) -> bool {
    let (Some(variant), Some(baseline)) = (variant.p95, baseline.p95) else { return false };
    variant.exceeds_by(baseline) >= MIN_P95_DIFFERENCE
        && variant.about().as_secs_f64() > allowed * baseline.about().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::super::histogram::Bucket;
    use super::{Both, Figures, Percentage, Reason, Thresholds};
    use proptest::prelude::*;
    use std::time::Duration;

    const NONE: Thresholds = Thresholds {
        min_requests: 100,
        max_error_percentage: None,
        max_error_ratio: None,
        max_p95_ratio: None,
    };
    const FIVE: Percentage = Percentage::from_parts_per_million(50_000).unwrap();

    /// Requests, errors and the 95th percentile in milliseconds.
    type Arm = (u64, u64, u64);

    #[track_caller]
    fn check(thresholds: &Thresholds, variant: Arm, baseline: Arm, expected: Option<Reason>) {
        let figures = |(requests, errors, p95): Arm| {
            let p95 = (requests > 0).then_some(Bucket::of(Duration::from_millis(p95)));
            Figures { requests, errors, p95 }
        };
        let both = Both { variant: figures(variant), baseline: figures(baseline) };
        assert_eq!(thresholds.judge(&both), expected, "{both:?}");
    }

    #[test]
    fn too_many_errors_of_enough_requests() {
        let allowed = Thresholds { max_error_percentage: Some(FIVE), ..NONE };
        let reason = Some(Reason::ErrorPercentage(FIVE));
        check(&allowed, (100, 5, 0), (0, 0, 0), None);
        check(&allowed, (100, 6, 0), (0, 0, 0), reason);
        check(&allowed, (99, 99, 0), (1000, 0, 0), None);
        check(&allowed, (1_000_000, 50_001, 0), (0, 0, 0), reason);
        check(&allowed, (1_000_000, 50_000, 0), (0, 0, 0), None);
        check(&allowed, (u64::MAX, u64::MAX, 0), (0, 0, 0), reason);
        let none = Thresholds { max_error_percentage: Some(Percentage::NONE), ..NONE };
        check(&none, (100, 0, 0), (0, 0, 0), None);
        check(&none, (100, 1, 0), (0, 0, 0), Some(Reason::ErrorPercentage(Percentage::NONE)));
        let all = Thresholds { max_error_percentage: Some(Percentage::ALL), ..NONE };
        check(&all, (100, 100, 0), (0, 0, 0), None);
    }

    #[test]
    fn too_many_errors_for_the_baseline_s() {
        let allowed = Thresholds { max_error_ratio: Some(2.0), ..NONE };
        let reason = Some(Reason::ErrorRatio(2.0));
        check(&allowed, (100, 20, 0), (100, 10, 0), None);
        check(&allowed, (100, 21, 0), (100, 10, 0), reason);
        check(&allowed, (99, 21, 0), (100, 10, 0), None);
        check(&allowed, (100, 21, 0), (99, 10, 0), None);
        // A baseline without errors counts as having one.
        check(&allowed, (1000, 5, 0), (400, 0, 0), None);
        check(&allowed, (1000, 5, 0), (401, 0, 0), reason);
        check(&allowed, (1000, 5, 0), (400, 1, 0), None);
        check(&allowed, (1000, 5, 0), (401, 1, 0), reason);
        // The variant needs five errors.
        check(&allowed, (100, 4, 0), (1_000_000, 0, 0), None);
        check(&allowed, (100, 4, 0), (1_000_000, 1, 0), None);
        check(&allowed, (100, 5, 0), (1_000_000, 1, 0), reason);
    }

    #[test]
    fn too_slow_for_the_baseline() {
        let allowed = Thresholds { max_p95_ratio: Some(1.5), ..NONE };
        let reason = Some(Reason::P95Ratio(1.5));
        // A bucket begins at 153.9 ms, and 100 ms is in the one from 95.6 ms: four buckets are 1.46 times as long, five
        // 1.61 times.
        check(&allowed, (100, 0, 153), (100, 0, 100), None);
        check(&allowed, (100, 0, 154), (100, 0, 100), reason);
        check(&allowed, (99, 0, 154), (100, 0, 100), None);
        check(&allowed, (100, 0, 154), (99, 0, 100), None);
        // 10 ms more: 1 ms is less than 1.1 ms, and a bucket begins at 11.7 ms.
        check(&allowed, (100, 0, 12), (100, 0, 1), reason);
        check(&allowed, (100, 0, 11), (100, 0, 1), None);
        check(&allowed, (100, 0, 1), (100, 0, 100), None);
    }

    fn is_too_slow(variant: Duration, baseline: Duration, ratio: f64) -> bool {
        let allowed = Thresholds { max_p95_ratio: Some(ratio), ..NONE };
        let figures = |p95| Figures { requests: 100, errors: 0, p95: Some(Bucket::of(p95)) };
        allowed.judge(&Both { variant: figures(variant), baseline: figures(baseline) }).is_some()
    }

    #[test]
    fn equally_fast_variants_may_be_in_neighbouring_buckets() {
        for nanos in std::iter::successors(Some(100_000_u64), |bound| Some(bound * 11 / 10)).take(184) {
            let one = Duration::from_nanos(nanos);
            assert!(!is_too_slow(one, one - Duration::from_nanos(1), 1.0), "{one:?}");
        }
    }

    fn duration() -> impl Strategy<Value = Duration> {
        prop_oneof![100_000_u64..1_000_000_000, 100_000_u64..3_600_000_000_001].prop_map(Duration::from_nanos)
    }

    proptest! {
        #[test]
        fn only_a_variant_that_is_10_ms_slower_is_too_slow(
            variant in duration(), baseline in duration(), ratio in 1.0..4.0,
        ) {
            let times = variant.as_secs_f64() / baseline.as_secs_f64();
            if is_too_slow(variant, baseline, ratio) {
                prop_assert!(variant - baseline >= Duration::from_millis(10));
                prop_assert!(times > ratio / 1.1001);
            } else {
                // A bucket of either is 10 % wide.
                let is_surely_longer = variant.as_secs_f64() / 1.1 > baseline.as_secs_f64() * 1.1 + 0.01;
                prop_assert!(!(is_surely_longer && times > ratio * 1.1001));
            }
        }
    }

    #[test]
    fn nothing_is_allowed_to_fail_without_thresholds() {
        check(&NONE, (100, 100, 9999), (100, 0, 1), None);
        let all = Thresholds { max_error_ratio: Some(1.0), max_p95_ratio: Some(1.0), ..NONE };
        check(&Thresholds { min_requests: 0, ..all }, (0, 0, 0), (0, 0, 0), None);
        check(&all, (100, 50, 900), (100, 10, 1), Some(Reason::ErrorRatio(1.0)));
        let all = Thresholds { max_error_percentage: Some(FIVE), ..all };
        check(&all, (100, 50, 900), (100, 10, 1), Some(Reason::ErrorPercentage(FIVE)));
    }
}
