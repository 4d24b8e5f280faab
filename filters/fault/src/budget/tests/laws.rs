use super::*;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many requests come.
    Came(usize),
    Spend,
    /// Time passes: thousandths of a slice, and nanoseconds more or less.
    Passes(u64, i64),
}

fn step() -> impl Strategy<Value = Step> {
    // Often whole slices, and often as many as a window has.
    let slices = prop_oneof![0..3u64, 63..=65u64, 0..200u64].prop_map(|slices| slices * 1000);
    let passes = (prop_oneof![4 => slices, 1 => 0..1000u64, 1 => 63_000..65_000u64], -2..=2i64);
    prop_oneof![
        3 => (1..8usize).prop_map(Step::Came),
        4 => Just(Step::Spend),
        3 => passes.prop_map(|(thousandths, nanos)| Step::Passes(thousandths, nanos)),
    ]
}

/// The instants of all requests and of all faults.
#[derive(Default)]
struct Model {
    came: Vec<u64>,
    faulted: Vec<u64>,
}

/// Number of instants after `now - window`.
fn since(instants: &[u64], now: u64, window: u64) -> u64 {
    instants.iter().filter(|instant| now - **instant < window).count() as u64
}

/// Windows that slices divide, and others.
fn windows() -> impl Strategy<Value = u64> {
    const HOUR: u64 = 3600 * SECOND;
    prop_oneof![Just(SECOND), Just(60 * SECOND), Just(HOUR), SECOND..=SECOND + 130, SECOND..=HOUR]
}

fn shares() -> impl Strategy<Value = u64> {
    prop_oneof![(0..=10u64).prop_map(|tenths| tenths * 100_000), 0..=MILLION]
}

fn new(share: u64, window: u64) -> Budget {
    Budget::new(Percentage::from_parts_per_million(share as u32).unwrap(), Duration::from_nanos(window))
}

proptest! {
    #[test]
    fn faults_are_within_the_share_of_each_window_and_are_not_refused_without_need(
        share in shares(),
        window in windows(),
        start in prop_oneof![(0..200u64).prop_map(Err), (0..10_000 * SECOND).prop_map(Ok)],
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let mut budget = new(share, window);
        let slice = window.div_ceil(SLICES);
        // Often the end of a slice.
        let start = start.unwrap_or_else(|slices: u64| (slices * slice).saturating_sub(1));
        let (mut model, mut now) = (Model::default(), start);
        for step in steps {
            match step {
                Step::Passes(thousandths, nanos) => {
                    now = (now + thousandths * slice / 1000).saturating_add_signed(nanos).max(now);
                }
                Step::Came(requests) => {
                    for _ in 0..requests {
                        budget.came(Nanos(now));
                        model.came.push(now);
                    }
                }
                Step::Spend if budget.spend(Nanos(now)) => {
                    model.faulted.push(now);
                    let faulted = since(&model.faulted, now, window);
                    let came = since(&model.came, now, window);
                    prop_assert!(faulted * MILLION <= share * came, "{faulted} of {came}");
                }
                Step::Spend => {
                    // Which part of the oldest slice is in the window is not known: all of it but a nanosecond, or one.
                    let faulted = since(&model.faulted, now, window + slice - 1) + 1;
                    let came = since(&model.came, now, window - slice + 1);
                    prop_assert!(faulted * MILLION > share * came, "{faulted} of {came} refused");
                }
            }
        }
    }

    /// If the budget is at least 20 faults in a window, whether a fault is wanted for each request or for each second one.
    #[test]
    fn at_steady_load_at_least_eight_tenths_of_the_budget_are_used(
        share in 10_000..=MILLION,
        window in windows(),
        faults in 20..60u64,
        start in 0..10_000 * SECOND,
        each in 1..=2u64,
    ) {
        let each = if share > 400_000 { 1 } else { each };
        let requests = faults * MILLION / share + 1;
        let mut budget = new(share, window);
        let faulted = (0..requests * 4).filter(|number| {
            let now = Nanos(start + number * (window / requests));
            budget.came(now);
            number % each == 0 && budget.spend(now)
        });
        let used = faulted.count() as u64 * MILLION;
        let granted = share * requests * 4;
        prop_assert!(used * 10 >= granted * 8 && used <= granted, "{used} of {granted}");
    }
}

#[track_caller]
fn check_use(window_s: u64, start: u64) {
    let mut budget = budget(10, window_s);
    // 200 requests a second for ten windows.
    let requests = 200 * window_s * 10;
    let faulted = (0..requests).filter(|number| {
        let now = Nanos(start + number * SECOND / 200);
        budget.came(now);
        budget.spend(now)
    });
    let parts_per_thousand = faulted.count() as u64 * 1000 / requests;
    assert!((80..=100).contains(&parts_per_thousand), "{window_s} s: {parts_per_thousand}");
}

#[test]
fn of_200_requests_a_second_between_8_and_10_percent_are_faulted() {
    for start in [0, 1, 7_777_777, 1_234_567_890_123_456] {
        check_use(1, start);
        check_use(60, start);
    }
}
