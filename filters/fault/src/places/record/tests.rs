use super::{ENTRY_BYTES, Entry, HEADER_BYTES, LEASE, Lost, Record, SLOTS};
use mesh_policy::time::Nanos;
use proptest::prelude::*;

const NOW: Nanos = Nanos(100_000_000_000);

fn entry(slot: u16, held: u32) -> Entry {
    Entry { slot, owner: 1000 + u64::from(slot), renewed: NOW, held }
}

fn record(entries: impl IntoIterator<Item = Entry>) -> Record {
    let mut record = Record::default();
    entries.into_iter().for_each(|entry| record.put(entry));
    record
}

/// Reads a record of two entries after a change of its bytes; returns whether it can be read.
#[track_caller]
fn check(change: impl FnOnce(&mut Vec<u8>), is_read: bool) {
    let mut bytes = record([entry(3, 1), entry(5, 2)]).to_bytes();
    change(&mut bytes);
    assert_eq!(!Record::read(Some(&bytes), NOW).entries().is_empty(), is_read);
}

#[test]
fn a_damaged_record_has_no_entries() {
    const SECOND: usize = HEADER_BYTES + ENTRY_BYTES;
    check(|_| {}, true);
    check(|bytes| bytes.truncate(SECOND), true);
    check(Vec::clear, false);
    check(|bytes| bytes.truncate(3), false);
    check(|bytes| bytes.push(0), false);
    check(|bytes| bytes.truncate(SECOND + ENTRY_BYTES - 1), false);
    // Another version.
    check(|bytes| bytes[0] ^= 3, false);
    // The slot of the second entry: that of the first, less, free, the last one, and too large.
    check(|bytes| bytes[SECOND] = 3, false);
    check(|bytes| bytes[SECOND] = 2, false);
    check(|bytes| bytes[SECOND] = 4, true);
    check(|bytes| bytes[SECOND] = 255, true);
    check(|bytes| bytes[SECOND + 1] = 1, false);
    // When the second entry was renewed: earlier, and in the future.
    check(|bytes| bytes[SECOND + 11] -= 1, true);
    check(|bytes| bytes[SECOND + 17] = 1, false);
}

#[test]
fn a_missing_record_has_no_entries() {
    assert_eq!(Record::read(None, NOW), Record::default());
}

#[test]
fn a_vm_gets_the_first_free_slot() {
    assert_eq!(record([]).free_slot(), Some(0));
    assert_eq!(record([entry(0, 1), entry(1, 1), entry(3, 1)]).free_slot(), Some(2));
    assert_eq!(record([entry(1, 1)]).free_slot(), Some(0));
    assert_eq!(record((0..SLOTS - 1).map(|slot| entry(slot, 1))).free_slot(), Some(SLOTS - 1));
}

#[test]
fn a_record_has_at_most_256_entries() {
    let mut full = record((0..SLOTS).rev().map(|slot| entry(slot, u32::MAX)));
    assert_eq!((full.free_slot(), full.entries().len()), (None, 256));
    assert_eq!(full.held(NOW), 256 * u64::from(u32::MAX));
    let bytes = full.to_bytes();
    assert_eq!(bytes.len(), HEADER_BYTES + 256 * ENTRY_BYTES);
    assert_eq!(Record::read(Some(&bytes), NOW), full);
    for slot in [0, 255, 256, u16::MAX] {
        full.put(Entry { owner: 0, ..entry(slot, 1) });
        assert_eq!(full.to_bytes(), bytes);
    }
}

#[test]
fn an_entry_is_found_by_its_owner() {
    let mut record = record([entry(3, 1), entry(0, 2)]);
    assert_eq!((record.of(1003), record.of(1001)), (Some(entry(3, 1)), None));
    assert_eq!((record.take(1003), record.take(1003)), (Some(entry(3, 1)), None));
    assert_eq!(record.entries(), [entry(0, 2)]);
}

#[test]
fn an_entry_that_was_not_renewed_for_eight_seconds_is_lost() {
    let all = record([entry(0, 1), entry(1, 2), entry(2, 4)]);
    // The gauge of slot 1 cannot be read.
    let remove =
        |record: &mut Record, now| record.remove_lost(now, |slot| (slot != 1).then(|| u64::from(slot) + 7));
    let mut record = all.clone();
    assert_eq!((remove(&mut record, Nanos(NOW.after(LEASE).0 - 1)), &record), (vec![], &all));
    assert_eq!(all.held(Nanos(NOW.after(LEASE).0 - 1)), 7);
    assert_eq!(
        remove(&mut record, NOW.after(LEASE)),
        [Lost { slot: 0, held: 1, in_flight: 7 }, Lost { slot: 2, held: 4, in_flight: 9 }]
    );
    assert_eq!((record.entries(), record.held(NOW.after(LEASE))), ([entry(1, 2)].as_slice(), 0));
}

prop_compose! {
    fn any_entry()(slot in 0..SLOTS, owner in any::<u64>(), renewed in 0..=NOW.0, held in any::<u32>()) -> Entry {
        Entry { slot, owner, renewed: Nanos(renewed), held }
    }
}

proptest! {
    #[test]
    fn a_record_is_read_as_written(entries in prop::collection::vec(any_entry(), 0..20)) {
        let record = record(entries);
        prop_assert_eq!(Record::read(Some(&record.to_bytes()), NOW), record);
    }

    #[test]
    fn any_bytes_can_be_read(mut bytes in prop::collection::vec(any::<u8>(), 0..200), has_header in any::<bool>()) {
        if has_header {
            bytes.splice(..0, Record::default().to_bytes());
        }
        let record = Record::read(Some(&bytes), Nanos(u64::MAX));
        prop_assert!(record == Record::default() || record.to_bytes() == bytes);
    }

    /// One or two bytes of a record are changed: it is another record, or none.
    #[test]
    fn a_changed_record_can_be_read(
        entries in prop::collection::vec(any_entry(), 1..5), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
    ) {
        let mut bytes = record(entries).to_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let record = Record::read(Some(&bytes), NOW);
        prop_assert!(record == Record::default() || record.to_bytes() == bytes);
    }
}
