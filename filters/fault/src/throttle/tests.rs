//! The rate of a throttle.

use super::Throttle;
use mesh_policy::time::Nanos;

fn started(bytes_per_second: u32, since: u64) -> Throttle {
    let mut throttle = Throttle::new(bytes_per_second);
    throttle.start(Nanos(since));
    throttle
}

/// When the last of these parts may be sent on, in nanoseconds after the headers.
#[track_caller]
fn check(bytes_per_second: u32, parts: &[usize], expected: u64) {
    let mut throttle = started(bytes_per_second, 1_000);
    let due = parts.iter().fold(throttle.due(), |_, part| throttle.pass(*part));
    assert_eq!(due, Nanos(1_000 + expected), "{bytes_per_second} {parts:?}");
    assert_eq!(throttle.due(), due);
}

#[test]
fn a_part_waits_as_long_as_all_so_far_take() {
    check(1_000, &[], 0);
    check(1_000, &[0], 0);
    check(1_000, &[500], 500_000_000);
    check(1_000, &[500, 500], 1_000_000_000);
    check(16_384, &[16_384, 0, 16_384], 2_000_000_000);
    // Rounded up: never early.
    check(3, &[1], 333_333_334);
    check(1_000_000_000, &[1], 1);
    check(1, &[3 << 20], (3 << 20) * 1_000_000_000);
}

#[test]
fn sizes_beyond_the_clock_are_due_at_its_end() {
    let mut throttle = started(1, 5);
    assert_eq!(throttle.pass(usize::MAX), Nanos(u64::MAX));
    assert_eq!(throttle.pass(usize::MAX), Nanos(u64::MAX));
    assert_eq!(started(0, 5).pass(2), Nanos(2_000_000_005));
}

#[cfg(not(target_arch = "wasm32"))]
mod laws {
    use super::started;
    use mesh_policy::time::Nanos;
    use proptest::prelude::*;

    proptest! {
        /// Never early, and by less than a nanosecond late: the mean rate is exact, however the body is divided.
        #[test]
        fn the_mean_rate_is_exact(rate in 1u32.., since in 0u64..1 << 62, parts in prop::collection::vec(0usize..1 << 24, 0..20)) {
            let mut throttle = started(rate, since);
            let mut last = Nanos(since);
            let mut bytes: u128 = 0;
            for part in parts {
                let due = throttle.pass(part);
                bytes += part as u128;
                prop_assert!(due >= last, "monotone");
                last = due;
                let nanoseconds = u128::from(due.0 - since);
                prop_assert!(nanoseconds * u128::from(rate) >= bytes * 1_000_000_000, "early");
                prop_assert!(nanoseconds * u128::from(rate) < bytes * 1_000_000_000 + u128::from(rate), "late");
            }
        }

        #[test]
        fn any_numbers_are_monotone(rate: u32, since: u64, parts in prop::collection::vec(any::<usize>(), 0..8)) {
            let mut throttle = started(rate, since);
            let mut last = throttle.due();
            prop_assert_eq!(last, Nanos(since));
            for part in parts {
                let due = throttle.pass(part);
                prop_assert!(due >= last);
                last = due;
            }
        }
    }
}
