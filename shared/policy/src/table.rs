//! Tables in the proxy's shared data: a fixed number of sets, each a record.
//!
//! Records cannot be deleted, so their names consist only of the layout, the scope and the set's number. A set is
//! chosen by a hash that is keyed with a seed that clients do not know, so they cannot choose the set.

use crate::hash::Key;
use crate::scope::Scope;
use crate::store::{Snapshot, Store, StoreError, Version, Written};

/// The names of the records of a scope's table.
#[derive(Clone, Debug)]
pub struct Names {
    prefix: String,
}

impl Names {
    /// The names for a layout, such as `mf.rl2`: it says which table this is, and changes with what the records contain.
    #[must_use]
    pub fn new(layout: &str, scope: &Scope) -> Self {
        Self { prefix: format!("{}/", scope.record_name(layout)) }
    }

    /// The name of a set's record.
    #[must_use]
    // A module is smaller with it.
    #[inline]
    pub fn set(&self, number: u64) -> String {
        let mut name = String::with_capacity(self.prefix.len() + 16);
        name.push_str(&self.prefix);
        push_hex(&mut name, number);
        name
    }

    /// The seed of the table, if a worker has stored one.
    ///
    /// # Errors
    /// The store fails.
    pub fn stored_seed(&self, store: &mut impl Store) -> Result<Option<Key>, StoreError> {
        Ok(read_seed(&store.read(self.seed_name().as_bytes())?))
    }

    /// The seed of the table, shared by all workers. The first worker stores `fresh`.
    ///
    /// # Errors
    /// The store fails.
    pub fn seed(&self, store: &mut impl Store, fresh: [u8; 16]) -> Result<Key, StoreError> {
        let name = self.seed_name();
        // Twice: if another worker stores its seed first, the second read finds it.
        for _ in 0..2 {
            let snapshot = store.read(name.as_bytes())?;
            if let Some(seed) = read_seed(&snapshot) {
                return Ok(seed);
            }
            let version = if snapshot.value.is_some() { snapshot.version } else { Version::Absent };
            if store.write(name.as_bytes(), &fresh, version)? == Written::Done {
                return Ok(Key::new(fresh));
            }
        }
        Err(StoreError::Contention)
    }

    fn seed_name(&self) -> String {
        format!("{}seed", self.prefix)
    }
}

/// A record of another length is damaged.
fn read_seed(record: &Snapshot) -> Option<Key> {
    record.value.as_deref().and_then(|seed| seed.try_into().ok()).map(Key::new)
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
#[must_use]
pub fn scaled(number: u64, bound: u64) -> u64 {
    ((u128::from(number) * u128::from(bound)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::{Names, scaled};
    use crate::scope::Scope;
    use crate::testing::test;

    #[test]
    fn names_are_of_layout_plugin_and_number() {
        let names = Names::new("mf.rl2", &Scope::of_plugin("default.limits"));
        assert_eq!(names.set(0), "mf.rl2/default.limits/0");
        assert_eq!(names.set(0x1fff), "mf.rl2/default.limits/1fff");
        assert_eq!(names.set(u64::MAX), "mf.rl2/default.limits/ffffffffffffffff");
    }

    #[test]
    fn a_number_is_scaled_to_what_is_below_the_bound() {
        assert_eq!((scaled(0, 10), scaled(u64::MAX, 10)), (0, 9));
        assert_eq!((scaled(u64::MAX / 2, 10), scaled(u64::MAX / 2 + 1, 10)), (4, 5));
        assert_eq!(scaled(u64::MAX, 1), 0);
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod laws {
    use super::{push_hex, scaled};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn hexadecimal_is_as_usual(number: u64) {
            let mut text = String::new();
            push_hex(&mut text, number);
            prop_assert_eq!(text, format!("{number:x}"));
        }

        #[test]
        fn what_is_scaled_is_below_the_bound(number: u64, bound in 1u64..) {
            prop_assert!(scaled(number, bound) < bound);
        }
    }
}
