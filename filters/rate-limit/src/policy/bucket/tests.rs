use super::{Level, OverflowLevel, Owed, Quota, Rate};
use crate::quota::Short;
use mesh_policy::time::Nanos;
use proptest::prelude::*;
use std::num::NonZeroU64;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn quota(tokens: u64, per: Duration, burst: u64) -> Quota {
    let rate = Rate::new(NonZeroU64::new(tokens).unwrap(), per).unwrap();
    Quota { rate, burst: NonZeroU64::new(burst).unwrap() }
}

/// Charges one token at each instant; `admitted` says which of the charges are admitted.
#[track_caller]
fn check(quota: &Quota, instants: &[u64], admitted: &[bool]) {
    let mut level = Level::new(quota, Owed(0), Nanos(0));
    let verdicts: Vec<bool> = instants
        .iter()
        .map(|instant| {
            let now = Nanos(*instant);
            let taken = quota.take(level.owed(quota, now).owed, 1);
            taken.inspect(|owed| level = Level::new(quota, *owed, now)).is_ok()
        })
        .collect();
    assert_eq!(verdicts, admitted);
}

#[test]
fn a_rate_is_kept_in_lowest_terms() {
    assert_eq!(quota(700_000, SECOND, 1).rate.terms(), (7, 10_000));
    assert_eq!(quota(100, Duration::from_secs(60), 1).rate, quota(10, Duration::from_secs(6), 1).rate);
    assert_eq!(Rate::new(NonZeroU64::MIN, Duration::ZERO), None);
}

#[test]
fn a_burst_and_then_the_rate() {
    // A token every 500 ms, with a burst of two.
    let quota = quota(2, SECOND, 2);
    check(
        &quota,
        &[0, 0, 0, 499_999_999, 500_000_000, 500_000_000],
        &[true, true, false, false, true, false],
    );
    // After a pause, one burst is available again.
    check(&quota, &[0, 0, 9_000_000_000, 9_000_000_000, 9_000_000_000], &[true, true, true, true, false]);
}

#[test]
fn a_fraction_of_a_nanosecond_is_not_lost() {
    // A token every 1428.571… ns: seven tokens take exactly 10 000 ns.
    let quota = quota(700_000, SECOND, 1);
    let mut level = Level::new(&quota, Owed(0), Nanos(0));
    let mut admitted = 0;
    for instant in 0..=1_000_000 {
        let now = Nanos(instant);
        if let Ok(owed) = quota.take(level.owed(&quota, now).owed, 1) {
            level = Level::new(&quota, owed, now);
            admitted += 1;
        }
    }
    // The burst and 700 in a millisecond, minus rounding: with a burst of 1, each token waits for the next nanosecond.
    assert_eq!(admitted, 1 + 1_000_000 / 1429);
}

#[test]
fn a_refusal_says_how_long_to_wait() {
    let quota = quota(1, SECOND, 3);
    let owed = quota.take(Owed(0), 3).unwrap();
    assert_eq!(quota.take(owed, 2), Err(Short { wait: Duration::from_secs(2) }));
    assert_eq!(quota.until_full(owed), Duration::from_secs(3));
    assert_eq!(quota.remaining(owed), 0);
    assert_eq!(quota.window(), Duration::from_secs(3));
}

#[test]
fn tokens_owed_stay_owed_under_another_rate() {
    let old = quota(1, SECOND, 10);
    let level = Level::new(&old, old.take(Owed(0), 4).unwrap(), Nanos(0));
    let new = quota(100, SECOND, 10);
    assert_eq!(level.owed(&new, Nanos(0)).owed, new.take(Owed(0), 4).unwrap());
    // Rounded up: half a token owed at 1/s is half a token at 3/s, which is not an integral number of units.
    let third = quota(3, SECOND, 10);
    let half = level.owed(&third, Nanos(3_500_000_000)).owed;
    assert!(half.0 * 2 >= third.take(Owed(0), 1).unwrap().0);
}

