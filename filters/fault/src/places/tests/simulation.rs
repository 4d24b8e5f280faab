//! Simulates the VMs of a proxy: before every call to the store and to a gauge, another VM may act.

use super::super::record::LEASE;
use super::super::record::{Entry, Record};
use super::super::{Gauge, Gauges, Places, RENEWAL};
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use mesh_testkit::script::{Shared, World};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

pub(super) const WORKERS: usize = 3;
pub(super) const RECORD: &str = "p";

/// What a worker does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Action {
    pub(super) worker: usize,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum What {
    Take,
    GiveBack,
    Begin,
    End,
    Renew,
    /// Its VM is lost, and another one begins.
    Lose,
}

/// The VM of a worker, and what it holds in truth.
struct Vm {
    places: RefCell<Places>,
    owner: Cell<u64>,
    held: Cell<u32>,
    in_flight: Cell<u32>,
    /// When to renew next; `None` if it holds nothing.
    next: Cell<Option<Nanos>>,
}

/// A call that is running.
struct Call {
    worker: usize,
    since: Nanos,
    /// Whether all places were taken when the record was last read.
    was_full: bool,
}

#[derive(Clone)]
pub(super) struct Simulation {
    shared: Shared<Action>,
    max: u32,
    /// How long a call may take.
    stall: Duration,
    vms: Rc<Vec<Vm>>,
    gauges: Rc<RefCell<BTreeMap<Gauge, i64>>>,
    /// The last one acts.
    calls: Rc<RefCell<Vec<Call>>>,
    /// The owners of the VMs so far.
    owners: Rc<Cell<u64>>,
}

impl Simulation {
    pub(super) fn new(max: u32, stall: Duration) -> Self {
        let vm = |worker: usize| {
            let owner = worker as u64;
            Vm {
                places: RefCell::new(Places::new(RECORD.to_owned(), owner)),
                owner: Cell::new(owner),
                held: Cell::default(),
                in_flight: Cell::default(),
                next: Cell::default(),
            }
        };
        Self {
            shared: Shared::new(Nanos(1_000_000_000_000)),
            max,
            stall,
            vms: Rc::new((0..WORKERS).map(vm).collect()),
            gauges: Rc::default(),
            calls: Rc::default(),
            owners: Rc::new(Cell::new(WORKERS as u64)),
        }
    }

    /// Runs an action, unless the worker is in a call or there is nothing to give back. Returns what `begin` returns.
    pub(super) fn run(&self, Action { worker, what }: Action) -> Option<u64> {
        let (vm, now) = (&self.vms[worker], self.shared.now());
        if self.calls.borrow().iter().any(|call| call.worker == worker) {
            return None;
        }
        if what == What::Lose {
            self.owners.set(self.owners.get() + 1);
            vm.owner.set(self.owners.get());
            *vm.places.borrow_mut() = Places::new(RECORD.to_owned(), vm.owner.get());
            vm.held.set(0);
            vm.in_flight.set(0);
            vm.next.set(Some(now.after(Duration::from_secs(10))));
            return None;
        }
        self.calls.borrow_mut().push(Call { worker, since: now, was_full: false });
        let (store, gauges) = (&mut self.clone(), &mut self.clone());
        let places = vm.places.borrow();
        let mut others = None;
        match what {
            What::Take => {
                let taken = places.take(Some(self.max), store, gauges);
                if taken == Ok(false) {
                    assert!(self.calls.borrow().last().unwrap().was_full, "a place is free");
                }
                vm.held.set(vm.held.get() + u32::from(taken == Ok(true)));
            }
            What::GiveBack if vm.held.get() > 0 => {
                vm.held.set(vm.held.get() - 1);
                places.give_back(store, gauges);
            }
            What::Begin => {
                vm.in_flight.set(vm.in_flight.get() + 1);
                others = places.begin(now, store, gauges);
            }
            What::End if vm.in_flight.get() > 0 => {
                vm.in_flight.set(vm.in_flight.get() - 1);
                places.end(now, store, gauges);
            }
            What::Renew => {
                let holds = places.renew(store, gauges);
                vm.next.set(holds.then(|| self.shared.now().after(RENEWAL)));
                assert!(holds || (vm.held.get(), vm.in_flight.get()) == (0, 0), "it holds something");
            }
            What::GiveBack | What::End | What::Lose => {}
        }
        if matches!(what, What::Take | What::Begin) {
            let next = self.shared.now().after(RENEWAL);
            vm.next.set(Some(vm.next.get().map_or(next, |earlier| earlier.min(next))));
        }
        self.calls.borrow_mut().pop();
        others
    }

    /// Renews if it is time to.
    pub(super) fn tick(&self, worker: usize) {
        if self.vms[worker].next.get().is_some_and(|next| next <= self.shared.now()) {
            self.run(Action { worker, what: What::Renew });
        }
    }

