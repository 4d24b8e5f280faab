//! The proxy's shared data as a [`Store`].
//!
//! All plugins of a proxy share one keyspace (Istio leaves `vm_id` empty), and records can neither be
//! deleted nor listed. So keys have a prefix, and the config bounds their number.

use crate::abi;
use crate::clock;
use crate::status::{Status, optional};
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};

/// A compare-and-swap number that no record has, so that a write with it creates a record but never
/// overwrites one: the host compares numbers only if the record exists, and a write to a missing key always
/// succeeds. The host counts numbers up from 1, one for each write in the process. After four billion writes
/// one record may have this number until it is written again; that matters only if two workers create that
/// record at the same time.
const CREATE: u32 = u32::MAX;

/// The proxy's shared data.
#[derive(Clone, Copy, Debug, Default)]
pub struct SharedData;

impl Store for SharedData {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        let record = optional(abi::shared_data(key)).map_err(failed)?;
        // After the record, as `Store::read` requires.
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
    log::debug!("shared data: {status}");
    StoreError::Host
}
