//! VMs that do not interleave.

use super::super::record::LEASE;
use super::super::record::{Record, SLOTS};
use super::super::{FRESH, Gauge, Gauges, Places, SURE};
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use mesh_testkit::records::Alone;
use std::collections::BTreeMap;
use std::time::Duration;

const MOMENT: Duration = Duration::from_nanos(1);

/// The gauges; a gauge cannot be read while it is in `broken`.
#[derive(Default)]
struct Values {
    values: BTreeMap<Gauge, u64>,
    broken: Vec<Gauge>,
}

impl Gauges for Values {
    fn add(&mut self, gauge: Gauge, difference: i64) {
        let value = self.values.entry(gauge).or_default();
        *value = value.checked_add_signed(difference).expect("it is not negative");
    }

    fn get(&mut self, gauge: Gauge) -> Option<u64> {
        (!self.broken.contains(&gauge)).then(|| self.values.get(&gauge).copied().unwrap_or_default())
    }
}

/// A store that can fail, or be changed by others before each write. It counts reads and writes.
#[derive(Default)]
struct Shared {
    alone: Alone,
    fails: bool,
    is_contended: bool,
    calls: (u32, u32),
}

impl Store for Shared {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        self.calls.0 += 1;
        if self.fails { Err(StoreError::Host) } else { self.alone.read(key) }
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        self.calls.1 += 1;
        if self.is_contended { Ok(Written::Conflict) } else { self.alone.write(key, value, version) }
    }
}

/// Three VMs of a proxy.
struct Proxy {
    vms: Vec<Places>,
    store: Shared,
    gauges: Values,
}

impl Proxy {
    fn new() -> Self {
        let mut store = Shared::default();
        store.alone.now = Nanos(1_000_000_000_000);
        let vms = (0..3).map(|owner| Places::new("p".to_owned(), owner)).collect();
        Self { vms, store, gauges: Values::default() }
    }

    fn take(&mut self, vm: usize, max: u32) -> Result<bool, StoreError> {
        self.vms[vm].take(Some(max), &mut self.store, &mut self.gauges)
    }

    fn give_back(&mut self, vm: usize) {
        self.vms[vm].give_back(&mut self.store, &mut self.gauges);
    }

    fn begin(&mut self, vm: usize) -> Option<u64> {
        self.vms[vm].begin(self.store.alone.now, &mut self.store, &mut self.gauges)
    }

    fn end(&mut self, vm: usize) {
        self.vms[vm].end(self.store.alone.now, &mut self.store, &mut self.gauges);
    }

    fn renew(&mut self, vm: usize) -> bool {
        self.vms[vm].renew(&mut self.store, &mut self.gauges)
    }

    fn lose(&mut self, vm: usize) {
        self.vms[vm] = Places::new("p".to_owned(), 100 + vm as u64);
    }

    fn pass(&mut self, time: Duration) {
        self.store.alone.now = self.store.alone.now.after(time);
    }

    /// The gauges of places, of all requests, and of those in the first slots.
    fn gauges(&mut self) -> (u64, u64, [u64; 2]) {
        let broken = std::mem::take(&mut self.gauges.broken);
        let mut get = |gauge| self.gauges.get(gauge).unwrap();
        let values =
            (get(Gauge::Active), get(Gauge::InFlight), [0, 1].map(|slot| get(Gauge::InFlightOf(slot))));
        self.gauges.broken = broken;
        values
    }

    /// The owners in the record, with their places.
    fn entries(&self) -> Vec<(u64, u32)> {
        let bytes = self.store.alone.records.get("p".as_bytes()).map(|(value, _)| value.as_slice());
        let record = Record::read(bytes, self.store.alone.now);
        record.entries().iter().map(|entry| (entry.owner, entry.held)).collect()
    }

    /// The reads and writes of what is done.
    fn calls<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> (T, (u32, u32)) {
        self.store.calls = (0, 0);
        let result = work(self);
        (result, self.store.calls)
    }
}

