use super::super::counts::{Arm, Outcome};
use super::{SliceLength, Window};
use mesh_policy::time::Nanos;
use proptest::prelude::*;
use std::time::Duration;

const OUTCOME: Outcome = Outcome {
    arm: Arm::Variant,
    began: Nanos(0),
    took: Duration::from_millis(1),
    known_at: Nanos(0),
    is_error: true,
};

fn window(slices: &[u64]) -> Window {
    let mut window = Window::empty();
    slices.iter().for_each(|slice| window.count(&OUTCOME, *slice));
    window
}

fn total(window: &Window) -> u64 {
    let figures = window.figures();
    assert_eq!(figures.variant.requests, figures.variant.errors);
    figures.variant.requests + figures.baseline.requests
}

#[test]
fn a_slice_is_a_tenth_of_a_window() {
    #[track_caller]
    fn check(window: Duration, instant: u64, expected: u64) {
        assert_eq!(SliceLength::of(window).slice(Nanos(instant)), expected);
    }
    check(Duration::from_nanos(100), 9, 0);
    check(Duration::from_nanos(100), 10, 1);
    check(Duration::from_secs(60), 6_000_000_000, 1);
    check(Duration::ZERO, 7, 7);
    check(Duration::MAX, u64::MAX, 1);
}

#[test]
fn the_current_slice_and_ten_before_it_are_kept() {
    #[track_caller]
    fn check(slices: &[u64], current: u64, expected: u64) {
        let mut advanced = window(slices);
        advanced.advance(current);
        assert_eq!(total(&advanced), expected);
        let mut added = Window::empty();
        added.add(&window(slices), current);
        assert_eq!(total(&added), expected);
    }
    check(&[100], 100, 1);
    check(&[100], 110, 1);
    check(&[100], 111, 0);
    check(&[100, 101, 101, 110], 110, 4);
    check(&[100, 101, 101, 110], 111, 3);
    check(&[100, 101, 101, 110], 112, 1);
    check(&[0], 10, 1);
    // Only a damaged record has a later slice.
    check(&[100], 99, 0);
    check(&[u64::MAX], 0, 0);
    check(&[u64::MAX], u64::MAX, 1);
}

#[test]
fn a_later_slice_takes_the_place_of_an_old_one() {
    assert_eq!(total(&window(&[100, 111])), 1);
    assert_eq!(total(&window(&[111, 100])), 1);
    let mut old = window(&[100]);
    old.add(&window(&[111]), 111);
    assert_eq!(total(&old), 1);
}

proptest! {
    /// Counting in two windows and adding one to the other is counting in one.
    #[test]
    fn a_sum_has_what_was_counted_in_both(
        one in prop::collection::vec(100u64..130, 0..20), other in prop::collection::vec(100u64..130, 0..20),
        current in 105u64..131,
    ) {
        let (one, other) = (sorted(one, current), sorted(other, current));
        let mut sum = window(&one);
        sum.add(&window(&other), current);
        let kept = [one, other].concat().into_iter().filter(|slice| current - slice <= 10).count();
        prop_assert_eq!(total(&sum), kept as u64);
    }
}

/// The slices up to the current one, in the order of time.
fn sorted(mut slices: Vec<u64>, current: u64) -> Vec<u64> {
    slices.retain(|slice| *slice <= current);
    slices.sort_unstable();
    slices
}
