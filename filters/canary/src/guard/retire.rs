//! The end of a guard's state.

use super::record::{Config, NO_GUARD, Record, TRIES};
use mesh_policy::store::{Store, StoreError, update};
use mesh_policy::time::Nanos;

/// Takes a record over for a config whose split has no guard, so that a guard of a later config starts anew, whatever its
/// values. `since` is when the config was loaded. Without a record of an earlier config nothing is written.
///
/// To be called once the config has served a request: the proxy also loads configs that it then refuses.
///
/// # Errors
/// The store fails.
pub fn retire(record: &str, since: Nanos, store: &mut impl Store) -> Result<(), StoreError> {
    let config = Config { since, fingerprint: NO_GUARD };
    update(store, record.as_bytes(), TRIES, |bytes, now| {
        let record = bytes.and_then(|bytes| Record::read(bytes, now));
        let earlier = record.filter(|record| record.owner.since < since);
        (earlier.map(|record| record.taken_by(config, now).to_bytes()), ())
    })
}
