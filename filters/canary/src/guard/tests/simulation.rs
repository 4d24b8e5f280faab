//! Simulates the workers of a proxy: before every call to the store, another worker may count, look or merge.

use super::super::tally::Round;
use super::super::{Guard, Outcome, Settings};
use super::numbered::{Change, NUMBERS, change, numbers, outcome, read};
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use mesh_testkit::script::{Shared, World};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

pub(super) const WORKERS: usize = 3;

/// An action of the guard that a worker has of a config.
#[derive(Clone, Copy, Debug)]
pub(super) struct Action {
    pub(super) worker: usize,
    pub(super) config: usize,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Count,
    Look,
    Merge,
}

/// A guard of one worker and config, and what the laws need to know of it.
struct Seat {
    guard: Guard,
    fingerprint: u64,
    /// What is counted and not merged: the outcome's number, and the round that the worker knew.
    pending: RefCell<Vec<(usize, Round)>>,
    /// What the last write of the running merge has changed.
    change: Cell<Option<Change>>,
}

#[derive(Clone)]
pub(super) struct Simulation {
    shared: Shared<Action>,
    settings: Settings,
    /// By config and worker.
    seats: Rc<Vec<Vec<Seat>>>,
    /// The workers that are in a call, with their configs; the last one acts.
    acting: Rc<RefCell<Vec<(usize, usize)>>>,
    /// The outcomes that were counted, by number, with the fingerprint of their config.
    counted: Rc<RefCell<BTreeMap<usize, (Outcome, u64)>>>,
    /// Number of trips and of returns.
    seen: Rc<Cell<(u32, u32)>>,
}

impl Simulation {
    /// The configs with these fingerprints, in the order of loading.
    pub(super) fn new(settings: Settings, fingerprints: &[u64]) -> Self {
        let seat = |config: usize, worker: usize, fingerprint: u64| Seat {
            guard: Guard::new(settings, "g".to_owned(), fingerprint, Nanos((10 * config + worker) as u64)),
            fingerprint,
            pending: RefCell::default(),
            change: Cell::default(),
        };
        let seats = fingerprints.iter().enumerate().map(|(config, fingerprint)| {
            (0..WORKERS).map(|worker| seat(config, worker, *fingerprint)).collect()
        });
        Self {
            shared: Shared::new(Nanos(1_000_000_000_000)),
            settings,
            seats: Rc::new(seats.collect()),
            acting: Rc::default(),
            counted: Rc::default(),
            seen: Rc::default(),
        }
    }

    /// Number of trips and of returns so far.
    pub(super) fn seen(&self) -> (u32, u32) {
        self.seen.get()
    }

    /// Runs an action, unless the worker is in a call.
    pub(super) fn run(&self, Action { worker, config, what }: Action) {
        if self.acting.borrow().iter().any(|(busy, _)| *busy == worker) {
            return;
        }
        let seat = &self.seats[config][worker];
        self.acting.borrow_mut().push((worker, config));
        match what {
            What::Count => self.count(seat),
            What::Look => {
                let _state = seat.guard.state(self.shared.now(), &mut self.clone());
            }
            What::Merge => self.merge(seat),
        }
        self.acting.borrow_mut().pop();
    }

    fn count(&self, seat: &Seat) {
        let mut counted = self.counted.borrow_mut();
        if counted.len() < NUMBERS {
            // Short and long ones in turn.
            let number = counted.len() * 37 % NUMBERS;
            let outcome = outcome(number, self.shared.now());
            counted.insert(number, (outcome, seat.fingerprint));
            seat.guard.count(&outcome);
            seat.pending.borrow_mut().push((number, seat.guard.known.get().round));
        }
    }

    fn merge(&self, seat: &Seat) {
        seat.change.set(None);
        let merged = seat.guard.merge(&|_, _| 0, &mut self.clone());
        let change = seat.change.get();
        let Ok(merged) = merged else {
            assert_eq!(change, None, "a merge that fails has written nothing");
            return;
        };
        seat.pending.borrow_mut().clear();
        let change = change.unwrap_or_default();
        assert_eq!(merged.tripped.is_some(), change.tripped, "the writer reports the trip");
        assert_eq!(merged.returned, change.returned, "the writer reports the return");
        let (trips, returns) = self.seen.get();
        self.seen.set((trips + u32::from(change.tripped), returns + u32::from(change.returned)));
    }

