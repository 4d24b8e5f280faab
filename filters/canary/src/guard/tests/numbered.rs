//! Outcomes that can be told apart in a record: each has a number and a duration of its own.

use super::super::record::Record;
use super::super::window::Window;
use super::super::{Arm, Outcome};
use mesh_policy::time::Nanos;
use std::collections::BTreeMap;
use std::time::Duration;

/// Number of different outcomes. The last takes 6 s.
pub(super) const NUMBERS: usize = 61;

/// The outcome with a number, which ends at this instant. Those with odd numbers are of the baseline.
pub(super) fn outcome(number: usize, ended: Nanos) -> Outcome {
    let nanos = (0..number).fold(100_000_u64, |bound, _| bound * 6 / 5);
    let arm = if number.is_multiple_of(2) { Arm::Variant } else { Arm::Baseline };
    let took = Duration::from_nanos(nanos);
    Outcome { arm, began: Nanos(ended.0 - nanos), took, is_error: is_error(number) }
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
            for (number, count) in counts.took.buckets().iter().enumerate().filter(|(_, count)| **count > 0) {
                if *count > 1 || number % 2 != rest || numbers.insert(number, slice).is_some() {
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
    /// A config has started anew.
    pub(super) is_anew: bool,
    /// The guard has tripped.
    pub(super) tripped: bool,
    /// The variant has returned.
    pub(super) returned: bool,
}

/// What has happened between two records.
///
/// # Errors
/// It may not happen.
pub(super) fn change(before: Option<&Record>, after: &Record, max_trips: u32) -> Result<Change, String> {
    let same = before.filter(|before| before.life == after.life);
    let earlier = same.map(|before| before.state).unwrap_or_default();
    let (now, later) = (after.merged_at, after.state);
    let change = Change {
        is_anew: same.is_none(),
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
        law(old.fingerprint == new.fingerprint || change.is_anew, "another config starts anew")?;
    }
    Ok(change)
}
