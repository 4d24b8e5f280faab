//! The memory of a table.

use super::super::{Settings, Table};
use super::{SETTINGS, store};
use mesh_policy::hash::Key;
use mesh_policy::scope::Scope;
use mesh_testkit::records::Alone;

/// What the proxy needs for a record beyond its name and its value: a node of a hash map with two strings and a number, its
/// bucket, and the allocator's overhead.
const RECORD_BYTES: usize = 128;

fn memory(store: &Alone) -> usize {
    store.records.iter().map(|(name, value)| name.len() + value.len() + RECORD_BYTES).sum()
}

fn bound(settings: Settings) -> usize {
    settings.capacity as usize * (usize::from(settings.max_entry_bytes) + 200)
}

/// An entry that is as large as possible.
fn largest(settings: Settings) -> Vec<(&'static str, Vec<u8>)> {
    let (value, entry) = (usize::from(settings.max_value_bytes) + 5, usize::from(settings.max_entry_bytes));
    let mut headers = vec![("a", vec![b'v'; value - 5]); entry / value];
    if entry % value >= 5 {
        headers.push(("a", vec![b'v'; entry % value - 5]));
    }
    headers
}

#[track_caller]
fn check_full(plugin: &str, max_value_bytes: u16, max_entry_bytes: u16) {
    // Each set is full of ids of 128 bytes.
    let settings = Settings { capacity: 64, max_value_bytes, max_entry_bytes, ..SETTINGS };
    let table = Table::new(&Scope::of_plugin(plugin), settings, Key::new([7; 16]));
    let mut shared = Alone::default();
    for id in 0u8..=255 {
        let stored = store(&table, &[id; 128], &largest(settings), &mut shared).unwrap();
        assert_eq!(stored.too_large, 0);
    }
    let largest = shared.records.iter().map(|(_, value)| value.len()).min().unwrap();
    assert!(largest > 8 * (usize::from(max_entry_bytes) + 128), "the sets are not full");
    assert!(memory(&shared) <= bound(settings), "{} bytes instead of {}", memory(&shared), bound(settings));
}

#[test]
fn a_full_table_is_within_the_bound() {
    check_full("p", 20, 64);
    check_full(&"n".repeat(300), 20, 64);
    check_full(&"n".repeat(300), 1024, 2048);
    check_full(&"n".repeat(300), 8192, 32768);
}

/// Also with a number of entries that is no multiple of 8.
#[test]
fn memory_is_bounded_after_a_million_ids() {
    for capacity in [64, 1023] {
        let settings = Settings { capacity, ..SETTINGS };
        let table = Table::new(&Scope::of_plugin("p"), settings, Key::new([7; 16]));
        let mut shared = Alone::default();
        for id in 0u32..500_000 {
            shared.now.0 += 10_000_000;
            store(&table, &id.to_le_bytes(), &[("traceparent", "v")], &mut shared).unwrap();
        }
        assert!(memory(&shared) <= bound(settings));
        assert_eq!(shared.records.len(), capacity as usize / 8);
    }
}
