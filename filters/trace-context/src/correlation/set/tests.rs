use super::{Set, WAYS};
use crate::correlation::id::Id;
use mesh_policy::time::Nanos;

const NOW: Nanos = Nanos(1000);
const EXPIRES: Nanos = Nanos(1001);
/// `a: 1` as it is packed.
const HEADERS: &[u8] = b"\x01\0\x01\0a1";

/// A record with an entry for each of these ids.
fn record(ids: &[&[u8]]) -> Vec<u8> {
    ids.iter().fold(b"\x01\0\0\0".to_vec(), |record, id| with(&record, id, NOW))
}

fn with(record: &[u8], id: &[u8], now: Nanos) -> Vec<u8> {
    Set::read(Some(record)).with(Id::new(id).unwrap(), HEADERS, EXPIRES, now).0
}

/// The bytes that are found under an id in a record.
fn found<'a>(record: &'a [u8], id: &[u8]) -> Option<&'a [u8]> {
    Set::read(Some(record)).find(Id::new(id).unwrap(), NOW).map(|headers| &record[headers])
}

/// The record is empty: it has neither `a` nor `b`, and what is stored then is alone.
#[track_caller]
fn check_damaged(damaged: &[u8]) {
    assert_eq!((found(damaged, b"a"), found(damaged, b"b")), (None, None), "{damaged:?}");
    assert_eq!(with(damaged, b"c", NOW), record(&[b"c"]), "{damaged:?}");
}

#[test]
fn a_record_is_the_format_and_the_entries() {
    let expected = [
        &b"\x01\0\0\0"[..],
        b"\xe9\x03\0\0\0\0\0\0\x02\x06\0id\x01\0\x01\0a1",
        b"\xe9\x03\0\0\0\0\0\0\x01\x06\0b\x01\0\x01\0a1",
    ];
    assert_eq!(record(&[b"id", b"b"]), expected.concat());
}

#[test]
fn a_damaged_record_is_empty() {
    let whole = record(&[b"a", b"b"]);
    assert_eq!((found(&whole, b"a"), found(&whole, b"b")), (Some(HEADERS), Some(HEADERS)));
    let first = record(&[b"a"]).len();
    for length in 0..whole.len() {
        if length == first {
            assert_eq!((found(&whole[..length], b"a"), found(&whole[..length], b"b")), (Some(HEADERS), None));
        } else {
            check_damaged(&whole[..length]);
        }
    }
    check_damaged(&[&whole[..], b"\0"].concat());
    check_damaged(&[&b"\x02\0\0\0"[..], &whole[4..]].concat());
    // Lengths of the id, of the headers, of a name and of a value.
    for at in [8 + 4, 9 + 4, 10 + 4, 12 + 4, 13 + 4, 14 + 4, 15 + 4] {
        for byte in [0, 0xff] {
            let mut damaged = whole.clone();
            let before = std::mem::replace(&mut damaged[at], byte);
            if before != byte {
                check_damaged(&damaged);
            }
        }
    }
}

#[test]
fn more_than_eight_entries_are_damage() {
    let ids: Vec<[u8; 1]> = (b'a'..).map(|id| [id]).take(WAYS).collect();
    let ids: Vec<&[u8]> = ids.iter().map(|id| &id[..]).collect();
    let full = record(&ids);
    assert!(ids.iter().all(|id| found(&full, id).is_some()));
    check_damaged(&[&full[..], &record(&[b"i"])[4..]].concat());
}

/// One would have no id to be stored under, and the others no header to be found.
#[test]
fn an_entry_without_id_or_headers_is_damage() {
    check_damaged(b"\x01\0\0\0\xe9\x03\0\0\0\0\0\0\0\x06\0\x01\0\x01\0a1");
    check_damaged(b"\x01\0\0\0\xe9\x03\0\0\0\0\0\0\x01\0\0a");
}

/// A damaged record may have an id twice.
#[test]
fn all_entries_of_an_id_are_replaced() {
    let twice = [&record(&[b"a"])[..], &record(&[b"b", b"a"])[4..]].concat();
    assert_eq!(with(&twice, b"a", NOW), record(&[b"b", b"a"]));
    assert_eq!(Set::read(Some(&twice)).without(Id::new(b"a").unwrap(), NOW), Some(record(&[b"b"])));
}

#[test]
fn only_an_entry_that_can_be_found_is_removed() {
    let without = |id, now| Set::read(Some(&record(&[b"a", b"b"]))).without(Id::new(id).unwrap(), now);
    assert_eq!(without(b"a", NOW), Some(record(&[b"b"])));
    assert_eq!(without(b"c", NOW), None);
    assert_eq!(without(b"a", EXPIRES), None);
    assert_eq!(Set::read(None).without(Id::new(b"a").unwrap(), NOW), None);
}

#[test]
fn a_write_drops_what_has_expired() {
    assert_eq!(with(&record(&[b"a", b"b"]), b"c", EXPIRES), record(&[b"c"]));
}

#[cfg(not(target_family = "wasm"))]
mod laws {
    use super::*;
    use proptest::prelude::*;

    /// Bytes like those of records, so that many are partly valid.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let ids = prop::collection::vec(prop::collection::vec(any::<u8>(), 1..5), 0..12);
        let damage = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
        (ids, damage, any::<prop::sample::Index>(), any::<bool>()).prop_map(|(ids, damage, end, is_cut)| {
            let ids: Vec<_> = ids.iter().map(Vec::as_slice).collect();
            let mut record = record(&ids);
            for (at, byte) in damage {
                let at = at.index(record.len());
                record[at] = byte;
            }
            if is_cut {
                record.truncate(end.index(record.len()));
            }
            record
        })
    }

    fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![4 => bytes(), 1 => prop::collection::vec(any::<u8>(), 0..200)]
    }

    proptest! {
        /// Whatever a record contains: what is stored is found afterwards, and what is removed is not.
        #[test]
        fn any_record_can_be_changed(bytes in any_bytes(), id in prop::collection::vec(any::<u8>(), 1..5)) {
            let _read = found(&bytes, &id);
            let stored = with(&bytes, &id, NOW);
            prop_assert_eq!(found(&stored, &id), Some(HEADERS));
            prop_assert!(stored.len() <= bytes.len() + 4 + 11 + id.len() + HEADERS.len());
            let removed = Set::read(Some(&stored)).without(Id::new(&id).unwrap(), NOW).unwrap();
            prop_assert_eq!(found(&removed, &id), None);
        }
    }
}