    /// Checks what is counted in a record after a write.
    fn check_counts(
        &self,
        seat: &Seat,
        before: Option<&[u8]>,
        after: &[u8],
        change: Change,
    ) -> Result<(), String> {
        let after = read(after);
        let found = numbers(&after.counts)?;
        let counted = self.counted.borrow();
        let current = seat.guard.slice.slice(after.merged_at);
        let is_kept = |slice: u64| slice + 10 >= current;
        for (number, slice) in &found {
            let (outcome, fingerprint) = &counted[number];
            if *fingerprint != after.owner.fingerprint || *slice != seat.guard.slice.slice(outcome.ended()) {
                return Err(format!("outcome {number} of another config or slice"));
            }
            if !is_kept(*slice) || after.state.restarted_at.is_some_and(|restarted| outcome.began < restarted)
            {
                return Err(format!("outcome {number} is too old"));
            }
        }
        if after.state.trip.is_some() {
            return Ok(());
        }
        // What was in the record stays, and what was counted in its round is added.
        let before = before.map(read).filter(|_| !change.is_anew && !change.returned);
        let stays = before.map(|before| numbers(&before.counts)).transpose()?.unwrap_or_default();
        let added = seat
            .pending
            .borrow()
            .iter()
            .filter(|(_, round)| *round == after.round())
            .map(|(number, _)| *number)
            .collect::<Vec<_>>();
        for number in added.into_iter().chain(stays.into_keys()) {
            let outcome = &counted[&number].0;
            let is_late = after.state.restarted_at.is_some_and(|restarted| outcome.began < restarted);
            if is_kept(seat.guard.slice.slice(outcome.ended())) && !is_late && !found.contains_key(&number) {
                return Err(format!("outcome {number} is lost"));
            }
        }
        match self.settings.thresholds.judge(&after.counts.figures()) {
            Some(reason) => Err(format!("it should have tripped: {reason:?}")),
            None => Ok(()),
        }
    }

    /// The outcomes that are neither in the record nor in a tally, and are not too old.
    pub(super) fn lost(&self) -> Vec<usize> {
        let records = self.shared.records();
        let merged = records.iter().next().map(|(_, record)| numbers(&read(record).counts).unwrap());
        let merged = merged.unwrap_or_default();
        let seats = || self.seats.iter().flatten();
        let slice = seats().next().map(|seat| seat.guard.slice).unwrap();
        let current = slice.slice(self.shared.now());
        let is_found = |number: &usize| {
            let tallied =
                |seat: &Seat| numbers(seat.guard.tally.borrow().counts()).unwrap().contains_key(number);
            usize::from(merged.contains_key(number)) + seats().filter(|seat| tallied(seat)).count()
        };
        let counted = self.counted.borrow();
        let young = counted.iter().filter(|(_, (outcome, _))| slice.slice(outcome.ended()) + 10 >= current);
        young.map(|(number, _)| *number).filter(|number| is_found(number) != 1).collect()
    }
}

impl World for Simulation {
    type Action = Action;

    const DEEPEST: u32 = 3;

    fn shared(&self) -> &Shared<Action> {
        &self.shared
    }

    fn act(&self, action: Action) {
        self.run(action);
    }

    fn written(&self, _: &[u8], before: Option<&[u8]>, after: &[u8]) {
        let (worker, config) = *self.acting.borrow().last().expect("a worker acts");
        let seat = &self.seats[config][worker];
        let records = (before.map(read), read(after));
        let change = change(records.0.as_ref(), &records.1, self.settings.max_trips);
        let change = change.unwrap_or_else(|problem| panic!("{problem}"));
        seat.change.set(Some(change));
        self.check_counts(seat, before, after, change).unwrap_or_else(|problem| panic!("{problem}"));
    }
}

impl Store for Simulation {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        self.read_record(key)
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        self.write_record(key, value, version)
    }
}
