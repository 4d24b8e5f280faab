//! A proxy's shared data: the same answers, the same surprises.

use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use std::collections::BTreeMap;

/// Records, each with the number of the write that made it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Records<K = Vec<u8>, V = Vec<u8>> {
    records: BTreeMap<K, (V, u32)>,
    writes: u32,
}

impl<K, V> Default for Records<K, V> {
    fn default() -> Self {
        Self { records: BTreeMap::new(), writes: 0 }
    }
}

impl<K: Ord, V> Records<K, V> {
    /// A record, with what [`Records::write`] compares.
    pub fn get<Q>(&self, key: &Q) -> Option<(&V, u32)>
    where
        K: std::borrow::Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.records.get(key).map(|(value, number)| (value, *number))
    }

    /// Writes a record if it is still the one of this version.
    ///
    /// As in the proxy, the version is only compared where there is a record: a write to one that is
    /// absent always succeeds. A write that expects it to be absent carries a number that no record has.
    pub fn write(&mut self, key: K, value: V, version: Version) -> Written {
        let expected = match version {
            Version::Absent => u32::MAX,
            Version::Number(number) => number,
        };
        if self.records.get(&key).is_some_and(|(_, number)| *number != expected) {
            return Written::Conflict;
        }
        self.writes += 1;
        self.records.insert(key, (value, self.writes));
        Written::Done
    }

    /// All records, by their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.records.iter().map(|(key, (value, _))| (key, value))
    }

    /// All records, by their keys, to be damaged: their versions stay.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.records.iter_mut().map(|(key, (value, _))| (key, value))
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

impl Records {
    /// A record as a worker reads it at an instant.
    #[must_use]
    pub fn snapshot(&self, key: &[u8], now: Nanos) -> Snapshot {
        match self.get(key) {
            Some((value, number)) => {
                Snapshot { value: Some(value.clone()), version: Version::Number(number), now }
            }
            None => Snapshot { value: None, version: Version::Absent, now },
        }
    }
}

/// The shared data as a worker sees it that is alone, at an instant.
#[derive(Clone, Debug, Default)]
pub struct Alone {
    /// The shared data.
    pub records: Records,
    /// The clock.
    pub now: Nanos,
}

impl Store for Alone {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        Ok(self.records.snapshot(key, self.now))
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        Ok(self.records.write(key.to_vec(), value.to_vec(), version))
    }
}

#[cfg(test)]
mod tests {
    use super::Records;
    use mesh_policy::store::{Version, Written};

    #[test]
    fn a_write_succeeds_if_nobody_was_faster() {
        let mut records = Records::default();
        let mut write = |key: &str, value: u8, version| records.write(key.to_owned(), value, version);
        assert_eq!(write("a", 1, Version::Absent), Written::Done);
        assert_eq!(write("a", 2, Version::Absent), Written::Conflict);
        assert_eq!(write("a", 3, Version::Number(1)), Written::Done);
        assert_eq!(write("a", 4, Version::Number(1)), Written::Conflict);
        // Where there is no record nothing is compared.
        assert_eq!(write("b", 5, Version::Number(7)), Written::Done);
        assert_eq!(records.get("a"), Some((&3, 2)));
        assert_eq!(records.get("b"), Some((&5, 3)));
        assert_eq!(records.get("c"), None);
    }
}
