//! Workers that do not interleave.

use super::super::{Id, LAYOUT, Settings, Stored};
use super::{Content, SETTINGS, content, find, ids_of_a_set, store, table};
use mesh_policy::hash::Key;
use mesh_policy::scope::Scope;
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use mesh_testkit::records::Alone;
use std::time::Duration;

const NONE: [(&str, &str); 0] = [];

/// A store that can fail, or be changed by others before each write. It counts reads and writes.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) alone: Alone,
    pub(super) fails: bool,
    pub(super) is_contended: bool,
    pub(super) calls: (u32, u32),
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

/// A proxy with one worker.
struct Proxy {
    settings: Settings,
    shared: Shared,
}

impl Proxy {
    fn new() -> Self {
        let mut shared = Shared::default();
        shared.alone.now = Nanos(1_000_000_000_000);
        Self { settings: SETTINGS, shared }
    }

    fn store(&mut self, id: impl AsRef<[u8]>, content: &[(impl AsRef<str>, impl AsRef<[u8]>)]) -> Stored {
        store(&table(self.settings), id.as_ref(), content, &mut self.shared).unwrap()
    }

    fn find(&mut self, id: impl AsRef<[u8]>) -> Option<Content> {
        find(&table(self.settings), id.as_ref(), &mut self.shared).unwrap()
    }

    fn pass(&mut self, time: Duration) {
        self.shared.alone.now = self.shared.alone.now.after(time);
    }
}

const STORED: Stored = Stored { evicted: false, too_large: 0 };
const EVICTED: Stored = Stored { evicted: true, too_large: 0 };

#[test]
fn what_is_stored_is_found_as_often_as_wanted() {
    let mut proxy = Proxy::new();
    assert_eq!(proxy.find("id"), None);
    assert_eq!(proxy.store("id", &content(2)), STORED);
    assert_eq!(proxy.store("other", &content(3)), STORED);
    for _ in 0..3 {
        assert_eq!((proxy.find("id"), proxy.find("other")), (Some(content(2)), Some(content(3))));
    }
    assert_eq!(proxy.shared.calls, (9, 2));
}

#[test]
fn the_last_writer_of_an_id_wins() {
    let mut proxy = Proxy::new();
    for call in 0..20 {
        assert_eq!(proxy.store("id", &content(call)), STORED);
        assert_eq!(proxy.find("id"), Some(content(call)));
    }
}

#[test]
fn an_id_is_compared_whole() {
    let mut proxy = Proxy::new();
    // Most of them share a set with another one.
    let ids: Vec<_> =
        (0u8..=255).flat_map(|last| [vec![b'a', last], [vec![b'a'; 127], vec![last]].concat()]).collect();
    for id in &ids {
        proxy.store(id, &content(1));
        let other = ids.iter().filter(|other| *other != id).find(|other| proxy.find(other).is_some());
        assert_eq!(other, None);
        proxy.pass(SETTINGS.ttl);
    }
}

#[test]
fn ids_that_begin_alike_are_different() {
    let mut proxy = Proxy::new();
    let ids = ids_of_a_set(&table(SETTINGS), 8);
    for (call, id) in ids.iter().enumerate() {
        assert_eq!(proxy.store(id, &content(call)), STORED);
    }
    for (call, id) in ids.iter().enumerate() {
        assert_eq!(proxy.find(id), Some(content(call)));
    }
}

#[test]
fn an_entry_expires() {
    let mut proxy = Proxy::new();
    proxy.store("id", &content(1));
    proxy.pass(SETTINGS.ttl - Duration::from_nanos(1));
    assert_eq!(proxy.find("id"), Some(content(1)));
    proxy.pass(Duration::from_nanos(1));
    assert_eq!(proxy.find("id"), None);
}

