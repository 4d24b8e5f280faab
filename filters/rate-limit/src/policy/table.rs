//! The table of buckets: a fixed number of sets, each a record in the proxy's shared data.
//!
//! The limit of a slot is part of its fingerprint, so renaming a limit with a key creates no records.

use mesh_policy::hash::{Hasher, Key};
use mesh_policy::scope::Scope;
use mesh_policy::store::{Store, StoreError};
use mesh_policy::table::{Names, scaled};

use super::set::WAYS;

/// The table and the version of its records.
const LAYOUT: &str = "mf.rl2";

/// Number of separate sets for limits without a key, whose buckets clients cannot multiply, so that they have slots
/// however crowded the table is. A set is stored once a limit of it is charged, and stays, also if the limit is renamed. With the
/// 256 limits of a config, the probability that a set has more than eight buckets is less than 1 in 10^17; with those of a config
/// and of 32 routes, 1 in 13 000.
const KEYLESS_SETS: u64 = 1 << 14;

/// The table of one scope.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    names: Names,
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
    /// The table of a scope with room for `capacity` buckets.
    pub(crate) fn new(scope: &Scope, capacity: u32, seed: Key) -> Self {
        let sets = u64::from(capacity).div_ceil(WAYS as u64).max(1);
        Self { names: Names::new(LAYOUT, scope), sets, seed }
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
        Location { record: self.names.set(set), fingerprint: high.max(1) }
    }
}

/// The seed of a scope's table, shared by all workers. The first worker stores `fresh`.
///
/// # Errors
/// The store fails.
pub fn seed(store: &mut impl Store, scope: &Scope, fresh: [u8; 16]) -> Result<Key, StoreError> {
    Names::new(LAYOUT, scope).seed(store, fresh)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_hold_nothing_that_changes() {
        let table = Table::new(&Scope::of_plugin("default.limits"), 65536, Key::new([7; 16]));
        assert_eq!(table.locate(0, false).record, "mf.rl2/default.limits/0");
        assert_eq!(table.locate(u128::from(u64::MAX), false).record, "mf.rl2/default.limits/1fff");
        assert_eq!(table.locate(5, true).record, "mf.rl2/default.limits/2005");
        assert_eq!(table.locate(0, false).fingerprint, 1);
    }

    proptest! {
        /// The number of records is bounded, whatever clients send.
        #[test]
        fn the_number_of_records_is_fixed(name: u128, keyless: bool, capacity in 1u32..1_000_000) {
            let table = Table::new(&Scope::default(), capacity, Key::new([0; 16]));
            let record = table.locate(name, keyless).record;
            let set = u64::from_str_radix(record.strip_prefix("mf.rl2//").unwrap(), 16).unwrap();
            prop_assert!(set < u64::from(capacity).div_ceil(WAYS as u64) + KEYLESS_SETS);
        }
    }
}