    /// All workers do something.
    pub(super) fn all(&self, what: What) {
        for worker in 0..WORKERS {
            self.run(Action { worker, what });
        }
    }

    /// Places and requests of all VMs.
    pub(super) fn held(&self) -> (i64, i64) {
        let sum = |number: fn(&Vm) -> u32| self.vms.iter().map(|vm| i64::from(number(vm))).sum();
        (sum(|vm| vm.held.get()), sum(|vm| vm.in_flight.get()))
    }

    /// Places and requests of all VMs according to the gauges.
    pub(super) fn shown(&self) -> (i64, i64) {
        let value = |gauge| self.gauges.borrow().get(&gauge).copied().unwrap_or_default();
        (value(Gauge::Active), value(Gauge::InFlight))
    }

    /// Everything ends, and is given back.
    pub(super) fn end(&self) {
        while self.held() != (0, 0) {
            self.all(What::GiveBack);
            self.all(What::End);
        }
    }

    /// The gauges that are not zero.
    pub(super) fn rest(&self) -> BTreeMap<Gauge, i64> {
        self.gauges
            .borrow()
            .iter()
            .filter(|(_, value)| **value != 0)
            .map(|(gauge, value)| (*gauge, *value))
            .collect()
    }

    /// The entries of the record.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let records = self.shared.records();
        let bytes = records.get(RECORD.as_bytes()).map(|(value, _)| value.as_slice());
        Record::read(bytes, self.shared.now()).entries().to_vec()
    }

    fn vm_of(&self, owner: u64) -> Option<&Vm> {
        self.vms.iter().find(|vm| vm.owner.get() == owner)
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

    fn pass(&self, time: Duration) {
        let latest = self.calls.borrow().iter().map(|call| call.since.after(self.stall)).min();
        let then = self.shared.now().after(time);
        self.shared.wait_until(latest.map_or(then, |latest| latest.min(then)));
    }

    fn written(&self, _: &[u8], before: Option<&[u8]>, after: &[u8]) {
        let now = self.shared.now();
        let actor = &self.vms[self.calls.borrow().last().expect("a worker acts").worker];
        let (before, after) = (Record::read(before, now), Record::read(Some(after), now));
        assert_eq!(after.entries().len(), (after.to_bytes().len() - 4) / 22, "it can be read");
        for gone in before.entries().iter().filter(|entry| after.of(entry.owner).is_none()) {
            if gone.owner == actor.owner.get() {
                assert_eq!((actor.held.get(), actor.in_flight.get()), (0, 0), "it holds something");
            } else {
                assert!(now.since(gone.renewed) >= LEASE, "a VM that is not slow loses its entry");
            }
        }
        for entry in after.entries() {
            let held = self.vm_of(entry.owner).map_or(0, |vm| vm.held.get());
            assert!(entry.held >= held, "an entry has all places that its VM holds");
        }
        if let Some(own) = after.of(actor.owner.get())
            && own.held > actor.held.get()
        {
            assert_eq!(own.held, actor.held.get() + 1);
            assert!(after.held(own.renewed) <= u64::from(self.max), "more than the maximum");
        }
    }
}

impl Store for Simulation {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        let snapshot = self.read_record(key)?;
        let record = Record::read(snapshot.value.as_deref(), snapshot.now);
        let mut calls = self.calls.borrow_mut();
        let call = calls.last_mut().expect("a worker acts");
        let vm = &self.vms[call.worker];
        let others = record.entries().iter().filter(|entry| entry.owner != vm.owner.get());
        let others = others.filter(|entry| snapshot.now.since(entry.renewed) < LEASE).map(|entry| entry.held);
        call.was_full = others.sum::<u32>() + vm.held.get() >= self.max;
        Ok(snapshot)
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        self.write_record(key, value, version)
    }
}

impl Gauges for Simulation {
    fn add(&mut self, gauge: Gauge, difference: i64) {
        // This call cannot fail.
        let _step = self.next_step();
        let mut gauges = self.gauges.borrow_mut();
        let value = gauges.entry(gauge).or_default();
        *value += difference;
        assert!(*value >= 0, "{gauge:?} is negative");
        let all = gauges.get(&Gauge::InFlight).copied().unwrap_or_default();
        let is_of_slot = |gauge: &Gauge| matches!(gauge, Gauge::InFlightOf(_));
        let of_slots = gauges.iter().filter(|(gauge, _)| is_of_slot(gauge)).map(|(_, value)| value);
        assert!(all >= of_slots.sum(), "the slots have more requests than all");
    }

    fn get(&mut self, gauge: Gauge) -> Option<u64> {
        self.next_step().ok()?;
        let value = self.gauges.borrow().get(&gauge).copied().unwrap_or_default();
        Some(value as u64)
    }
}
