//! State shared by the workers of a proxy: records by key, changed by compare-and-swap.

use crate::time::Nanos;

/// Records by key. The host layer stores them in the proxy's shared data; tests store them in a map and interleave
/// workers.
pub trait Store {
    /// Reads a record, and **then** the clock. In this order no instant in the record is later than [`Snapshot::now`], so
    /// the instants in a record never decrease.
    ///
    /// # Errors
    /// The host call fails. A missing record is not an error.
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError>;

    /// Writes a record if it has not changed since the snapshot, and returns whether it was written.
    ///
    /// # Errors
    /// The host call fails. A changed record is not an error.
    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError>;
}

/// A record at a point in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The record; `None` if it does not exist yet.
    pub value: Option<Vec<u8>>,
    /// The version that [`Store::write`] compares.
    pub version: Version,
    /// The time, read after the record.
    pub now: Nanos,
}

/// The version of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The record did not exist; a write creates it unless another worker has.
    Absent,
    /// The record's compare-and-swap number.
    Number(u32),
}

/// The result of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// The record is written.
    Done,
    /// The record has changed since it was read, and was not written.
    Conflict,
}

/// Why the store failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// A host call failed.
    Host,
    /// Other workers changed the record at each attempt.
    Contention,
}

/// Reads a record, changes it and writes it back; starts again if another worker has changed it, at most `tries` times
/// in total. If `change` returns no bytes, nothing is written.
///
/// # Errors
/// [`StoreError::Contention`] after the last attempt, or a host call fails.
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