#[test]
fn a_new_entry_has_its_own_time() {
    let mut proxy = Proxy::new();
    proxy.store("id", &content(1));
    proxy.pass(Duration::from_secs(29));
    proxy.store("id", &content(2));
    proxy.pass(Duration::from_secs(29));
    assert_eq!(proxy.find("id"), Some(content(2)));
}

/// After a push both configs are in use for a while.
#[test]
fn an_entry_has_the_time_of_the_config_that_stored_it() {
    let mut proxy = Proxy::new();
    proxy.store("id", &content(1));
    proxy.settings.ttl = Duration::from_secs(10);
    proxy.store("other", &content(2));
    proxy.pass(Duration::from_secs(10));
    for ttl in [10, 30] {
        proxy.settings.ttl = Duration::from_secs(ttl);
        assert_eq!((proxy.find("id"), proxy.find("other")), (Some(content(1)), None));
    }
}

#[test]
fn the_oldest_entry_of_a_full_set_gives_way() {
    let mut proxy = Proxy::new();
    let ids = ids_of_a_set(&table(SETTINGS), 10);
    for id in &ids[..8] {
        assert_eq!(proxy.store(id, &content(1)), STORED);
        proxy.pass(Duration::from_secs(1));
    }
    // The first one becomes the youngest.
    assert_eq!(proxy.store(&ids[0], &content(2)), STORED);
    assert_eq!(proxy.store(&ids[8], &content(1)), EVICTED);
    assert_eq!(proxy.store(&ids[9], &content(1)), EVICTED);
    let found: Vec<_> = ids.iter().map(|id| proxy.find(id).is_some()).collect();
    assert_eq!(found, [true, false, false, true, true, true, true, true, true, true]);
}

#[test]
fn what_has_expired_gives_way_first() {
    let mut proxy = Proxy::new();
    let ids = ids_of_a_set(&table(SETTINGS), 10);
    for (index, id) in ids[..8].iter().enumerate() {
        // The one in the middle expires first.
        proxy.settings.ttl = Duration::from_secs(if index == 4 { 10 } else { 30 });
        proxy.store(id, &content(1));
    }
    proxy.settings.ttl = SETTINGS.ttl;
    proxy.pass(Duration::from_secs(10));
    assert_eq!(proxy.store(&ids[8], &content(1)), STORED);
    assert!(ids[..9].iter().enumerate().all(|(index, id)| proxy.find(id).is_some() == (index != 4)));
    assert_eq!(proxy.store(&ids[9], &content(1)), EVICTED);
    assert_eq!(proxy.find(&ids[0]), None);
}

#[test]
fn a_value_that_is_too_long_is_left_out() {
    let mut proxy = Proxy::new();
    let longest = ("a", "v".repeat(20));
    let stored = proxy.store("id", &[longest.clone(), ("b", "v".repeat(21)), ("c", "v".repeat(21))]);
    assert_eq!(stored, Stored { evicted: false, too_large: 2 });
    assert_eq!(proxy.find("id"), Some(vec![(longest.0.to_owned(), longest.1.into_bytes())]));
}

/// A call would get a list that has been cut, beside a `traceparent` that has not changed.
#[test]
fn a_list_is_stored_whole_or_not_at_all() {
    let mut proxy = Proxy::new();
    let (parent, state, long) = (("traceparent", "1"), ("tracestate", "b=1"), ("tracestate", "a".repeat(21)));
    let stored = proxy.store("id", &[(parent.0, parent.1), (long.0, &long.1), state]);
    assert_eq!(stored, Stored { evicted: false, too_large: 1 });
    assert_eq!(proxy.find("id"), Some(vec![("traceparent".to_owned(), b"1".to_vec())]));
    let stored = proxy.store("id", &[("traceparent", long.1.as_str()), state]);
    assert_eq!((stored, proxy.find("id")), (Stored { evicted: false, too_large: 1 }, None));
}

