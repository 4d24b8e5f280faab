//! One or two workers on shared data without interleaving.

use super::super::{Arm, Guard, Merged, Outcome, Reason, Settings, State, Thresholds, Trip, retire};
use super::numbered::read;
use mesh_policy::percent::Percentage;
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use mesh_testkit::records::Alone;
use std::time::Duration;

const SECOND: u64 = 1_000_000_000;
const TEN: Percentage = Percentage::from_parts_per_million(100_000).unwrap();

/// More than 10 % errors of at least 10 requests within 20 s trip it, for 60 s, at most twice.
const SETTINGS: Settings = Settings {
    thresholds: Thresholds {
        min_requests: 10,
        max_error_percentage: Some(TEN),
        max_error_ratio: None,
        max_p95_ratio: None,
    },
    window: Duration::from_secs(20),
    hold: Duration::from_secs(60),
    max_trips: 2,
};

fn guard(fingerprint: u64, since: u64) -> Guard {
    Guard::new(SETTINGS, "guard".to_owned(), fingerprint, Nanos(since))
}

/// An outcome that is known 1 ms after the request began.
fn outcome(began: u64, is_error: bool) -> Outcome {
    let (took, known_at) = (Duration::from_millis(1), Nanos(began + 1_000_000));
    Outcome { arm: Arm::Variant, began: Nanos(began), took, known_at, is_error }
}

/// A proxy whose clock is at this second.
fn store(seconds: u64) -> Alone {
    Alone { now: Nanos(seconds * SECOND), ..Alone::default() }
}

fn count(guard: &Guard, store: &Alone, outcomes: u64, is_error: bool) {
    for _ in 0..outcomes {
        guard.count(&outcome(store.now.0 - 1_000_000, is_error));
    }
}

fn merge(guard: &Guard, store: &mut impl Store) -> Merged {
    guard.merge(&|state, _| Some(7 + state.trips as u8), store).unwrap()
}

/// Trips with 20 errors.
fn trip(guard: &Guard, store: &mut Alone) -> Merged {
    count(guard, store, 20, true);
    merge(guard, store)
}

#[test]
fn a_bad_variant_is_off_and_returns() {
    let (guard, mut store) = (guard(1, 0), store(100));
    assert_eq!(guard.state(store.now, &mut store), Ok(State::default()));
    let merged = trip(&guard, &mut store);
    let report = merged.tripped.unwrap();
    assert_eq!(report.to_string(), "errors 100.0 % of 20 requests, allowed 10 %; trip 1 of 2, off for 1m");
    assert_eq!(report.reason, Reason::ErrorPercentage(TEN));
    let until = Nanos(160 * SECOND);
    let tripped = State { trip: Some(Trip { until: Some(until), phase: 7 }), restarted_at: None, trips: 1 };
    assert_eq!((merged.state, merged.next), (tripped, Some(SETTINGS.hold)));
    // It is not judged while it is off.
    store.now = Nanos(130 * SECOND);
    let merged = trip(&guard, &mut store);
    assert_eq!((merged.state, merged.tripped, merged.returned), (tripped, None, false));
    assert_eq!(merged.next, Some(Duration::from_secs(30)));
    // From `until` on it is back, though nobody has merged.
    let back = State { trip: None, restarted_at: Some(until), trips: 1 };
    assert_eq!(guard.state(Nanos(until.0 - 1), &mut store), Ok(tripped));
    store.now = Nanos(161 * SECOND);
    assert_eq!(guard.state(store.now, &mut store), Ok(back));
    let merged = merge(&guard, &mut store);
    assert_eq!((merged.state, merged.returned, merged.next), (back, true, None));
    assert!(!merge(&guard, &mut store).returned);
    // The counts are empty, also of what began before it was back.
    for _ in 0..20 {
        guard.count(&outcome(until.0 - 1, true));
    }
    assert_eq!(merge(&guard, &mut store).tripped, None);
    // The last trip is for good.
    let report = trip(&guard, &mut store).tripped.unwrap();
    assert_eq!(report.to_string(), "errors 100.0 % of 20 requests, allowed 10 %; trip 2 of 2, off for good");
    store.now = Nanos(u64::MAX);
    let state = State { trip: Some(Trip { until: None, phase: 8 }), restarted_at: Some(until), trips: 2 };
    assert_eq!(guard.state(store.now, &mut store), Ok(state));
    assert_eq!(merge(&guard, &mut store).next, None);
}

