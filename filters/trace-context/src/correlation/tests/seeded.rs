//! Who makes the seed, and who waits for it.

use super::super::{Id, LAYOUT, Seeded};
use super::SETTINGS;
use super::units::Shared;
use mesh_policy::scope::Scope;
use mesh_policy::store::StoreError;

fn with(plugin: &str, store: &mut Shared, fresh: u8) -> Seeded {
    Seeded::with(Scope::of_plugin(plugin), SETTINGS, store, [fresh; 16]).unwrap()
}

fn unknown() -> Seeded {
    Seeded::unknown(Scope::of_plugin("p"), SETTINGS)
}

/// The records of some ids, which tell the seed; `None` without a table.
fn records(seeded: &Seeded, store: &mut Shared) -> Option<Vec<String>> {
    let table = seeded.get(store).unwrap()?;
    Some((0u8..20).map(|id| table.record(Id::new(&[id]).unwrap())).collect())
}

#[test]
fn whoever_comes_first_makes_the_seed() {
    let mut store = Shared::default();
    let (first, second) = (with("p", &mut store, 1), with("p", &mut store, 2));
    assert!(store.alone.records.get(format!("{LAYOUT}/p/seed").as_bytes()).is_some());
    let records_of_first = records(&first, &mut store);
    assert_eq!(records_of_first, records(&second, &mut store));
    assert_ne!(records_of_first, records(&with("p", &mut Shared::default(), 2), &mut store));
}

#[test]
fn who_may_store_nothing_waits_for_the_seed() {
    let mut store = Shared::default();
    let waiting = unknown();
    assert_eq!(records(&waiting, &mut store), None);
    drop(with("q", &mut store, 1));
    let writes = store.calls.1;
    assert_eq!(records(&waiting, &mut store), None);
    assert_eq!(store.calls.1, writes);
    let first = with("p", &mut store, 1);
    assert_eq!(records(&waiting, &mut store), records(&first, &mut store));
}

#[test]
fn the_seed_is_read_once() {
    let mut store = Shared::default();
    let first = with("p", &mut store, 1);
    let waiting = unknown();
    store.calls = (0, 0);
    for _ in 0..3 {
        assert!(records(&waiting, &mut store).is_some() && records(&first, &mut store).is_some());
        assert_eq!(store.calls, (1, 0));
    }
}

#[test]
fn a_store_that_fails_is_told() {
    let mut store = Shared { fails: true, ..Shared::default() };
    let failed = Seeded::with(Scope::of_plugin("p"), SETTINGS, &mut store, [1; 16]);
    assert_eq!(failed.err(), Some(StoreError::Host));
    assert_eq!(unknown().get(&mut store).err(), Some(StoreError::Host));
}
