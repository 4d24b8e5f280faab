//! The record of a guard in the proxy's shared data.

use super::bytes::Reader;
use super::state::{State, Trip};
use super::window::Window;
use mesh_policy::time::Nanos;

/// Format version at the start of a record.
const FORMAT: u32 = 1;

/// A config of a guard. A later one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Config {
    /// When it was loaded. Workers load a config at different times.
    pub(super) since: Nanos,
    /// Identifies the values that the state depends on.
    pub(super) fingerprint: u64,
}

/// What all workers know.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// The config to which the state belongs.
    pub(super) owner: Config,
    /// The latest of the other configs that have owned the record.
    pub(super) other: Option<Config>,
    /// Differs each time a config starts anew.
    pub(super) life: u64,
    /// When a worker of the owner last merged.
    pub(super) merged_at: Nanos,
    /// The state, in which a trip may have ended since.
    pub(super) state: State,
    /// What was counted in the last window since the last return.
    pub(super) counts: Window,
}

impl Record {
    /// Reads a record. `None` if this is not one: bytes of another version, damaged ones, or ones from the future.
    pub(super) fn read(bytes: &[u8], now: Nanos) -> Option<Self> {
        let bytes = &mut Reader::new(bytes);
        if bytes.u32()? != FORMAT {
            return None;
        }
        let record = Self {
            owner: read_config(bytes)?,
            other: optional(bytes, read_config)?,
            life: bytes.u64()?,
            merged_at: Nanos(bytes.u64()?),
            state: State {
                trip: optional(bytes, read_trip)?,
                restarted_at: optional(bytes, instant)?,
                trips: bytes.u32()?,
            },
            counts: Window::read(bytes)?,
        };
        (bytes.is_at_end() && record.merged_at <= now).then_some(record)
    }

    /// The record as bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1024);
        bytes.extend(FORMAT.to_le_bytes());
        let config = |config: Config| [config.since.0, config.fingerprint].map(u64::to_le_bytes).concat();
        bytes.extend(config(self.owner));
        push_optional(&mut bytes, self.other.map(config));
        bytes.extend(self.life.to_le_bytes());
        bytes.extend(self.merged_at.0.to_le_bytes());
        push_optional(&mut bytes, self.state.trip.map(trip_bytes));
        push_optional(&mut bytes, self.state.restarted_at.map(|instant| instant.0.to_le_bytes()));
        bytes.extend(self.state.trips.to_le_bytes());
        self.counts.write(&mut bytes);
        bytes
    }
}

fn read_config(bytes: &mut Reader<'_>) -> Option<Config> {
    Some(Config { since: instant(bytes)?, fingerprint: bytes.u64()? })
}

fn trip_bytes(trip: Trip) -> Vec<u8> {
    let mut bytes = vec![trip.phase];
    push_optional(&mut bytes, trip.until.map(|until| until.0.to_le_bytes()));
    bytes
}

fn read_trip(bytes: &mut Reader<'_>) -> Option<Trip> {
    Some(Trip { phase: bytes.u8()?, until: optional(bytes, instant)? })
}

fn instant(bytes: &mut Reader<'_>) -> Option<Nanos> {
    bytes.u64().map(Nanos)
}

/// Appends whether there is a value, and the value.
fn push_optional(bytes: &mut Vec<u8>, value: Option<impl AsRef<[u8]>>) {
    bytes.push(value.is_some().into());
    if let Some(value) = value {
        bytes.extend(value.as_ref());
    }
}

/// Reads what [`push_optional`] has written.
fn optional<T>(bytes: &mut Reader<'_>, read: impl Fn(&mut Reader<'_>) -> Option<T>) -> Option<Option<T>> {
    match bytes.u8()? {
        0 => Some(None),
        1 => read(bytes).map(Some),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