#[test]
fn judged_is_the_last_window_of_all_workers() {
    #[track_caller]
    fn check(seconds: u64, is_tripped: bool) {
        let (one, other, mut store) = (guard(1, 0), guard(1, 1), store(100));
        count(&one, &store, 9, true);
        assert_eq!(merge(&one, &mut store).tripped, None);
        store.now = Nanos((100 + seconds) * SECOND);
        count(&other, &store, 1, true);
        let report = merge(&other, &mut store).tripped;
        assert_eq!(report.map(|report| report.variant.requests), is_tripped.then_some(10));
    }
    check(0, true);
    check(10, true);
    check(21, true);
    check(22, false);
}

#[test]
fn an_outcome_counts_when_it_is_known() {
    let (guard, mut store) = (guard(1, 0), store(100));
    // Headers at once, and an error in the trailers two windows later.
    let known_at = Nanos(140 * SECOND);
    for _ in 0..50 {
        guard.count(&Outcome { known_at, ..outcome(100 * SECOND, true) });
    }
    store.now = known_at;
    let report = merge(&guard, &mut store).tripped.unwrap();
    assert_eq!(report.variant.requests, 50);
    assert!(report.variant.p95.unwrap().about() < Duration::from_millis(2));
}

#[test]
fn equally_fast_variants_do_not_trip_each_other() {
    let thresholds =
        Thresholds { max_error_percentage: None, max_p95_ratio: Some(1.0), ..SETTINGS.thresholds };
    let is_tripped = |variant: u64, baseline: u64| {
        let guard = Guard::new(Settings { thresholds, ..SETTINGS }, "guard".to_owned(), 1, Nanos(0));
        let mut store = store(100);
        for (arm, micros) in [(Arm::Variant, variant), (Arm::Baseline, baseline)] {
            let took = Duration::from_micros(micros);
            let outcome = Outcome { arm, took, ..outcome(99 * SECOND, false) };
            for _ in 0..100 {
                guard.count(&outcome);
            }
        }
        merge(&guard, &mut store).tripped.is_some()
    };
    // A bucket begins at 105.112 ms, and one at 127.186 ms.
    assert!(!is_tripped(105_200, 105_100));
    assert!(!is_tripped(115_000, 95_600));
    assert!(is_tripped(127_200, 105_100));
}

#[test]
fn a_merge_without_a_clock_does_not_judge() {
    let (guard, mut store) = (guard(1, 0), store(100));
    count(&guard, &store, 20, true);
    let merged = guard.merge(&|_, _| None, &mut store).unwrap();
    assert_eq!((merged.state, merged.tripped), (State::default(), None));
    assert_eq!(merge(&guard, &mut store).tripped.unwrap().variant.requests, 20);
}

#[test]
fn a_guard_that_is_called_while_it_merges_does_nothing() {
    let (guard, mut store) = (guard(1, 0), store(100));
    count(&guard, &store, 20, true);
    let within = |_: &State, _: Nanos| {
        assert_eq!(guard.merge(&|_, _| Some(0), &mut store.clone()), Err(StoreError::Contention));
        count(&guard, &store, 1, true);
        Some(0)
    };
    let report = guard.merge(&within, &mut store.clone()).unwrap().tripped.unwrap();
    assert_eq!(report.variant.requests, 20);
    assert_eq!(merge(&guard, &mut store).state, State::default());
}