#[test]
fn a_smaller_burst_clips_what_is_owed() {
    let old = quota(1, SECOND, 100);
    let level = Level::new(&old, old.take(Owed(0), 100).unwrap(), Nanos(0));
    let new = quota(1, SECOND, 5);
    let read = level.owed(&new, Nanos(0));
    assert!(read.clipped);
    assert_eq!(read.owed, new.take(Owed(0), 5).unwrap());
}

#[test]
fn arithmetic_holds_at_the_ends() {
    let year = Duration::from_secs(365 * 86_400);
    let widest = quota(1_000_000 * year.as_secs() - 1, year, u64::MAX);
    let owed = widest.take(Owed(0), u64::MAX).unwrap();
    let level = Level::new(&widest, owed, Nanos(u64::MAX));
    assert_eq!(level.owed(&widest, Nanos(u64::MAX)).owed, owed);
    assert!(widest.take(owed, 1).is_err());
    let garbage = Level { full_at: u128::MAX, rate: widest.rate };
    assert!(garbage.owed(&quota(1, year, 1), Nanos(0)).clipped);
}

#[test]
fn the_overflow_is_read_as_time() {
    let slow = quota(1, Duration::from_secs(60), 1);
    let fast = quota(10, SECOND, 10);
    let level = OverflowLevel::new(&slow, slow.take(Owed(0), 1).unwrap(), Nanos(0));
    // The fast rate does not refill what the slow bucket took.
    assert!(fast.take(level.owed(&fast, Nanos(50_000_000_000)), 1).is_err());
    assert!(slow.take(level.owed(&slow, Nanos(59_999_999_999)), 1).is_err());
    assert!(slow.take(level.owed(&slow, Nanos(60_000_000_000)), 1).is_ok());
    // A new bucket owes its capacity, not all that the slow bucket took.
    assert_eq!(level.as_start(&fast, Nanos(0)).owed, fast.take(Owed(0), 10).unwrap());
}

proptest! {
    /// After giving back, the bucket is never fuller than without the charge.
    #[test]
    fn giving_back_gains_nothing(
        tokens in 1u64..50, per in 1u64..1000, burst in 3u64..20, before in 0u128..=200,
        others in prop::collection::vec((0u64..50, 1u64..3), 0..6), late in 0u64..100,
    ) {
        let quota = quota(tokens, Duration::from_nanos(per), burst);
        let charge = |level: Level, cost, now| match quota.take(level.owed(&quota, now).owed, cost) {
            Ok(owed) => Level::new(&quota, owed, now),
            Err(_) => level,
        };
        let mut now = Nanos(1000);
        // The bucket owes a part of what leaves room for the charge.
        let start = Level::new(&quota, Owed((quota.capacity() - quota.rate.units(2)) * before / 200), now);
        let charged = charge(start, 2, now);
        prop_assert!(charged != start);
        let (mut with, mut without) = (charged, start);
        for (pause, cost) in others {
            now = Nanos(now.0 + pause);
            // Only charges that both buckets admit.
            let both = (charge(with, cost, now), charge(without, cost, now));
            if both.0 != with {
                (with, without) = both;
            }
        }
        now = Nanos(now.0 + late);
        with.full_at = with.after_giving_back(2, &charged, now);
        prop_assert!(with.owed(&quota, now).owed >= without.owed(&quota, now).owed);
    }

    /// Converting to another rate and back never makes a bucket fuller.
    #[test]
    fn another_rate_forgives_nothing(
        a in 1u64..1_000_000, per_a in 1u64..1_000_000_000, b in 1u64..1_000_000, per_b in 1u64..1_000_000_000,
        cost in 1u64..1000, after in 0u64..1_000_000_000,
    ) {
        let a = quota(a, Duration::from_nanos(per_a), 1000);
        let b = quota(b, Duration::from_nanos(per_b), 1000);
        let level = Level::new(&a, a.take(Owed(0), cost).unwrap(), Nanos(0));
        let now = Nanos(after);
        let owed = level.owed(&a, now).owed;
        let through = Level::new(&b, level.owed(&b, now).owed, now).owed(&a, now).owed;
        prop_assert!(through >= owed);
        prop_assert!(through.0 - owed.0 <= u128::from(a.rate.terms().1 / b.rate.terms().1 + 1));
    }
}
