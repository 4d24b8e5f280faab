//! Trips when a variant is worse than its baseline.
//!
//! Each worker counts outcomes locally ([`Guard::count`]) and adds its counts to one record of the proxy's shared data
//! ([`Guard::merge`]). The merge judges the last window of all workers' counts. If the variant is worse than the
//! [`Thresholds`] allow, the merge writes a trip, and every worker that reads the record ([`Guard::state`]) knows of it.
//! The variant returns when the hold has passed, with empty counts; after the last trip it stays off.
//!
//! The state belongs to a config, identified by a fingerprint. While an earlier config drains, the later one holds for
//! both, as long as it merges. The record also keeps the state of the config that owned it before, so that a config that is
//! in use again (because the later one was withdrawn, or was only silent) continues with its own state.

mod bytes;
mod counts;
mod histogram;
mod judge;
mod look;
mod record;
mod report;
mod retire;
mod state;
mod tally;
mod window;

use look::Look;
use mesh_policy::store::{Store, StoreError, update};
use mesh_policy::time::Nanos;
use record::{Config, NO_GUARD, Record, TRIES};
use std::cell::{Cell, RefCell};
use std::time::Duration;
use tally::{Round, Tally};
use window::SliceLength;

pub use counts::{Arm, Figures, Outcome};
pub use judge::{Reason, Thresholds};
pub use report::Report;
pub use retire::retire;
pub use state::{State, Trip};

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
            // No guard has the fingerprint of a config without one.
            config: Config { since, fingerprint: if fingerprint == NO_GUARD { 1 } else { fingerprint } },
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
        let known = match Look::at(snapshot.value.as_deref(), snapshot.now, self.config, true) {
            Look::Ours(record) => Known::of(&record, snapshot.now),
            Look::Theirs(state) => Known::without_record(state, 0, snapshot.now),
            Look::Taken(record) => Known::without_record(record.state, record.state.trips, snapshot.now),
        };
        self.known.set(known);
        Ok(known.state.at(snapshot.now))
    }

    /// Whether to merge at the next occasion: a merge was asked for since the last one, one has failed to add counts, or
    /// the trip that this worker knows has ended.
    pub fn is_due(&self, now: Nanos) -> bool {
        let known = self.known.get().state;
        self.is_asked.get()
            || known.at(now) != known
            || self.tally.try_borrow().is_ok_and(|tally| !tally.is_empty())
    }

    /// The time to the end of the trip that this worker knows; `None` if it knows of none, or of one that has ended or is
    /// for good.
    pub fn until(&self, now: Nanos) -> Option<Duration> {
        let trip = self.known.get().state.at(now).trip;
        trip.and_then(|trip| trip.until).map(|until| until.since(now))
    }

    /// Counts an outcome of this worker, unless the request began before the variant's last return. Returns how long
    /// from now to merge; `None` if a merge was already asked for since the last one.
    pub fn count(&self, outcome: &Outcome) -> Option<Duration> {
        let known = self.known.get();
        if known.state.counts(outcome.began)
            && let Ok(mut tally) = self.tally.try_borrow_mut()
        {
            tally.count(outcome, self.slice.slice(outcome.known_at), known.round);
        }
        // While tripped, too: merges show that this config is in use.
        (!self.is_asked.replace(true)).then_some(self.interval)
    }

    /// Adds the counts of this worker to the record and judges them. `phase` is the rollout's phase at a state and an
    /// instant; it is kept with a trip. Where it is `None`, because the proxy has no clock, this merge does not judge.
    ///
    /// A config takes the record over from an earlier one; from a later one that is silent only if it has served a request
    /// since its last merge.
    ///
    /// # Errors
    /// The store fails, or this is called within `phase`. The counts stay for the next merge, and the guard is due.
    pub fn merge(
        &self,
        phase: &dyn Fn(&State, Nanos) -> Option<u8>,
        store: &mut impl Store,
    ) -> Result<Merged, StoreError> {
        let mut tally = self.tally.try_borrow_mut().map_err(|_| StoreError::Contention)?;
        let is_in_use = self.is_asked.replace(false) || !tally.is_empty();
        let (known, now, tripped, returned) = update(store, self.record.as_bytes(), TRIES, |bytes, now| {
            let mut record = match Look::at(bytes, now, self.config, is_in_use) {
                Look::Ours(record) | Look::Taken(record) => record,
                Look::Theirs(state) => {
                    return (None, (Known::without_record(state, 0, now), now, None, false));
                }
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
        Ok(Merged { state: known.state.at(now), tripped, returned, next: self.until(now) })
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
    fn judge(
        &self,
        record: &mut Record,
        now: Nanos,
        phase: &dyn Fn(&State, Nanos) -> Option<u8>,
    ) -> Option<Report> {
        let figures = record.counts.figures();
        let reason = self.settings.thresholds.judge(&figures)?;
        let phase = phase(&record.state, now)?;
        let Settings { hold, max_trips, .. } = self.settings;
        let trips = record.state.trips.saturating_add(1);
        let hold = (trips < max_trips).then_some(hold);
        let trip = Trip { until: hold.map(|hold| now.after(hold)), phase };
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

    /// A state that this config would not write: what it counts is for the record that it may get, with this number of
    /// trips.
    fn without_record(state: State, trips: u32, now: Nanos) -> Self {
        Self { state: state.at(now), round: Round { life: None, trips }, looked_at: Some(now) }
    }
}

impl Record {
    const fn round(&self) -> Round {
        Round { life: Some(self.life), trips: self.state.trips }
    }
}

#[cfg(test)]
mod tests;