#[test]
fn a_guard_is_due_after_an_outcome_a_failure_or_a_trip() {
    let (guard, mut store) = (guard(1, 0), store(100));
    let is_due = |guard: &Guard, store: &Alone| (guard.is_due(store.now), guard.until(store.now));
    assert_eq!(is_due(&guard, &store), (false, None));
    count(&guard, &store, 1, true);
    assert_eq!(is_due(&guard, &store), (true, None));
    // A merge that fails is due again, and the next outcome asks for it, too.
    let fail = |guard: &Guard, store: &mut Alone| {
        assert!(guard.merge(&|_, _| Some(0), &mut Failing { store, calls: 0, fails: 1 }).is_err());
    };
    fail(&guard, &mut store);
    assert_eq!(is_due(&guard, &store), (true, None));
    assert!(guard.count(&outcome(99 * SECOND, true)).is_some());
    trip(&guard, &mut store);
    assert_eq!(is_due(&guard, &store), (false, Some(SETTINGS.hold)));
    // Nothing is counted while it is off.
    count(&guard, &store, 1, true);
    fail(&guard, &mut store);
    store.now = Nanos(130 * SECOND);
    assert_eq!(is_due(&guard, &store), (false, Some(Duration::from_secs(30))));
    store.now = Nanos(160 * SECOND);
    assert_eq!(is_due(&guard, &store), (true, None));
    assert!(merge(&guard, &mut store).returned);
    assert_eq!(is_due(&guard, &store), (false, None));
    // For good.
    trip(&guard, &mut store);
    store.now = Nanos(1000 * SECOND);
    assert_eq!(is_due(&guard, &store), (false, None));
}

/// Nor is an earlier config due for the end of another's trip, which it does not write.
#[test]
fn a_trip_of_a_later_config_leaves_nothing_to_do() {
    let (a, b, mut store) = (guard(1, 0), guard(2, 1), store(100));
    trip(&b, &mut store);
    a.state(store.now, &mut store).unwrap();
    assert_eq!(a.until(store.now), Some(SETTINGS.hold));
    store.now = Nanos(160 * SECOND);
    assert!(a.is_due(store.now));
    let merged = merge(&a, &mut store);
    assert_eq!((merged.state.trip, merged.returned, merged.next), (None, false, None));
    assert!(!a.is_due(store.now));
    assert!(merge(&b, &mut store).returned);
}

#[test]
fn an_unmerged_count_ages() {
    let (guard, mut store) = (guard(1, 0), store(100));
    count(&guard, &store, 20, true);
    store.now = Nanos(122 * SECOND);
    assert_eq!(merge(&guard, &mut store).tripped, None);
}

/// Fails each call from the `fails`th on.
struct Failing<'a> {
    store: &'a mut Alone,
    calls: u32,
    fails: u32,
}

impl Failing<'_> {
    fn call(&mut self) -> Result<(), StoreError> {
        self.calls += 1;
        if self.calls > self.fails { Err(StoreError::Host) } else { Ok(()) }
    }
}

impl Store for Failing<'_> {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        self.call()?;
        self.store.read(key)
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        self.call()?;
        self.store.write(key, value, version)
    }
}

#[test]
fn what_could_not_be_merged_is_merged_later() {
    for fails in 0..2 {
        let (guard, mut store) = (guard(1, 0), store(100));
        count(&guard, &store, 20, true);
        let mut failing = Failing { store: &mut store, calls: 0, fails };
        assert_eq!(guard.merge(&|_, _| Some(0), &mut failing), Err(StoreError::Host));
        assert_eq!(merge(&guard, &mut store).tripped.unwrap().variant.requests, 20);
    }
}

/// Another worker is faster at the first writes.
struct Contended<'a> {
    store: &'a mut Alone,
    conflicts: u32,
}

impl Store for Contended<'_> {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        self.store.read(key)
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        match self.conflicts.checked_sub(1) {
            Some(conflicts) => {
                self.conflicts = conflicts;
                Ok(Written::Conflict)
            }
            None => self.store.write(key, value, version),
        }
    }
}

#[test]
fn a_merge_tries_32_times() {
    let (guard, mut store) = (guard(1, 0), store(100));
    count(&guard, &store, 20, true);
    let mut merge = |conflicts| {
        let mut contended = Contended { store: &mut store, conflicts };
        let merged = guard.merge(&|_, _| Some(0), &mut contended);
        merged.map(|merged| merged.tripped.map(|report| report.variant.requests))
    };
    assert_eq!(merge(32), Err(StoreError::Contention));
    assert_eq!(merge(31), Ok(Some(20)));
}