#[test]
fn all_vms_share_the_places() {
    let mut proxy = Proxy::new();
    assert_eq!([0, 1, 0, 2].map(|vm| proxy.take(vm, 3)), [Ok(true), Ok(true), Ok(true), Ok(false)]);
    assert_eq!((proxy.gauges().0, proxy.entries()), (3, vec![(0, 2), (1, 1)]));
    proxy.give_back(1);
    assert_eq!([2, 1].map(|vm| proxy.take(vm, 3)), [Ok(true), Ok(false)]);
    assert_eq!((proxy.gauges().0, proxy.entries()), (3, vec![(0, 2), (1, 0), (2, 1)]));
}

#[test]
fn a_maximum_of_zero_is_no_place_and_none_is_no_bound() {
    let mut proxy = Proxy::new();
    assert_eq!(proxy.take(0, 0), Ok(false));
    for _ in 0..10 {
        assert_eq!(proxy.vms[0].take(None, &mut proxy.store, &mut proxy.gauges), Ok(true));
    }
    assert_eq!((proxy.take(1, 10), proxy.take(1, 11)), (Ok(false), Ok(true)));
    assert_eq!(proxy.gauges().0, 11);
}

#[test]
fn a_refusal_writes_nothing() {
    let mut proxy = Proxy::new();
    assert_eq!(proxy.take(0, 1), Ok(true));
    proxy.pass(Duration::from_secs(1));
    for vm in 0..2 {
        assert_eq!(proxy.calls(|proxy| proxy.take(vm, 1)), (Ok(false), (1, 0)));
    }
}

#[test]
fn a_vm_that_holds_nothing_removes_its_entry() {
    let mut proxy = Proxy::new();
    assert_eq!(proxy.calls(|proxy| proxy.renew(0)), (false, (1, 0)));
    proxy.take(0, 1).unwrap();
    proxy.begin(0);
    assert!(proxy.renew(0));
    proxy.give_back(0);
    assert!(proxy.renew(0));
    proxy.end(0);
    assert_eq!(proxy.entries(), [(0, 0)]);
    assert!(!proxy.renew(0));
    assert_eq!(proxy.entries(), []);
    assert_eq!(proxy.calls(|proxy| proxy.renew(0)), (false, (1, 0)));
}

#[test]
fn requests_write_shared_data_only_to_renew_the_entry() {
    let mut proxy = Proxy::new();
    assert_eq!(proxy.calls(|proxy| proxy.begin(0)), (Some(0), (1, 1)));
    proxy.pass(FRESH);
    assert_eq!(proxy.calls(|proxy| proxy.begin(0)), (Some(1), (0, 0)));
    assert_eq!(proxy.calls(|proxy| proxy.end(0)), ((), (0, 0)));
    proxy.pass(MOMENT);
    assert_eq!(proxy.calls(|proxy| proxy.begin(0)), (Some(1), (1, 1)));
    proxy.pass(FRESH + MOMENT);
    assert_eq!(proxy.calls(|proxy| proxy.end(0)), ((), (1, 1)));
    assert_eq!(proxy.gauges(), (0, 1, [1, 0]));
}

#[test]
fn requests_of_all_vms_are_known() {
    let mut proxy = Proxy::new();
    assert_eq!([0, 1, 0, 2].map(|vm| proxy.begin(vm)), [0, 1, 2, 3].map(Some));
    proxy.end(0);
    assert_eq!(proxy.begin(1), Some(3));
    assert_eq!(proxy.gauges(), (0, 4, [1, 2]));
}

#[test]
fn a_store_that_fails_gives_no_place() {
    let mut proxy = Proxy::new();
    proxy.store.fails = true;
    assert_eq!(proxy.take(0, 1), Err(StoreError::Host));
    proxy.store = Shared { fails: false, is_contended: true, ..proxy.store };
    assert_eq!(proxy.calls(|proxy| proxy.take(0, 1)), (Err(StoreError::Contention), (32, 32)));
    assert_eq!((proxy.gauges().0, proxy.renew(0)), (0, false));
    proxy.store.is_contended = false;
    assert_eq!(proxy.take(1, 1), Ok(true));
}

