//! Properties of the budget for any sequence and duration of checks.

use super::{CpuBudget, MAX_SAVED};
use mesh_policy::time::Nanos;
use proptest::prelude::*;
use std::time::Duration;

const LONGEST_CHECK: u64 = 3_000_000;

/// Checks: provider, pause before, and duration, in nanoseconds.
fn checks() -> impl Strategy<Value = Vec<(usize, u64, u64)>> {
    let pause = prop_oneof![4 => Just(0), 2 => 0u64..100_000, 1 => 0u64..50_000_000];
    prop::collection::vec((0usize..8, pause, 1..LONGEST_CHECK), 1..400)
}

fn budget(percent: u8, providers: usize) -> CpuBudget {
    CpuBudget::new(percent, vec![true; providers], Nanos(0))
}

/// The model of a provider without any others.
struct Alone {
    saved: f64,
    max_saved: f64,
    rate: f64,
    since: u64,
}

impl Alone {
    fn new(percent: u8, providers: usize) -> Self {
        let max_saved = MAX_SAVED.as_nanos() as f64 / (providers + 1) as f64;
        Self { saved: max_saved, max_saved, rate: f64::from(percent) / 100.0 / providers as f64, since: 0 }
    }

    fn has_time(&mut self, now: u64) -> bool {
        self.saved = (self.saved + (now - self.since) as f64 * self.rate).min(self.max_saved);
        self.since = now;
        // One microsecond of tolerance for rounding.
        self.saved > 1000.0
    }
}

proptest! {
    /// The time spent is at most the share, the initial savings, and one last check per provider.
    #[test]
    fn never_more_than_the_share(percent in 1u8..=100, providers in 1usize..8, checks in checks()) {
        let mut budget = budget(percent, providers);
        let (mut now, mut spent) = (0, 0);
        for (provider, pause, takes) in checks {
            now += pause;
            let provider = provider % providers;
            if budget.has_time(provider, Nanos(now)) {
                budget.spend(provider, Duration::from_nanos(takes));
                now += takes;
                spent += takes;
            }
            let max_spent = MAX_SAVED.as_nanos() as u64 + now * u64::from(percent) / 100 + providers as u64 * LONGEST_CHECK;
            prop_assert!(spent <= max_spent, "{spent} of {max_spent}");
        }
    }

    /// A provider that stays within its part always has time, whatever the others do.
    #[test]
    fn nobody_takes_the_part_of_another(percent in 1u8..=100, providers in 1usize..8, checks in checks()) {
        let (mut budget, mut alone) = (budget(percent, providers), Alone::new(percent, providers));
        let mut now = 0;
        for (provider, pause, takes) in checks {
            now += pause;
            let provider = provider % providers;
            if provider == 0 {
                if alone.has_time(now) {
                    prop_assert!(budget.has_time(0, Nanos(now)));
                    budget.spend(0, Duration::from_nanos(takes));
                    alone.saved -= takes as f64;
                    now += takes;
                }
            } else if budget.has_time(provider, Nanos(now)) {
                budget.spend(provider, Duration::from_nanos(takes));
                now += takes;
            }
        }
    }

    /// If only one provider has checks, it gets the whole share.
    #[test]
    fn unused_time_is_lent(percent in 1u8..=100, providers in 1usize..33, takes in 1000u64..LONGEST_CHECK) {
        let mut budget = budget(percent, providers);
        let (mut now, mut spent) = (0, 0);
        let end = 2_000_000_000;
        while now < end {
            if budget.has_time(0, Nanos(now)) {
                budget.spend(0, Duration::from_nanos(takes));
                now += takes;
                spent += takes;
            } else {
                now += 50_000;
            }
        }
        let least = end * u64::from(percent) / 100;
        prop_assert!(spent + 1_000_000 >= least, "{spent} of {least}");
    }

    /// After a long enough wait there is time again, however much was overdrawn.
    #[test]
    fn time_comes_back(percent in 1u8..=100, providers in 1usize..33, takes in 0u64..10_000_000_000) {
        let mut budget = budget(percent, providers);
        for provider in 0..providers {
            budget.spend(provider, Duration::from_nanos(takes));
        }
        let debt = Duration::from_nanos(takes) * 100 * providers as u32 / u32::from(percent);
        let later = Nanos(0).after(debt + Duration::from_micros(1));
        for provider in 0..providers {
            prop_assert!(budget.has_time(provider, later));
        }
    }

    /// Arbitrary clock values do no harm.
    #[test]
    fn any_times(percent in 1u8..=100, has_slow: Vec<bool>, checks: Vec<(u8, u64, Duration)>) {
        let mut budget = CpuBudget::new(percent, has_slow.clone(), Nanos(0));
        for (provider, now, took) in checks {
            let provider = usize::from(provider % 8);
            let has_time = budget.has_time(provider, Nanos(now));
            prop_assert!(!has_time || has_slow.get(provider) == Some(&true));
            budget.spend(provider, took);
        }
    }
}

/// Providers without slow checks get no part of the share.
#[test]
fn those_who_need_none_are_not_counted() {
    let mut budget = CpuBudget::new(10, [true, false, false], Nanos(0));
    assert!(!budget.has_time(1, Nanos(0)) && !budget.has_time(3, Nanos(0)));
    budget.spend(0, Duration::from_millis(99));
    assert!(budget.has_time(0, Nanos(0)));
    budget.spend(0, Duration::from_millis(2));
    assert!(!budget.has_time(0, Nanos(9_999_999)));
    assert!(budget.has_time(0, Nanos(10_000_001)));
}
