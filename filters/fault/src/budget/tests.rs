use super::*;

const SECOND: u64 = 1_000_000_000;

fn percent(percent: u32) -> Percentage {
    Percentage::from_parts_per_million(percent * 10_000).unwrap()
}

fn budget(share: u32, window_s: u64) -> Budget {
    Budget::new(percent(share), Duration::from_secs(window_s))
}

/// Requests at these milliseconds, each of which a fault is wanted for; the numbers of those that get one, from 1.
#[track_caller]
fn check(budget: &mut Budget, at_ms: impl IntoIterator<Item = u64>, expected: &[usize]) {
    let faulted = |ms: u64| {
        let now = Nanos(ms * 1_000_000);
        budget.came(now);
        budget.spend(now)
    };
    let faults: Vec<bool> = at_ms.into_iter().map(faulted).collect();
    let numbers: Vec<usize> =
        (1..).zip(faults).filter_map(|(number, fault)| fault.then_some(number)).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn every_tenth_request_is_faulted() {
    check(&mut budget(10, 60), [1; 45], &[10, 20, 30, 40]);
    check(&mut budget(10, 60), (1000..1045).map(|n| n * 100), &[10, 20, 30, 40]);
}

#[test]
fn a_share_of_nothing_and_of_everything() {
    check(&mut budget(0, 1), [5; 20], &[]);
    check(&mut budget(100, 1), [5; 5], &[1, 2, 3, 4, 5]);
    let millionth = Percentage::from_parts_per_million(1).unwrap();
    check(
        &mut Budget::new(millionth, Duration::from_secs(1)),
        std::iter::repeat_n(5, 1_000_001),
        &[1_000_000],
    );
}

#[test]
fn what_was_not_spent_can_be_spent_later_in_the_window() {
    let mut budget = budget(10, 60);
    let now = Nanos(SECOND);
    for _ in 0..25 {
        budget.came(now);
    }
    assert_eq!([(); 4].map(|()| budget.spend(now)), [true, true, false, false]);
}

#[test]
fn requests_and_faults_leave_the_window_after_it() {
    let spends_after = |ms: u64| {
        let mut budget = budget(50, 1);
        check(&mut budget, [0, 0, 0], &[2]);
        budget.came(Nanos(0));
        // One more fault for the four requests of before, or none if they have left.
        let now = Nanos(ms * 1_000_000);
        budget.came(now);
        budget.spend(now)
    };
    assert!(spends_after(0));
    assert!(spends_after(999));
    assert!(!spends_after(1000));
}

/// Two requests at 0 with a fault at `fault`, then two requests with another: whether it is granted half of them.
#[track_caller]
fn check_second_fault(window: u64, fault: u64, now: u64, granted: bool) {
    let mut budget = Budget::new(percent(50), Duration::from_nanos(window));
    budget.came(Nanos(0));
    budget.came(Nanos(0));
    assert!(budget.spend(Nanos(fault)));
    budget.came(Nanos(now));
    budget.came(Nanos(now));
    assert_eq!(budget.spend(Nanos(now)), granted);
}

#[test]
fn a_fault_leaves_the_window_at_most_a_slice_later() {
    // A slice is 15 625 000 ns.
    check_second_fault(SECOND, 0, SECOND, false);
    check_second_fault(SECOND, 0, SECOND + 15_624_998, false);
    check_second_fault(SECOND, 0, SECOND + 15_624_999, true);
    check_second_fault(SECOND, 15_624_999, SECOND + 15_624_998, false);
    check_second_fault(SECOND, 15_624_999, SECOND + 15_624_999, true);
}

#[test]
fn slices_are_rounded_up_so_that_they_fill_the_window() {
    check_second_fault(SECOND + 63, 15_624_999, SECOND + 15_625_000, false);
}

#[test]
fn time_that_goes_back_stands_still() {
    let mut budget = budget(50, 1);
    check(&mut budget, [500_000, 0, 400_000, 499_000, 500_000, 1], &[2, 4, 6]);
}

#[test]
fn the_ends_of_time_are_times() {
    let mut budget = budget(50, 1);
    for now in [Nanos(0), Nanos(u64::MAX)] {
        budget.came(now);
        assert!(!budget.spend(now));
        budget.came(now);
        assert!(budget.spend(now));
    }
}

#[test]
fn any_window_is_bounded() {
    for (window, spent) in [(Duration::ZERO, false), (Duration::from_nanos(1), true), (Duration::MAX, true)] {
        let mut budget = Budget::new(Percentage::ALL, window);
        budget.came(Nanos(5));
        assert_eq!(budget.spend(Nanos(5)), spent, "{window:?}");
    }
}

#[test]
fn full_counts_stay_full() {
    let mut budget = budget(100, 1);
    budget.slices[0] = Slice { number: 0, came: u32::MAX, faulted: 0 };
    budget.came(Nanos(0));
    assert!(budget.spend(Nanos(0)));
    budget.slices[0].faulted = u32::MAX;
    assert!(!budget.spend(Nanos(0)));
}

/// Against a model that remembers all instants.
mod laws;