#[test]
fn a_place_whose_return_fails_is_given_back_later() {
    for later in 0..3 {
        let mut proxy = Proxy::new();
        assert_eq!([0, 0].map(|vm| proxy.take(vm, 2)), [Ok(true); 2]);
        proxy.store.fails = true;
        proxy.give_back(0);
        assert_eq!((proxy.gauges().0, proxy.renew(0), proxy.entries()), (2, true, vec![(0, 2)]));
        proxy.store.fails = false;
        assert_eq!(proxy.take(1, 2), Ok(false));
        match later {
            0 => drop(proxy.renew(0)),
            1 => proxy.give_back(0),
            // A refusal, too.
            _ => assert_eq!(proxy.take(0, 1), Ok(false)),
        }
        assert_eq!(proxy.take(1, 2), Ok(true));
        assert_eq!(proxy.gauges().0, if later == 1 { 1 } else { 2 });
    }
}

#[test]
fn a_place_is_given_back_only_if_it_is_held() {
    let mut proxy = Proxy::new();
    proxy.take(0, 1).unwrap();
    [1, 1, 0, 0].into_iter().for_each(|vm| proxy.give_back(vm));
    proxy.end(0);
    assert_eq!((proxy.gauges(), proxy.entries()), ((0, 0, [0, 0]), vec![(0, 0)]));
}

#[test]
fn what_a_lost_vm_held_returns_after_eight_seconds() {
    for call in 0..4 {
        let mut proxy = Proxy::new();
        assert_eq!([0, 1].map(|vm| proxy.take(vm, 2)), [Ok(true); 2]);
        assert_eq!([0, 0, 1].map(|vm| proxy.begin(vm)), [0, 1, 2].map(Some));
        proxy.lose(0);
        proxy.pass(LEASE - MOMENT);
        assert_eq!((proxy.take(2, 2), proxy.renew(1)), (Ok(false), true));
        assert_eq!(proxy.gauges(), (2, 3, [2, 1]));
        proxy.pass(MOMENT);
        match call {
            0 => assert!(!proxy.renew(2)),
            1 => assert_eq!(proxy.take(2, 1), Ok(false)),
            2 => assert!(proxy.renew(1)),
            _ => proxy.give_back(2),
        }
        assert_eq!((proxy.gauges(), proxy.entries()), ((1, 1, [0, 1]), vec![(1, 1)]));
    }
}

#[test]
fn a_lost_vm_waits_while_its_gauge_cannot_be_read() {
    let mut proxy = Proxy::new();
    proxy.take(0, 1).unwrap();
    proxy.begin(0);
    proxy.lose(0);
    proxy.pass(LEASE);
    proxy.gauges.broken.push(Gauge::InFlightOf(0));
    // Its places are free nevertheless.
    assert_eq!((proxy.take(1, 1), proxy.begin(1)), (Ok(true), Some(1)));
    assert_eq!((proxy.gauges(), proxy.entries()), ((2, 2, [1, 1]), vec![(0, 1), (1, 1)]));
    proxy.gauges.broken.clear();
    assert!(proxy.renew(1));
    assert_eq!((proxy.gauges(), proxy.entries()), ((1, 1, [0, 1]), vec![(1, 1)]));
}

#[test]
fn others_are_unknown_while_the_gauge_cannot_be_read() {
    let mut proxy = Proxy::new();
    proxy.gauges.broken.push(Gauge::InFlight);
    assert_eq!(proxy.begin(0), None);
    proxy.gauges.broken.clear();
    assert_eq!(proxy.begin(0), Some(1));
}

#[test]
fn others_are_unknown_without_an_entry() {
    let mut proxy = Proxy::new();
    proxy.store.fails = true;
    assert_eq!((proxy.begin(0), proxy.begin(0)), (None, None));
    proxy.end(0);
    assert_eq!(proxy.gauges(), (0, 0, [0, 0]));
    proxy.store.fails = false;
    assert_eq!((proxy.begin(1), proxy.renew(0)), (Some(0), true));
    assert_eq!((proxy.gauges(), proxy.begin(1)), ((0, 2, [1, 1]), Some(2)));
}