#[test]
fn one_merge_is_asked_for() {
    let (guard, mut store) = (guard(1, 0), store(100));
    let interval = Some(Duration::from_secs(1));
    let ask = || guard.count(&outcome(100 * SECOND, false));
    assert_eq!((ask(), ask()), (interval, None));
    merge(&guard, &mut store);
    assert_eq!((ask(), ask()), (interval, None));
    let failed = guard.merge(&|_, _| Some(0), &mut Failing { store: &mut store, calls: 0, fails: 0 });
    assert_eq!((failed, ask(), ask()), (Err(StoreError::Host), interval, None));
    // Also while it is off, so that this config keeps the record.
    trip(&guard, &mut store);
    assert_eq!(ask(), interval);
    let short = Settings { window: Duration::from_secs(1), ..SETTINGS };
    let guard = Guard::new(short, "guard".to_owned(), 1, Nanos(0));
    assert_eq!(guard.count(&outcome(0, false)), Some(Duration::from_millis(100)));
}

#[test]
fn a_worker_looks_once_in_an_interval() {
    let (guard, mut store) = (guard(1, 0), store(100));
    let mut look = |guard: &Guard, millis: u64| {
        store.now = Nanos(100 * SECOND + millis * 1_000_000);
        let now = store.now;
        let mut counting = Failing { store: &mut store, calls: 0, fails: 9 };
        guard.state(now, &mut counting).unwrap();
        counting.calls
    };
    assert_eq!([0, 0, 999, 1000, 1999, 2000].map(|millis| look(&guard, millis)), [1, 0, 0, 1, 0, 1]);
    // A merge is a look.
    merge(&guard, &mut store);
    let mut failing = Failing { store: &mut store, calls: 0, fails: 0 };
    assert!(guard.state(Nanos(102 * SECOND), &mut failing).is_ok());
    // A look that fails is none.
    let later = Nanos(104 * SECOND);
    assert_eq!([(); 2].map(|()| guard.state(later, &mut failing)), [Err(StoreError::Host); 2]);
}

#[test]
fn a_worker_learns_of_a_trip() {
    let (one, other, mut store) = (guard(1, 0), guard(1, 1), store(100));
    count(&other, &store, 20, true);
    let state = trip(&one, &mut store).state;
    assert_eq!(other.state(store.now, &mut store), Ok(state));
    // What it has counted is of the time before.
    let merged = merge(&other, &mut store);
    assert_eq!((merged.state, merged.tripped, merged.next), (state, None, Some(SETTINGS.hold)));
    store.now = Nanos(160 * SECOND);
    assert!(merge(&other, &mut store).returned);
    assert!(!merge(&one, &mut store).returned);
}

#[test]
fn what_was_counted_before_a_trip_is_not_counted_after_the_return() {
    // The return is in the window of what was counted before.
    let settings = Settings { hold: Duration::from_secs(5), ..SETTINGS };
    let guard = |since| Guard::new(settings, "guard".to_owned(), 1, Nanos(since));
    let (one, mut store) = (guard(0), store(100));
    let others = [guard(1), guard(2)];
    for other in &others {
        merge(other, &mut store);
        count(other, &store, 20, true);
    }
    trip(&one, &mut store);
    store.now = Nanos(105 * SECOND);
    // One worker knows of nothing, the other learns of the return before it merges.
    others[1].state(store.now, &mut store).unwrap();
    count(&others[0], &store, 1, true);
    others[1].count(&outcome(105 * SECOND, true));
    for other in &others {
        assert_eq!(merge(other, &mut store).tripped, None);
    }
    count(&one, &store, 8, true);
    assert_eq!(merge(&one, &mut store).tripped, None);
}

#[test]
fn a_push_clears_a_trip() {
    let (old, new, mut store) = (guard(1, 0), guard(2, 1), store(100));
    let state = trip(&old, &mut store).state;
    assert_eq!(guard(1, 5).state(store.now, &mut store), Ok(state));
    assert_eq!(new.state(store.now, &mut store), Ok(State::default()));
    assert!(state.trip.is_some());
    let merged = merge(&new, &mut store);
    assert_eq!((merged.state, merged.returned), (State::default(), false));
    // The later config holds for the one that drains, whose counts are dropped.
    for _ in 0..2 {
        count(&old, &store, 20, true);
        let merged = merge(&old, &mut store);
        assert_eq!((merged.state, merged.tripped), (State::default(), None));
    }
    let state = trip(&new, &mut store).state;
    assert_eq!(merge(&old, &mut store).state, state);
    assert!(state.trip.is_some());
}

