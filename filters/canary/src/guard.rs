//! Trips when a variant is worse than its baseline.
//!
//! Each worker counts outcomes locally ([`Guard::count`]) and adds its counts to one record of the proxy's shared data
//! ([`Guard::merge`]). The merge judges the last window of all workers' counts. If the variant is worse than the
//! [`Thresholds`] allow, the merge writes a trip, and every worker that reads the record ([`Guard::state`]) knows of it.
//! The variant returns when the hold has passed, with empty counts; after the last trip it stays off.
//!
//! The state belongs to a config, identified by a fingerprint. While an earlier config drains, the later one holds for
//! both, as long as it merges.

mod bytes;
mod counts;
mod histogram;
mod judge;
mod look;
mod record;
mod report;
mod state;
mod tally;
mod window;

use look::Look;
use mesh_policy::store::{Store, StoreError, update};
use mesh_policy::time::Nanos;
use record::{Config, Record};
use std::cell::{Cell, RefCell};
use std::time::Duration;
use tally::{Round, Tally};
use window::SliceLength;

pub use counts::{Arm, Figures, Outcome};
pub use judge::{Reason, Thresholds};
pub use report::Report;
pub use state::{State, Trip};

/// Number of attempts of a merge.
const TRIES: u32 = 32;
/// Longest time from an outcome to its merge.
const LONGEST_INTERVAL: Duration = Duration::from_secs(1);

/// The settings of a guard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// What is allowed.
    pub thresholds: Thresholds,
    /// The time over which requests are judged. It is divided into ten slices; judged are the current one and the ten
    /// before it.
    pub window: Duration,
    /// How long the variant is off after a trip.
    pub hold: Duration,
    /// The trip after which the variant stays off.
    pub max_trips: u32,
}

/// A guard, as one worker sees it.
#[cfg_attr(test, derive(Clone))]
#[derive(Debug)]
pub struct Guard {
    settings: Settings,
    record: String,
    config: Config,
    slice: SliceLength,
    /// Time from an outcome to its merge, and from one look at the record to the next.
    interval: Duration,
    known: Cell<Known>,
    tally: RefCell<Tally>,
    /// Whether a merge was asked for since the last one.
    is_asked: Cell<bool>,
}

/// What a worker knows of the record.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    state: State,
    round: Round,
    /// When the record was last read; `None` if never.
    looked_at: Option<Nanos>,
}

/// The result of a merge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Merged {
    /// The state after the merge.
    pub state: State,
    /// The trip, if this merge has written it.
    pub tripped: Option<Report>,
    /// Whether this merge has written that the variant is back.
    pub returned: bool,
    /// How long from now this worker should merge again even if no outcome asks for it: when the variant returns.
    pub next: Option<Duration>,
}

impl Guard {
    /// A guard that has counted nothing. `record` is the name of its record. `fingerprint` identifies the values to
    /// which the state belongs, and `since` is when the config was loaded.
    ///
    /// The config takes the record over with its first merge, not before: the proxy also loads configs that it then
    /// refuses. So a config that has served no request leaves the state to the next one.
    #[must_use]
    pub fn new(settings: Settings, record: String, fingerprint: u64, since: Nanos) -> Self {
        let slice = SliceLength::of(settings.window);
        Self {
            settings,
            record,
            config: Config { since, fingerprint },
            slice,
            interval: slice.duration().min(LONGEST_INTERVAL),
            known: Cell::default(),
            tally: RefCell::new(Tally::empty()),
            is_asked: Cell::default(),
        }
    }

    /// The state as this worker knows it. Reads the record if this worker has not looked for a second, or a tenth of the
    /// window if that is shorter.
    ///
    /// # Errors
    /// The store fails. The next call reads again.
    pub fn state(&self, now: Nanos, store: &mut impl Store) -> Result<State, StoreError> {
        let known = self.known.get();
        if known.looked_at.is_some_and(|looked_at| now.since(looked_at) < self.interval) {
            return Ok(known.state.at(now));
        }
        let snapshot = store.read(self.record.as_bytes())?;
        let known = match Look::at(snapshot.value.as_deref(), snapshot.now, self.config) {
            Look::Ours(record) => Known::of(&record, snapshot.now),
            Look::Theirs(state) => Known::of_theirs(state, snapshot.now),
            Look::Anew(_) => Known::of_theirs(State::default(), snapshot.now),
        };
        self.known.set(known);
        Ok(known.state.at(snapshot.now))
    }

