//! Laws of records, checked at each write by any worker.

use super::super::record::{State, decode_set};
use super::simulation::version;
use crate::crypto::{KeySet, Origin};
use mesh_policy::time::Nanos;

pub(super) fn is_set(key: &[u8]) -> bool {
    key.starts_with(b"mesh_filters.jwt_authz/1/set/")
}

/// The version of the set in a record.
pub(super) fn version_in(record: &[u8]) -> Option<(u64, u32)> {
    let (number, text) = decode_set(record)?;
    Some((number, version(&KeySet::read(text, Origin::Remote).ok()?)))
}

/// Checks a write of the record with this key.
pub(super) fn law(key: &[u8], before: Option<&[u8]>, after: &[u8]) -> Result<(), String> {
    if is_set(key) {
        return set_law(before, after);
    }
    let before = before.and_then(State::decode).unwrap_or_default();
    state_law(&before, &State::decode(after).unwrap())
}

/// A set is never replaced by one that was fetched earlier.
fn set_law(before: Option<&[u8]>, after: &[u8]) -> Result<(), String> {
    let read = |record| Some((version_in(record)?, decode_set(record)?.1.to_owned()));
    let Some((before, text)) = before.and_then(read) else { return Ok(()) };
    let (after, new_text) = read(after).unwrap();
    let holds = before.0 <= after.0 && before.1 <= after.1 && (before.0 == after.0) == (text == new_text);
    if holds { Ok(()) } else { Err(format!("a set takes the place of a newer one: {before:?}, {after:?}")) }
}

/// There is one fetch at a time, and it ends once.
fn state_law(before: &State, after: &State) -> Result<(), String> {
    let goes_on = before.set <= after.set && before.ended <= after.ended && before.answered <= after.answered;
    let holds = if after.started == before.started {
        before.leased_until != Nanos(0)
            && after.leased_until == Nanos(0)
            && after.owner == before.owner
            && (after.failures == 0 || after.answered == before.answered)
    } else {
        before.leased_until <= after.started
    };
    if goes_on && holds { Ok(()) } else { Err(format!("{before:?}, {after:?}")) }
}
