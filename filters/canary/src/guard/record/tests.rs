use super::super::counts::{Arm, Outcome};
use super::super::tally::Tally;
use super::{Config, FORMAT, Former, Record, State, Trip, Window};
use mesh_policy::time::Nanos;
use proptest::prelude::*;
use std::time::Duration;

/// The size of a full record of 11 slices.
const LARGEST: usize = 16_426;

fn record(counts: Window) -> Record {
    let state = |trips, until| State {
        trip: Some(Trip { until: Some(Nanos(until)), phase: 2 }),
        restarted_at: Some(Nanos(1)),
        trips,
    };
    let config = |since, fingerprint| Config { since: Nanos(since), fingerprint };
    Record {
        owner: config(3, 4),
        other: Some(Former { config: config(5, 6), state: state(1, 10) }),
        life: 7,
        merged_at: Nanos(8),
        state: state(2, 9),
        counts,
    }
}

/// Counts in every bucket of every slice.
fn full() -> Window {
    let mut window = Window::empty();
    for slice in 0..11 {
        for nanos in std::iter::successors(Some(100_000_u64), |bound| Some(bound * 11 / 10)).take(183) {
            for arm in [Arm::Variant, Arm::Baseline] {
                let took = Duration::from_nanos(nanos);
                window.count(
                    &Outcome { arm, began: Nanos(0), took, known_at: Nanos(0), is_error: true },
                    slice,
                );
            }
        }
    }
    window
}

#[test]
fn the_largest_record_is_small() {
    assert_eq!(record(full()).to_bytes().len(), LARGEST);
    // With the tally of a worker it is within the 32 KiB that a guard may have.
    let tally = size_of::<Tally>() + Window::empty().size();
    assert!(LARGEST + tally <= 32 * 1024, "{tally}");
}

#[test]
fn what_is_not_a_record_is_none() {
    let bytes = record(full()).to_bytes();
    let reads = |bytes: &[u8]| Record::read(bytes, Nanos(8)).is_some();
    assert!(reads(&bytes));
    (0..bytes.len()).for_each(|length| assert!(!reads(&bytes[..length]), "{length}"));
    assert!(!reads(&[bytes.clone(), vec![0]].concat()));
    let mut other = bytes.clone();
    other[0] = FORMAT as u8 + 1;
    assert!(!reads(&other));
    // From the future.
    assert!(Record::read(&bytes, Nanos(7)).is_none());
}

#[test]
fn more_errors_than_requests_are_no_counts() {
    let mut bytes = record(Window::empty()).to_bytes();
    *bytes.last_mut().unwrap() = 1;
    bytes.extend(7_u64.to_le_bytes());
    let arm =
        |errors: u32| [errors.to_le_bytes().to_vec(), vec![5, 1], 2_u32.to_le_bytes().to_vec()].concat();
    let read = |errors| Record::read(&[bytes.clone(), arm(errors), arm(0)].concat(), Nanos(8));
    assert_eq!(read(2).unwrap().counts.figures().variant.errors, 2);
    assert!(read(3).is_none());
}

fn instant() -> impl Strategy<Value = Option<Nanos>> {
    prop::option::of(any::<u64>().prop_map(Nanos))
}

fn config() -> impl Strategy<Value = Config> {
    any::<(u64, u64)>().prop_map(|(since, fingerprint)| Config { since: Nanos(since), fingerprint })
}

prop_compose! {
    fn outcome()(variant: bool, nanos in 0u64..1 << 42, is_error: bool, slice in 100u64..111) -> (Outcome, u64) {
        let arm = if variant { Arm::Variant } else { Arm::Baseline };
        let (took, known_at) = (Duration::from_nanos(nanos), Nanos(nanos));
        (Outcome { arm, began: Nanos(0), took, known_at, is_error }, slice)
    }
}

prop_compose! {
    fn state()(
        trips: u32, trip in prop::option::of((instant(), any::<u8>())), restarted_at in instant(),
    ) -> State {
        State { trip: trip.map(|(until, phase)| Trip { until, phase }), restarted_at, trips }
    }
}

prop_compose! {
    fn any_record()(
        owner in config(), other in prop::option::of((config(), state())), life: u64, merged_at: u64,
        state in state(), mut outcomes in prop::collection::vec(outcome(), 0..30),
    ) -> Record {
        let mut counts = Window::empty();
        outcomes.sort_by_key(|(_, slice)| *slice);
        outcomes.iter().for_each(|(outcome, slice)| counts.count(outcome, *slice));
        let other = other.map(|(config, state)| Former { config, state });
        Record { owner, other, life, merged_at: Nanos(merged_at), state, counts }
    }
}

proptest! {
    #[test]
    fn a_record_reads_back(record in any_record()) {
        let bytes = record.to_bytes();
        let read = Record::read(&bytes, record.merged_at).expect("it is a record");
        prop_assert_eq!((read.owner, read.other, read.life), (record.owner, record.other, record.life));
        prop_assert_eq!((read.merged_at, read.state), (record.merged_at, record.state));
        prop_assert_eq!(read.counts.figures(), record.counts.figures());
        prop_assert_eq!(read.to_bytes(), bytes);
    }

    #[test]
    fn any_bytes_are_read(bytes: Vec<u8>, now: u64) {
        let bytes = [FORMAT.to_le_bytes().to_vec(), bytes].concat();
        let _record = Record::read(&bytes, Nanos(now));
    }

    #[test]
    fn a_damaged_record_is_read(
        record in any_record(), damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = record.to_bytes();
        for (at, byte) in damages {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(mut read) = Record::read(&bytes, Nanos(u64::MAX)) {
            read.counts.advance(105);
            prop_assert!(read.to_bytes().len() <= LARGEST);
        }
    }
}