    /// Counts an outcome of this worker, unless the request began before the variant's last return. Returns how long
    /// from now to merge; `None` if a merge was already asked for since the last one.
    pub fn count(&self, outcome: &Outcome) -> Option<Duration> {
        let known = self.known.get();
        if known.state.counts(outcome.began) {
            let slice = self.slice.slice(outcome.ended());
            self.tally.borrow_mut().count(outcome, slice, known.round);
        }
        // While tripped, too: merges show that this config is in use.
        (!self.is_asked.replace(true)).then_some(self.interval)
    }

    /// Adds the counts of this worker to the record and judges them. `phase` is the rollout's phase at a state and an
    /// instant; it is kept with a trip.
    ///
    /// # Errors
    /// The store fails. The counts stay for the next merge, which the next outcome asks for.
    pub fn merge(
        &self,
        phase: &dyn Fn(&State, Nanos) -> u8,
        store: &mut impl Store,
    ) -> Result<Merged, StoreError> {
        self.is_asked.set(false);
        let mut tally = self.tally.borrow_mut();
        let (known, now, tripped, returned) = update(store, self.record.as_bytes(), TRIES, |bytes, now| {
            let mut record = match Look::at(bytes, now, self.config) {
                Look::Ours(record) | Look::Anew(record) => record,
                Look::Theirs(state) => return (None, (Known::of_theirs(state, now), now, None, false)),
            };
            let returned = self.refresh(&mut record, now);
            let tripped = if record.state.trip.is_none() {
                if let Some(counts) = tally.of(record.round()) {
                    record.counts.add(counts, self.slice.slice(now));
                }
                self.judge(&mut record, now, phase)
            } else {
                None
            };
            (Some(record.to_bytes()), (Known::of(&record, now), now, tripped, returned))
        })?;
        tally.clear();
        self.known.set(known);
        let state = known.state.at(now);
        let until = state.trip.and_then(|trip| trip.until);
        Ok(Merged { state, tripped, returned, next: until.map(|until| until.since(now)) })
    }

    /// Brings a record of this config to the present. Returns whether the variant is back since the last write.
    fn refresh(&self, record: &mut Record, now: Nanos) -> bool {
        let state = record.state.at(now);
        let returned = state != record.state;
        record.state = state;
        record.merged_at = now;
        if returned {
            record.counts.clear();
        }
        record.counts.advance(self.slice.slice(now));
        returned
    }

    /// Judges a record without a trip, and writes one to it if the variant is worse than allowed.
    fn judge(&self, record: &mut Record, now: Nanos, phase: &dyn Fn(&State, Nanos) -> u8) -> Option<Report> {
        let figures = record.counts.figures();
        let reason = self.settings.thresholds.judge(&figures)?;
        let Settings { hold, max_trips, .. } = self.settings;
        let trips = record.state.trips.saturating_add(1);
        let hold = (trips < max_trips).then_some(hold);
        let trip = Trip { until: hold.map(|hold| now.after(hold)), phase: phase(&record.state, now) };
        record.state = State { trip: Some(trip), trips, ..record.state };
        record.counts.clear();
        let (variant, baseline) = (figures.variant, figures.baseline);
        Some(Report { reason, variant, baseline, trip: trips, max_trips, hold })
    }
}

impl Known {
    /// What a record of this config shows.
    fn of(record: &Record, now: Nanos) -> Self {
        Self { state: record.state, round: record.round(), looked_at: Some(now) }
    }

    /// The state of another config, or a fresh one: this config has no record, and counts for its first round.
    fn of_theirs(state: State, now: Nanos) -> Self {
        Self { state, round: Round::default(), looked_at: Some(now) }
    }
}

impl Record {
    const fn round(&self) -> Round {
        Round { life: Some(self.life), trips: self.state.trips }
    }
}

#[cfg(test)]
mod tests;