/// The entry may be gone: another VM may have taken from the gauges what this one had.
#[test]
fn a_vm_that_cannot_renew_in_time_changes_no_gauge() {
    let mut proxy = Proxy::new();
    assert_eq!([0, 0].map(|vm| proxy.begin(vm)), [Some(0), Some(1)]);
    proxy.store.fails = true;
    proxy.pass(SURE);
    assert_eq!(proxy.begin(0), Some(2));
    proxy.pass(MOMENT);
    proxy.end(0);
    assert_eq!((proxy.begin(0), proxy.gauges()), (None, (0, 3, [3, 0])));
    proxy.end(0);
    proxy.store.fails = false;
    assert!(proxy.renew(0));
    assert_eq!(proxy.gauges(), (0, 2, [2, 0]));
}

#[test]
fn a_slow_vm_begins_anew() {
    let mut proxy = Proxy::new();
    assert_eq!([0, 0].map(|vm| proxy.take(vm, 2)), [Ok(true); 2]);
    assert_eq!([0, 0].map(|vm| proxy.begin(vm)), [Some(0), Some(1)]);
    proxy.pass(LEASE);
    // Another VM gets its slot.
    assert_eq!((proxy.take(1, 2), proxy.begin(1)), (Ok(true), Some(0)));
    assert_eq!((proxy.gauges(), proxy.entries()), ((1, 1, [1, 0]), vec![(1, 1)]));
    proxy.end(0);
    assert_eq!((proxy.gauges(), proxy.entries()), ((3, 2, [1, 1]), vec![(1, 1), (0, 2)]));
    assert_eq!(proxy.take(0, 3), Ok(false));
    [0, 0].into_iter().for_each(|vm| proxy.give_back(vm));
    assert_eq!(proxy.take(0, 3), Ok(true));
}

#[test]
fn an_entry_stays_while_its_requests_are_in_the_gauges() {
    let mut proxy = Proxy::new();
    proxy.begin(0);
    proxy.store.fails = true;
    proxy.pass(SURE + MOMENT);
    proxy.end(0);
    assert_eq!((proxy.renew(0), proxy.gauges()), (true, (0, 1, [1, 0])));
    proxy.store.fails = false;
    assert_eq!((proxy.renew(0), proxy.gauges(), proxy.entries()), (true, (0, 0, [0, 0]), vec![(0, 0)]));
    assert_eq!((proxy.renew(0), proxy.entries()), (false, vec![]));
}

/// Nobody could subtract them if that VM were lost.
#[test]
fn places_without_an_entry_are_not_in_the_gauge() {
    let mut proxy = Proxy::new();
    proxy.take(0, 1).unwrap();
    proxy.pass(LEASE);
    assert_eq!((proxy.renew(1), proxy.gauges().0), (false, 0));
    proxy.store.is_contended = true;
    assert_eq!((proxy.renew(0), proxy.gauges().0), (true, 0));
    proxy.store.is_contended = false;
    assert_eq!((proxy.renew(0), proxy.gauges().0), (true, 1));
}

#[test]
fn without_a_free_slot_there_is_no_place() {
    let mut proxy = Proxy::new();
    proxy.vms = (0..=u64::from(SLOTS)).map(|owner| Places::new("p".to_owned(), owner)).collect();
    for vm in 0..usize::from(SLOTS) {
        assert_eq!(proxy.take(vm, u32::MAX), Ok(true));
    }
    let last = usize::from(SLOTS);
    assert_eq!((proxy.take(last, u32::MAX), proxy.begin(last)), (Ok(false), None));
    assert_eq!((proxy.renew(last), proxy.gauges()), (true, (256, 0, [0, 0])));
    proxy.give_back(7);
    assert!(!proxy.renew(7));
    assert_eq!((proxy.take(last, u32::MAX), proxy.begin(last)), (Ok(true), Some(1)));
}
