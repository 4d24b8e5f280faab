//! Simulates the workers of a proxy: before every call to the store, another worker may count, look or merge.

use super::super::record::NO_GUARD;
use super::super::record::Record;
use super::super::tally::Round;
use super::super::{Arm, Guard, Merged, Outcome, Settings, State, retire};
use super::numbered::{Change, NUMBERS, change, numbers, outcome, read};
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use mesh_testkit::script::{Shared, World};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

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
    /// Merges where there is no clock.
    MergeBlindly,
}

/// A guard of one worker and config, and what the laws need to know of it. With the fingerprint [`NO_GUARD`] the config has
/// none, and retires the record in the place of a merge.
struct Seat {
    guard: Guard,
    fingerprint: u64,
    since: Nanos,
    /// Whether there was an outcome since the last merge.
    is_in_use: Cell<bool>,
    /// What is counted and not merged: the outcome's number, and the round that the worker knew.
    pending: RefCell<Vec<(usize, Round)>>,
    /// Whether the running merge has no clock.
    is_blind: Cell<bool>,
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
    /// The states in which configs have left the record, by fingerprint.
    left: Rc<RefCell<BTreeMap<u64, State>>>,
}

impl Simulation {
    /// The configs with these fingerprints, in the order of loading.
    pub(super) fn new(settings: Settings, fingerprints: &[u64]) -> Self {
        let seat = |config: usize, worker: usize, fingerprint: u64| {
            let since = Nanos((10 * config + worker) as u64);
            Seat {
                guard: Guard::new(settings, "g".to_owned(), fingerprint, since),
                fingerprint,
                since,
                is_in_use: Cell::default(),
                pending: RefCell::default(),
                is_blind: Cell::default(),
                change: Cell::default(),
            }
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
            left: Rc::default(),
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
            What::Merge | What::MergeBlindly if seat.fingerprint == NO_GUARD => {
                let _retired = retire("g", seat.since, &mut self.clone());
            }
            _ if seat.fingerprint == NO_GUARD => {}
            What::Count => self.count(seat),
            What::Look => {
                let _state = seat.guard.state(self.shared.now(), &mut self.clone());
            }
            What::Merge | What::MergeBlindly => {
                self.merge(seat, what);
            }
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
            assert!(seat.guard.is_due(self.shared.now()));
            seat.is_in_use.set(true);
            seat.pending.borrow_mut().push((number, seat.guard.known.get().round));
        }
    }

    /// Trips the guard of a config.
    pub(super) fn trip(&self, config: usize) {
        let seat = &self.seats[config][0];
        self.acting.borrow_mut().push((0, config));
        seat.guard.state(self.shared.now(), &mut self.clone()).unwrap();
        while seat.guard.tally.borrow().counts().figures().variant.requests < 4 {
            self.count(seat);
        }
        assert!(self.merge(seat, What::Merge).unwrap().tripped.is_some());
        self.acting.borrow_mut().pop();
    }

    /// A request of a config, and a merge.
    pub(super) fn merge_in_use(&self, config: usize) -> Merged {
        let seat = &self.seats[config][0];
        self.acting.borrow_mut().push((0, config));
        let guard = &seat.guard;
        guard.state(self.shared.now(), &mut self.clone()).unwrap();
        let (began, took) = (self.shared.now(), Duration::ZERO);
        guard.count(&Outcome { arm: Arm::Baseline, began, took, known_at: began, is_error: false });
        seat.is_in_use.set(true);
        let merged = self.merge(seat, What::Merge).expect("the script is over");
        self.acting.borrow_mut().pop();
        merged
    }

    fn merge(&self, seat: &Seat, what: What) -> Option<Merged> {
        seat.change.set(None);
        let phase = matches!(what, What::Merge).then_some(0);
        seat.is_blind.set(phase.is_none());
        let had_counts = !seat.guard.tally.borrow().is_empty();
        let merged = seat.guard.merge(&|_, _| phase, &mut self.clone());
        let change = seat.change.get();
        let Ok(merged) = merged else {
            assert_eq!(change, None, "a merge that fails has written nothing");
            assert!(!had_counts || seat.guard.is_due(self.shared.now()), "it is due again");
            return None;
        };
        assert!(phase.is_some() || merged.tripped.is_none(), "it does not judge");
        seat.is_in_use.set(false);
        seat.pending.borrow_mut().clear();
        let change = change.unwrap_or_default();
        assert_eq!(merged.tripped.is_some(), change.tripped, "the writer reports the trip");
        assert_eq!(merged.returned, change.returned, "the writer reports the return");
        let (trips, returns) = self.seen.get();
        self.seen.set((trips + u32::from(change.tripped), returns + u32::from(change.returned)));
        Some(merged)
    }

    /// Checks that a config continues with the state in which it has left the record. Only the last config may be a push
    /// of earlier values, which starts anew.
    fn check_state(
        &self,
        (_, config): (usize, usize),
        before: Option<&Record>,
        after: &Record,
        change: Change,
    ) {
        let mut left = self.left.borrow_mut();
        if let Some(before) = before {
            left.insert(before.owner.fingerprint, before.state);
        }
        let own = left.get(&after.owner.fingerprint).copied().unwrap_or_default();
        let fingerprint = self.seats[config][0].fingerprint;
        let is_again = self.seats.iter().take(config).any(|seats| seats[0].fingerprint == fingerprint);
        let is_anew = is_again && change.is_taken && change.earlier == State::default();
        assert!(change.earlier == own || is_anew, "it has its own state: {own:?} {before:?} {after:?}");
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
            if *fingerprint != after.owner.fingerprint || *slice != seat.guard.slice.slice(outcome.known_at) {
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
        let before = before.map(read).filter(|_| !change.is_taken && !change.returned);
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
            if is_kept(seat.guard.slice.slice(outcome.known_at)) && !is_late && !found.contains_key(&number) {
                return Err(format!("outcome {number} is lost"));
            }
        }
        match self.settings.thresholds.judge(&after.counts.figures()) {
            // A merge without a clock leaves it to the next.
            Some(_) if seat.is_blind.get() => Ok(()),
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
        let young = counted.iter().filter(|(_, (outcome, _))| slice.slice(outcome.known_at) + 10 >= current);
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
        self.check_state((worker, config), records.0.as_ref(), &records.1, change);
        let is_earlier = records.0.is_some_and(|before| records.1.owner < before.owner);
        assert!(!is_earlier || seat.is_in_use.get(), "an earlier config takes over only if it is in use");
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
