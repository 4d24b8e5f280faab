//! The table of buckets: a fixed number of sets, each a record in the proxy's shared data.
//!
//! Records cannot be deleted, so their names consist only of the plugin's name and the set's number. The limit of a
//! slot is part of its fingerprint, so renaming a limit creates no records. The hash is keyed with a seed that clients
//! do not know, so they cannot choose the set of a bucket.

use mesh_policy::hash::{Hasher, Key};
use mesh_policy::store::{Store, StoreError, Version, Written};

use super::set::WAYS;

/// Prefix of all record names, with the version of the format.
const PREFIX: &str = "mf.rl2/";

/// Number of separate sets for limits without a key, whose buckets clients cannot multiply, so that they have slots
/// however crowded the table is. With the maximum number of limits, fewer than half of these sets are in use, and the
/// probability that one has more than eight buckets is 1 in 500 000.
const KEYLESS_SETS: u64 = 512;

/// The table of one plugin.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    prefix: String,
    sets: u64,
    seed: Key,
}

/// The location of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// The record's name.
    pub(crate) record: String,
    /// The slot's fingerprint, never zero.
    pub(crate) fingerprint: u64,
}

impl Table {
    /// The table of a plugin with room for `capacity` buckets.
    pub(crate) fn new(plugin: &str, capacity: u32, seed: Key) -> Self {
        let sets = u64::from(capacity).div_ceil(WAYS as u64).max(1);
        Self { prefix: format!("{PREFIX}{plugin}/"), sets, seed }
    }

    /// A hasher for the names of a limit's buckets, to which the parts of the key are added.
    pub(crate) fn hasher(&self, limit: &str) -> Hasher {
        let mut hasher = self.seed.hasher();
        hasher.part(limit.as_bytes());
        hasher
    }

    /// The location of the bucket with this name.
    pub(crate) fn locate(&self, name: u128, keyless: bool) -> Location {
        let [low, high] = [name as u64, (name >> 64) as u64];
        let set = if keyless { self.sets + low % KEYLESS_SETS } else { scaled(low, self.sets) };
        let mut record = String::with_capacity(self.prefix.len() + 16);
        record.push_str(&self.prefix);
        push_hex(&mut record, set);
        Location { record, fingerprint: high.max(1) }
    }
}

/// Appends a number like `{:x}`, which is too slow for every request.
fn push_hex(text: &mut String, number: u64) {
    let digits = (u64::BITS - number.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        let nibble = (number >> (digit * 4)) as u8 & 0xf;
        text.push(char::from(if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble }));
    }
}

/// Scales a uniformly distributed number to the range below `bound`.
fn scaled(number: u64, bound: u64) -> u64 {
    ((u128::from(number) * u128::from(bound)) >> 64) as u64
}

/// The seed of a plugin's table, shared by all workers. The first worker stores `fresh`.
///
/// # Errors
/// The store fails.
pub fn seed(store: &mut impl Store, plugin: &str, fresh: [u8; 16]) -> Result<Key, StoreError> {
    let name = format!("{PREFIX}{plugin}/seed");
    // Twice: if another worker stores its seed first, the second read finds it.
    for _ in 0..2 {
        let snapshot = store.read(name.as_bytes())?;
        if let Some(seed) = snapshot.value.as_deref().and_then(|seed| seed.try_into().ok()) {
            return Ok(Key::new(seed));
        }
        let version = if snapshot.value.is_some() { snapshot.version } else { Version::Absent };
        if store.write(name.as_bytes(), &fresh, version)? == Written::Done {
            return Ok(Key::new(fresh));
        }
    }
    Err(StoreError::Contention)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_hold_nothing_that_changes() {
        let table = Table::new("default.limits", 65536, Key::new([7; 16]));
        assert_eq!(table.locate(0, false).record, "mf.rl2/default.limits/0");
        assert_eq!(table.locate(u128::from(u64::MAX), false).record, "mf.rl2/default.limits/1fff");
        assert_eq!(table.locate(5, true).record, "mf.rl2/default.limits/2005");
        assert_eq!(table.locate(0, false).fingerprint, 1);
    }

    proptest! {
        #[test]
        fn hexadecimal_is_as_usual(number: u64) {
            let mut text = String::new();
            push_hex(&mut text, number);
            prop_assert_eq!(text, format!("{number:x}"));
        }

        /// The number of records is bounded, whatever clients send.
        #[test]
        fn the_number_of_records_is_fixed(name: u128, keyless: bool, capacity in 1u32..1_000_000) {
            let table = Table::new("", capacity, Key::new([0; 16]));
            let record = table.locate(name, keyless).record;
            let set = u64::from_str_radix(record.strip_prefix("mf.rl2//").unwrap(), 16).unwrap();
            prop_assert!(set < u64::from(capacity).div_ceil(WAYS as u64) + KEYLESS_SETS);
        }
    }
}
