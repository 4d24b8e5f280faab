//! State that the workers of a proxy share: records by key, changed by compare-and-swap.

use crate::time::Nanos;

/// Records by key. The host keeps them in the proxy's shared data; tests keep them in a map and
/// interleave workers as they like.
pub trait Store {
    /// Reads a record, and **then** the clock. In this order: a record that was read carries no
    /// instant later than [`Snapshot::now`], so the instants in a record never run backwards.
    ///
    /// # Errors
    /// The host's failure; a record that is not there is not one.
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError>;

    /// Writes a record if it still is what the snapshot saw, and says whether it was.
    ///
    /// # Errors
    /// The host's failure; a record that has changed is not one.
    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError>;
}

/// A record as it was at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its bytes; `None` if there is no such record yet.
    pub value: Option<Vec<u8>>,
    /// What [`Store::write`] compares.
    pub version: Version,
    /// The instant, taken after the record was read.
    pub now: Nanos,
}

/// Names a state of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// There is no such record: a write creates it, unless somebody else has.
    Absent,
    /// The record's number in the proxy's count of writes.
    Number(u32),
}

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// The record is written.
    Done,
    /// The record has changed since it was read, and stays as it is.
    Conflict,
}

/// Why state cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The host failed.
    Host,
    /// Other workers changed the record each time this one tried; it has tried often enough.
    Contention,
}

/// Reads a record, changes it and writes it back, from the start as long as somebody else is
/// faster, at most `tries` times. A `change` that answers no bytes leaves the record as it is.
///
/// # Errors
/// [`StoreError::Contention`] after the last try, and the host's failure.
pub fn update<T>(
    store: &mut impl Store,
    key: &[u8],
    tries: u32,
    mut change: impl FnMut(Option<&[u8]>, Nanos) -> (Option<Vec<u8>>, T),
) -> Result<T, StoreError> {
    for _ in 0..tries {
        let snapshot = store.read(key)?;
        let (value, outcome) = change(snapshot.value.as_deref(), snapshot.now);
        let Some(value) = value else { return Ok(outcome) };
        if store.write(key, &value, snapshot.version)? == Written::Done {
            return Ok(outcome);
        }
    }
    Err(StoreError::Contention)
}
