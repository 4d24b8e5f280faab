//! What must be in a set after some calls.

use super::super::set::WAYS;
use super::Content;
use mesh_policy::time::Nanos;

/// A call of `store` that has changed a set.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) id: usize,
    /// `None` if there is to be no entry.
    pub(super) content: Option<Content>,
    pub(super) at: Nanos,
    pub(super) expires: Nanos,
}

/// What must be found under an id at this time, after these writes to a set.
///
/// The last write of the id counts. It is lost if it has expired, or if the set had eight younger entries at some time.
pub(super) fn left<'a>(writes: &[&'a Write], id: usize, now: Nanos) -> Option<&'a Content> {
    let last = writes.iter().rposition(|write| write.id == id)?;
    let (write, younger) = (writes[last], &writes[last + 1..]);
    let has_given_way = (0..younger.len()).any(|end| entries(&younger[..=end], younger[end].at) >= WAYS);
    write.content.as_ref().filter(|_| now < write.expires && !has_given_way)
}

/// Number of ids whose last write is an entry that has not expired.
fn entries(writes: &[&Write], now: Nanos) -> usize {
    let is_last = |index: usize| writes[index + 1..].iter().all(|later| later.id != writes[index].id);
    let is_entry = |write: &Write| write.content.is_some() && now < write.expires;
    (0..writes.len()).filter(|index| is_entry(writes[*index]) && is_last(*index)).count()
}

/// Whether the last of these writes removes an entry of another id that had not expired.
pub(super) fn evicts(writes: &[&Write]) -> bool {
    let (last, before) = writes.split_last().expect("there is a write");
    let others = before.iter().map(|write| write.id).filter(|id| *id != last.id);
    let mut others = others.map(|id| [before, writes].map(|writes| left(writes, id, last.at).is_some()));
    others.any(|is_left| is_left == [true, false])
}