#[test]
fn a_trip_survives_a_push_that_is_withdrawn() {
    #[track_caller]
    fn check(pushed: impl Fn(&Guard, &mut Alone), pause: u64) {
        let (a, b, mut store) = (guard(1, 1), guard(2, 2), store(100));
        let state = trip(&a, &mut store).state;
        pushed(&b, &mut store);
        store.now = Nanos((100 + pause) * SECOND);
        assert_eq!(a.state(store.now, &mut store), Ok(state));
        count(&a, &store, 20, true);
        let merged = merge(&a, &mut store);
        assert_eq!((merged.state, merged.tripped, merged.returned), (state, None, false));
        // It returns, and its next trip is the second.
        store.now = Nanos(161 * SECOND);
        assert!(merge(&a, &mut store).returned);
        assert_eq!(trip(&a, &mut store).tripped.unwrap().trip, 2);
    }
    // It is refused, gets no requests, or some, and trips itself.
    check(|_, _| (), 1);
    check(|b, store| assert!(b.state(store.now, store).is_ok()), 1);
    check(|b, store| assert!(merge(b, store).tripped.is_none()), 11);
    check(|b, store| assert!(trip(b, store).tripped.is_some()), 11);
}

#[test]
fn a_trip_that_ends_while_another_config_holds_has_ended() {
    let (a, b, mut store) = (guard(1, 1), guard(2, 2), store(100));
    let tripped = trip(&a, &mut store).state;
    merge(&b, &mut store);
    store.now = Nanos(161 * SECOND);
    let back = State { trip: None, restarted_at: Some(Nanos(160 * SECOND)), ..tripped };
    assert_eq!(a.state(store.now, &mut store), Ok(back));
    assert!(!a.is_due(store.now));
    // A request that began before it was back does not count, but shows that A is in use.
    count(&a, &store, 9, true);
    a.count(&outcome(159 * SECOND, true));
    let merged = merge(&a, &mut store);
    assert_eq!((merged.state, merged.tripped, merged.returned), (back, None, true));
    count(&a, &store, 1, true);
    let report = merge(&a, &mut store).tripped.unwrap();
    assert_eq!((report.trip, report.variant.requests), (2, 10));
}

/// A drains while B has no requests, after its trip.
#[test]
fn a_trip_survives_an_earlier_config() {
    #[track_caller]
    fn check(is_taken: bool, earlier: impl Fn(&Guard, &mut Alone)) {
        let (a, b, mut store) = (guard(1, 1), guard(2, 2), store(100));
        merge(&a, &mut store);
        let state = trip(&b, &mut store).state;
        store.now = Nanos(111 * SECOND);
        earlier(&a, &mut store);
        let owner = store.records.get("guard".as_bytes()).map(|(record, _)| read(record).owner.fingerprint);
        assert_eq!(owner, Some(if is_taken { 1 } else { 2 }));
        store.now = Nanos(112 * SECOND);
        assert_eq!(b.state(store.now, &mut store), Ok(state));
        count(&b, &store, 1, true);
        let merged = merge(&b, &mut store);
        assert_eq!((merged.state, merged.tripped), (state, None));
        assert_eq!(a.state(store.now, &mut store), Ok(state));
    }
    check(false, |_, _| ());
    // A tick, or its end.
    check(false, |a, store| assert!(merge(a, store).state.trip.is_some()));
    check(false, |a, store| assert_eq!(a.state(store.now, store), Ok(State::default())));
    let request = |a: &Guard, store: &mut Alone| {
        assert_eq!(a.state(store.now, store), Ok(State::default()));
        count(a, store, 1, false);
        assert_eq!(merge(a, store).state, State::default());
    };
    check(true, request);
    check(true, |a, store| {
        request(a, store);
        assert_eq!(merge(a, store).state, State::default());
    });
    // A request whose first merge fails.
    check(true, |a, store| {
        a.state(store.now, store).unwrap();
        count(a, store, 1, false);
        assert!(a.merge(&|_, _| Some(0), &mut Failing { store, calls: 0, fails: 1 }).is_err());
        assert_eq!(merge(a, store).state, State::default());
    });
    // A request that began before.
    check(true, |a, store| {
        count(a, store, 1, true);
        assert_eq!(merge(a, store).state, State::default());
    });
}

