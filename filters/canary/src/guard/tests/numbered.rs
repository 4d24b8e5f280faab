//! Outcomes that can be told apart in a record: each has a number and a duration of its own.

use super::super::record::{Config, Former, Record};
use super::super::window::Window;
use super::super::{Arm, Outcome, State};
use mesh_policy::time::Nanos;
use std::collections::BTreeMap;
use std::time::Duration;

/// Number of different outcomes. The last takes 9 s.
pub(super) const NUMBERS: usize = 61;

/// The outcome with a number, which becomes known at this instant; for some, seconds after the headers. Those with odd
/// numbers are of the baseline.
pub(super) fn outcome(number: usize, known_at: Nanos) -> Outcome {
    let nanos = (0..bucket(number)).fold(100_000_u64, |bound, _| bound * 11 / 10);
    let arm = if number.is_multiple_of(2) { Arm::Variant } else { Arm::Baseline };
    let began = Nanos(known_at.0 - nanos - number as u64 % 3 * 2_000_000_000);
    Outcome { arm, began, took: Duration::from_nanos(nanos), known_at, is_error: is_error(number) }
}

/// The bucket of the outcome with a number.
const fn bucket(number: usize) -> usize {
    2 * number
}

/// Whether the outcome with a number is an error: three quarters are.
fn is_error(number: usize) -> bool {
    number % 8 < 6
}

/// The numbers of the outcomes in a window, with their slices.
///
/// # Errors
/// An outcome is counted twice, by the other arm, or wrongly as an error or not.
pub(super) fn numbers(window: &Window) -> Result<BTreeMap<usize, u64>, String> {
    let mut numbers = BTreeMap::new();
    for (slice, both) in window.counts() {
        for (counts, rest) in [(&both.variant, 0), (&both.baseline, 1)] {
            let mut errors = 0;
            for (found, count) in counts.took.buckets().iter().enumerate().filter(|(_, count)| **count > 0) {
                let number = found / 2;
                if found != bucket(number)
                    || *count > 1
                    || number % 2 != rest
                    || numbers.insert(number, slice).is_some()
                {
                    return Err(format!("outcome {number} is counted twice or by the wrong arm"));
                }
                errors += u32::from(is_error(number));
            }
            if counts.errors != errors {
                return Err(format!("{} errors, expected {errors}", counts.errors));
            }
        }
    }
    Ok(numbers)
}

/// A record, which must be one.
pub(super) fn read(bytes: &[u8]) -> Record {
    Record::read(bytes, Nanos(u64::MAX)).expect("it is a record")
}

/// What has happened in a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// A config has taken the record over.
    pub(super) is_taken: bool,
    /// The state that it continues with, or that the record had.
    pub(super) earlier: State,
    /// The guard has tripped.
    pub(super) tripped: bool,
    /// The variant has returned.
    pub(super) returned: bool,
}

/// The state with which `owner` takes a record over: its own if the record has it, unless it is another push of the same
/// values after that of the record's owner.
fn left(before: &Record, owner: Config) -> State {
    match before.other {
        Some(own) if own.config.fingerprint == owner.fingerprint => {
            let is_pushed_again = own.config < before.owner && before.owner < owner;
            if is_pushed_again { State::default() } else { own.state }
        }
        _ => State::default(),
    }
}

/// What has happened between two records.
///
/// # Errors
/// It may not happen.
pub(super) fn change(before: Option<&Record>, after: &Record, max_trips: u32) -> Result<Change, String> {
    let same = before.filter(|before| before.life == after.life);
    let earlier = match (same, before) {
        (Some(before), _) => before.state,
        (None, Some(before)) => left(before, after.owner),
        (None, None) => State::default(),
    };
    let (now, later) = (after.merged_at, after.state);
    let change = Change {
        is_taken: same.is_none(),
        earlier,
        tripped: later.trips != earlier.trips,
        returned: later.restarted_at != earlier.restarted_at,
    };
    let law =
        |holds: bool, law: &str| if holds { Ok(()) } else { Err(format!("{law}: {before:?} {after:?}")) };
    law(later.trips <= max_trips, "no more trips than allowed")?;
    law(later.trips == earlier.trips + u32::from(change.tripped), "one trip at a time")?;
    let until = earlier.trip.and_then(|trip| trip.until);
    let is_over = until.is_some_and(|until| until <= now);
    law(change.returned == is_over, "it returns when the hold is over")?;
    law(!change.returned || later.restarted_at == until, "its rollout restarts when the hold is over")?;
    let holds = (earlier.trip.is_some() && !is_over) || change.tripped;
    law(later.trip.is_some() == holds, "a trip holds until then")?;
    let is_for_good = |trip: super::super::Trip| trip.until.is_none();
    law(
        later.trip.is_none_or(|trip| is_for_good(trip) == (later.trips == max_trips)),
        "the last is for good",
    )?;
    law(!change.tripped || earlier.trip.is_none() || is_over, "no trip while one holds")?;
    law(later.trip.is_none() || after.counts.is_empty(), "nothing is counted while it is off")?;
    if let Some(before) = before {
        let (old, new) = (before.owner, after.owner);
        law(before.merged_at <= now && before.life <= after.life, "time does not run backwards")?;
        let is_silent = now.since(before.merged_at) >= Duration::from_secs(10);
        law(old.fingerprint == new.fingerprint || new > old || is_silent, "the later config holds")?;
        law(old.fingerprint != new.fingerprint || new >= old, "the later push counts")?;
        law(old.fingerprint == new.fingerprint || change.is_taken, "each config has its own state")?;
        let is_other = |former: &Former| former.config.fingerprint != new.fingerprint;
        let former = Some(Former { config: old, state: before.state }).filter(is_other);
        let other = former.into_iter().chain(before.other.filter(is_other)).max_by_key(|other| other.config);
        law(
            after.other == if change.is_taken { other } else { before.other },
            "the latest other is remembered",
        )?;
    }
    Ok(change)
}
