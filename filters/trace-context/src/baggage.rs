//! Baggage: what a trace carries for applications (W3C Baggage, <https://www.w3.org/TR/baggage/>, section "Header Content").

mod key;
mod member;

pub use key::Key;
pub use member::Member;

use member::{encoded_length, push_encoded};
use mesh_policy::headers::{HeaderName, HeaderValue, Headers};

/// The header.
pub const HEADER: HeaderName = HeaderName::from_static(NAME);

const NAME: &str = "baggage";

/// How many members of a request are judged. Those behind are dropped as too many, whatever they are: as many as fit into a
/// request's headers, each with every test of a config, would take milliseconds.
const MAX_JUDGED: usize = 512;

/// How much baggage is passed on, in all headers together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Number of members.
    pub max_members: usize,
    /// Bytes with commas.
    pub max_bytes: usize,
}

/// A member that is set. The client's members of that key are removed, also if there is no value.
#[derive(Clone, Copy, Debug)]
pub struct Set<'a> {
    /// The key.
    pub key: &'a Key,
    /// The value, any bytes; `None` if the request has none.
    pub value: Option<&'a [u8]>,
}

/// How many members were dropped, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// The key is not allowed.
    pub not_allowed: u32,
    /// The member does not follow the grammar.
    pub malformed: u32,
    /// There are too many members, of the result or of the request.
    pub too_many: u32,
    /// There are too many bytes.
    pub too_large: u32,
    /// The client sent a member of a key that is set.
    pub replaced: u32,
}

/// What is to happen to the baggage of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// It passes as it came.
    Unchanged,
    /// All headers are removed.
    Remove,
    /// All headers are replaced by one.
    Replace(HeaderValue),
}

/// Removes what may not be passed on, and sets members.
///
/// Members that are set stand first, in their order, then those of the client that stay, byte for byte without the spaces
/// around them. A member that exceeds a limit is dropped, and a smaller one behind it may stay. Members of the client stay
/// if they are well-formed, `is_allowed` by their key as it is spelt, and not of a key that is set. Each is tested once, and
/// only the first 512 are.
#[must_use]
pub fn edit(
    headers: &Headers,
    is_allowed: impl Fn(&[u8]) -> bool,
    limits: Limits,
    set: &[Set<'_>],
) -> (Edit, Dropped) {
    // Most baggage stays as it is, so it is judged before anything is copied.
    let Judged { parts, dropped, length } = judge(headers, is_allowed, limits, set);
    let given = headers.get(NAME).map(<[u8]>::len).reduce(|all, one| all + 1 + one);
    let has_set = set.iter().any(|set| set.value.is_some());
    if !has_set && dropped == Dropped::default() && given.unwrap_or(0) <= limits.max_bytes {
        return (Edit::Unchanged, dropped);
    }
    let mut value = Vec::with_capacity(length);
    for part in parts {
        if !value.is_empty() {
            value.push(b',');
        }
        match part {
            Part::Set(key, set) => push_encoded(&mut value, key, set),
            Part::Kept(member) => value.extend_from_slice(member),
        }
    }
    let mut before = headers.get(NAME);
    let edit = match (before.next(), before.next()) {
        (None, _) if value.is_empty() => Edit::Unchanged,
        _ if value.is_empty() => Edit::Remove,
        (Some(only), None) if only == value => Edit::Unchanged,
        // Keys and values have no control characters.
        _ => HeaderValue::new(value).map_or(Edit::Remove, Edit::Replace),
    };
    (edit, dropped)
}

/// A member of the result.
enum Part<'a> {
    Set(&'a Key, &'a [u8]),
    Kept(&'a [u8]),
}

/// What becomes of the members.
struct Judged<'a> {
    parts: Vec<Part<'a>>,
    dropped: Dropped,
    /// The result's length.
    length: usize,
}

/// Judges each member once.
fn judge<'a>(
    headers: &'a Headers,
    is_allowed: impl Fn(&[u8]) -> bool,
    limits: Limits,
    set: &[Set<'a>],
) -> Judged<'a> {
    let mut parts = Vec::new();
    let mut dropped = Dropped::default();
    let mut room = Room { members: limits.max_members, bytes: limits.max_bytes.saturating_add(1) };
    let all = room.bytes;
    for Set { key, value } in set {
        if let Some(value) = value
            && room.take(encoded_length(key, value), &mut dropped)
        {
            parts.push(Part::Set(key, value));
        }
    }
    let mut members = headers.get(NAME).flat_map(Member::split);
    for member in members.by_ref().take(MAX_JUDGED).map(Member::read) {
        let count = match member.key {
            None => &mut dropped.malformed,
            Some(key) if set.iter().any(|set| set.key.may_be_read_as(key)) => &mut dropped.replaced,
            Some(key) if !is_allowed(key) => &mut dropped.not_allowed,
            Some(_) => {
                if room.take(member.raw.len(), &mut dropped) {
                    parts.push(Part::Kept(member.raw));
                }
                continue;
            }
        };
        *count = count.saturating_add(1);
    }
    let rest = u32::try_from(members.count()).unwrap_or(u32::MAX);
    dropped.too_many = dropped.too_many.saturating_add(rest);
    Judged { parts, dropped, length: all.saturating_sub(room.bytes).saturating_sub(1) }
}

/// What is left of the limits.
struct Room {
    members: usize,
    /// One more than the result may have, as each member counts with a comma.
    bytes: usize,
}

impl Room {
    /// Takes the room for a member, or counts why there is none.
    fn take(&mut self, length: usize, dropped: &mut Dropped) -> bool {
        let (members, bytes) =
            (self.members.checked_sub(1), self.bytes.checked_sub(length.saturating_add(1)));
        match (members, bytes) {
            (Some(members), Some(bytes)) => {
                *self = Self { members, bytes };
                true
            }
            (None, _) => {
                dropped.too_many = dropped.too_many.saturating_add(1);
                false
            }
            (Some(_), None) => {
                dropped.too_large = dropped.too_large.saturating_add(1);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