#[test]
fn an_entry_that_is_too_large_is_not_stored() {
    let mut proxy = Proxy::new();
    // Three headers of 4 bytes, a name of 1 byte and a value of 20 bytes are 75 bytes; 64 are allowed.
    let [largest, too_large] = [9, 10].map(|last| [20, 20, last].map(|length| ("a", "v".repeat(length))));
    assert_eq!(proxy.store("id", &largest), STORED);
    assert_eq!(proxy.find("id").map(|content| content.len()), Some(3));
    assert_eq!(proxy.store("id", &too_large), Stored { evicted: false, too_large: 1 });
    assert_eq!(proxy.find("id"), None);
}

#[test]
fn a_request_without_headers_removes_what_was_stored() {
    let mut proxy = Proxy::new();
    assert_eq!(proxy.store("id", &NONE), STORED);
    assert_eq!(proxy.shared.calls, (1, 0));
    proxy.store("id", &content(1));
    proxy.store("other", &content(1));
    assert_eq!(proxy.store("id", &NONE), STORED);
    assert_eq!((proxy.find("id"), proxy.find("other")), (None, Some(content(1))));
    // All values are too long.
    proxy.store("other", &[("a", "v".repeat(21))]);
    assert_eq!(proxy.find("other"), None);
}

#[test]
fn removing_makes_room() {
    let mut proxy = Proxy::new();
    let ids = ids_of_a_set(&table(SETTINGS), 9);
    for id in &ids[..8] {
        proxy.store(id, &content(1));
    }
    assert_eq!(proxy.store(&ids[3], &NONE), STORED);
    assert_eq!(proxy.store(&ids[8], &content(1)), STORED);
    assert!(ids.iter().enumerate().all(|(index, id)| proxy.find(id).is_some() == (index != 3)));
}

#[test]
fn a_config_with_another_capacity_has_other_sets() {
    let mut proxy = Proxy::new();
    let ids: Vec<_> = (0u32..100).map(u32::to_le_bytes).collect();
    for capacity in [64, 1024, 1_048_576] {
        proxy.settings.capacity = capacity;
        for id in &ids {
            proxy.store(id, &content(capacity as usize));
            assert_eq!(proxy.find(id), Some(content(capacity as usize)));
        }
    }
}

#[test]
fn a_store_that_fails_changes_nothing() {
    let mut proxy = Proxy::new();
    proxy.store("id", &content(1));
    let table = table(SETTINGS);
    proxy.shared.fails = true;
    assert_eq!(store(&table, b"id", &content(2), &mut proxy.shared), Err(StoreError::Host));
    assert_eq!(find(&table, b"id", &mut proxy.shared), Err(StoreError::Host));
    proxy.shared = Shared { fails: false, is_contended: true, calls: (0, 0), ..proxy.shared };
    assert_eq!(store(&table, b"id", &content(2), &mut proxy.shared), Err(StoreError::Contention));
    assert_eq!(proxy.shared.calls, (32, 32));
    assert_eq!(proxy.find("id"), Some(content(1)));
}

#[test]
fn names_are_of_the_plugin_and_the_set_only() {
    let mut proxy = Proxy::new();
    for id in 0u32..1000 {
        proxy.store(id.to_le_bytes(), &content(1));
    }
    let records: Vec<_> = proxy.shared.alone.records.iter().map(|(name, _)| name.as_slice()).collect();
    let expected: Vec<_> = (0..8).map(|set| format!("{LAYOUT}/p/{set}")).collect();
    assert_eq!(records, expected.iter().map(String::as_bytes).collect::<Vec<_>>());
    assert_eq!(LAYOUT, "mf.tc1");
}

#[test]
fn the_seed_decides_on_the_set() {
    let id = Id::new(b"id").unwrap();
    let record = |seed| super::Table::new(&Scope::of_plugin("p"), SETTINGS, Key::new([seed; 16])).record(id);
    let records: std::collections::BTreeSet<_> = (0..100).map(record).collect();
    assert_eq!(records.len(), 8);
}
