//! The proxy's shared data as a [`Store`].
//!
//! One keyspace for all plugins of a proxy (Istio leaves the VM's id empty), no delete and no
//! listing: keys carry a prefix, and their number is fixed by the config.

use crate::abi;
use crate::clock;
use crate::status::{Status, found};
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};

/// The host compares this number only where a record exists; a write to a missing key succeeds
/// whatever the number. So a number that no record carries makes a write that creates and never
/// overwrites. Numbers are counted up from 1, one for each write in the process: this one is met
/// after four billion writes, for as long as that record is not written again, and matters only if
/// two workers create that very record at that very moment.
const CREATE: u32 = u32::MAX;

/// The shared data of the proxy.
#[derive(Clone, Copy, Debug, Default)]
pub struct SharedData;

impl Store for SharedData {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        let record = found(abi::shared_data(key)).map_err(failed)?;
        // The clock after the record, as the trait demands.
        let now = clock::monotonic().map_err(failed)?;
        Ok(match record {
            Some((value, cas)) => Snapshot { value: Some(value), version: Version::Number(cas), now },
            None => Snapshot { value: None, version: Version::Absent, now },
        })
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        let cas = match version {
            Version::Absent => CREATE,
            Version::Number(cas) => cas,
        };
        match abi::set_shared_data(key, value, cas) {
            Ok(()) => Ok(Written::Done),
            Err(Status::CasMismatch) => Ok(Written::Conflict),
            Err(status) => Err(failed(status)),
        }
    }
}

fn failed(status: Status) -> StoreError {
    crate::log!(Debug, "shared data: {status}");
    StoreError::Host
}