/// What it counts while it is off shows that it is in use.
#[test]
fn a_tripped_config_takes_the_record_back_when_it_is_in_use() {
    let (a, b, mut store) = (guard(1, 1), guard(2, 2), store(100));
    let state = trip(&a, &mut store).state;
    merge(&b, &mut store);
    store.now = Nanos(111 * SECOND);
    assert_eq!(merge(&a, &mut store).state, State::default());
    store.now = Nanos(112 * SECOND);
    assert_eq!(a.state(store.now, &mut store), Ok(state));
    count(&a, &store, 1, true);
    assert_eq!(merge(&a, &mut store).state, state);
    // Another worker finds its own record.
    assert_eq!(merge(&guard(1, 0), &mut store).state, state);
}

#[test]
fn a_config_that_is_pushed_again_starts_anew() {
    let (a, b, again, mut store) = (guard(1, 0), guard(2, 1), guard(1, 2), store(100));
    trip(&a, &mut store);
    store.now = Nanos(170 * SECOND);
    // What A counts before the push is not counted after it.
    count(&a, &store, 9, true);
    merge(&b, &mut store);
    assert_eq!(again.state(store.now, &mut store), Ok(State::default()));
    assert_eq!(merge(&again, &mut store).state, State::default());
    count(&a, &store, 9, true);
    assert_eq!(merge(&a, &mut store).tripped, None);
    count(&again, &store, 9, true);
    assert_eq!(merge(&again, &mut store).tripped, None);
}

#[test]
fn a_push_without_a_guard_ends_the_state() {
    let (a, again, mut store) = (guard(1, 1), guard(1, 9), store(100));
    let retire = |since: u64, store: &mut Alone| {
        let before = store.records.clone();
        retire("guard", Nanos(since), store).unwrap();
        before != store.records
    };
    // There is nothing to end.
    assert!(!retire(5, &mut store));
    let state = trip(&a, &mut store).state;
    assert!(!retire(0, &mut store) && !retire(1, &mut store));
    assert_eq!(a.state(store.now, &mut store), Ok(state));
    assert!(retire(5, &mut store));
    assert!(!retire(5, &mut store));
    // The one that drains follows it.
    store.now = Nanos(101 * SECOND);
    assert_eq!(a.state(store.now, &mut store), Ok(State::default()));
    count(&a, &store, 20, true);
    assert_eq!(merge(&a, &mut store).tripped, None);
    // It may be in use again.
    let mut withdrawn = store.clone();
    withdrawn.now = Nanos(111 * SECOND);
    assert_eq!(a.state(withdrawn.now, &mut withdrawn), Ok(state));
    count(&a, &withdrawn, 1, true);
    assert_eq!(merge(&a, &mut withdrawn).state, state);
    // The guard comes back.
    for mut store in [store, withdrawn] {
        assert_eq!(again.state(store.now, &mut store), Ok(State::default()));
        assert_eq!(trip(&again.clone(), &mut store).tripped.unwrap().trip, 1);
        assert!(!retire(8, &mut store));
    }
}

#[test]
fn retiring_a_record_is_an_update() {
    let (a, mut store) = (guard(1, 1), store(100));
    trip(&a, &mut store);
    let retire =
        |store: &mut Alone, conflicts| retire("guard", Nanos(5), &mut Contended { store, conflicts });
    assert_eq!(retire(&mut store, 32), Err(StoreError::Contention));
    assert_eq!(retire(&mut store, 31), Ok(()));
    store.records.iter_mut().for_each(|(_, record)| record.truncate(20));
    assert_eq!(retire(&mut store, 1), Ok(()));
}

/// No guard has the fingerprint of a config without one.
#[test]
fn a_guard_differs_from_none() {
    let mut store = store(100);
    let zero = guard(0, 1);
    let state = trip(&zero, &mut store).state;
    retire("guard", Nanos(5), &mut store).unwrap();
    store.now = Nanos(111 * SECOND);
    assert_eq!(zero.state(store.now, &mut store), Ok(state));
    assert_eq!(guard(0, 9).state(store.now, &mut store), Ok(State::default()));
}

#[test]
fn a_damaged_record_is_none() {
    let (guard, mut store) = (guard(1, 0), store(100));
    trip(&guard, &mut store);
    for (_, record) in store.records.iter_mut() {
        record.truncate(20);
    }
    assert_eq!(merge(&guard, &mut store).state, State::default());
    assert_eq!(trip(&guard, &mut store).tripped.unwrap().trip, 1);
}
