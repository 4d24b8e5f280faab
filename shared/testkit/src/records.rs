//! The shared data of a simulated proxy, with the semantics of Envoy's.

use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use std::collections::BTreeMap;

/// Records by key. The version of a record is the number of its last write.
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
    /// A record and its version.
    pub fn get<Q>(&self, key: &Q) -> Option<(&V, u32)>
    where
        K: std::borrow::Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.records.get(key).map(|(value, number)| (value, *number))
    }

    /// Writes a record if its version is still this one.
    ///
    /// As in the proxy, the version is compared only if the record exists: a write to an absent record always
    /// succeeds. A write that expects an absent record carries a version that no record has.
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

    /// All records, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.records.iter().map(|(key, (value, _))| (key, value))
    }

    /// All records, sorted by key, to damage them. Their versions do not change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.records.iter_mut().map(|(key, (value, _))| (key, value))
    }

    /// The number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

impl Records {
    /// What a worker reads at an instant.
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

/// A store without other workers, at a fixed instant.
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
        // The version is not compared if the record is absent.
        assert_eq!(write("b", 5, Version::Number(7)), Written::Done);
        assert_eq!(records.get("a"), Some((&3, 2)));
        assert_eq!(records.get("b"), Some((&5, 3)));
        assert_eq!(records.get("c"), None);
    }
}
