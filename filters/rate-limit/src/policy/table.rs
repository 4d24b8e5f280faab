//! Where a bucket is kept: a fixed number of sets, each a record of the proxy's shared data.
//!
//! Records cannot be deleted, so their names depend on nothing that changes: the plugin's name and
//! the set's number. Which limit a slot counts for is only in its fingerprint; a renamed limit opens
//! no new record. The hash is keyed with a seed that no client knows: it can't choose whom to crowd.

use mesh_policy::hash::{Hasher, Key};
use mesh_policy::store::{Store, StoreError, Version, Written};

use super::set::WAYS;

/// What every record's name begins with: whose it is and in which format.
const PREFIX: &str = "mf.rl2/";

/// Sets beyond the table for buckets that no client can multiply: those of limits without a key.
/// However crowded the table is, they have their slots: with as many limits as a config may have,
/// fewer than one set in two is in use, and that one has more than eight is a chance of 1 in 500 000.
const KEYLESS_SETS: u64 = 512;

/// The table of one plugin.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    prefix: String,
    sets: u64,
    seed: Key,
}

/// Where a bucket is.
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

    /// Begins the names of a limit's buckets; the parts of the key follow.
    pub(crate) fn hasher(&self, limit: &str) -> Hasher {
        let mut hasher = self.seed.hasher();
        hasher.part(limit.as_bytes());
        hasher
    }

    /// Where the bucket of this name is.
    pub(crate) fn locate(&self, name: u128, keyless: bool) -> Location {
        let [low, high] = [name as u64, (name >> 64) as u64];
        let set = if keyless { self.sets + low % KEYLESS_SETS } else { scaled(low, self.sets) };
        let mut record = String::with_capacity(self.prefix.len() + 16);
        record.push_str(&self.prefix);
        push_hex(&mut record, set);
        Location { record, fingerprint: high.max(1) }
    }
}

/// Writes a number as `{:x}` does, which would take a good part of what a request may take.
fn push_hex(text: &mut String, number: u64) {
    let digits = (u64::BITS - number.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        let nibble = (number >> (digit * 4)) as u8 & 0xf;
        text.push(char::from(if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble }));
    }
}

/// A uniform number as one below `bound`.
fn scaled(number: u64, bound: u64) -> u64 {
    ((u128::from(number) * u128::from(bound)) >> 64) as u64
}

/// The seed of a plugin's table: made by whoever comes first, before there is traffic, and the same
/// for all workers from then on.
///
/// # Errors
/// The store's.
pub fn seed(store: &mut impl Store, plugin: &str, fresh: [u8; 16]) -> Result<Key, StoreError> {
    let name = format!("{PREFIX}{plugin}/seed");
    // Twice: whoever finds it missing and is too late to make it finds it then.
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

        /// Whatever a client sends, there are no more records than the capacity says.
        #[test]
        fn the_number_of_records_is_fixed(name: u128, keyless: bool, capacity in 1u32..1_000_000) {
            let table = Table::new("", capacity, Key::new([0; 16]));
            let record = table.locate(name, keyless).record;
            let set = u64::from_str_radix(record.strip_prefix("mf.rl2//").unwrap(), 16).unwrap();
            prop_assert!(set < u64::from(capacity).div_ceil(WAYS as u64) + KEYLESS_SETS);
        }
    }
}
