//! The record of a guard in the proxy's shared data.

use super::bytes::Reader;
use super::state::{State, Trip};
use super::window::Window;
use mesh_policy::time::Nanos;

/// Number of attempts to change a record.
pub(super) const TRIES: u32 = 32;
/// The fingerprint of a config whose split has no guard.
pub(super) const NO_GUARD: u64 = 0;
/// Format version at the start of a record.
const FORMAT: u32 = 2;

/// A config of a guard. A later one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Config {
    /// When it was loaded. Workers load a config at different times.
    pub(super) since: Nanos,
    /// Identifies the values that the state depends on.
    pub(super) fingerprint: u64,
}

impl Config {
    /// Whether this config was loaded after one and before another.
    pub(super) fn is_between(self, one: Self, another: Self) -> bool {
        one < self && self < another
    }
}

/// A config that does not own the record any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Former {
    pub(super) config: Config,
    /// Its state when another config took the record over.
    pub(super) state: State,
}

/// What all workers know.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// The config to which the state belongs.
    pub(super) owner: Config,
    /// The latest of the other configs that have owned the record.
    pub(super) other: Option<Former>,
    /// Differs each time a config takes the record over.
    pub(super) life: u64,
    /// When a worker of the owner last merged.
    pub(super) merged_at: Nanos,
    /// The state, in which a trip may have ended since.
    pub(super) state: State,
    /// What was counted in the last window since the last return.
    pub(super) counts: Window,
}

impl Record {
    /// The record of a config that finds none.
    pub(super) fn new(owner: Config, now: Nanos) -> Self {
        let (state, counts) = (State::default(), Window::empty());
        Self { owner, other: None, life: now.0, merged_at: now, state, counts }
    }

    /// The record after `config` has taken it over: without counts, and with the state in which that config left it. A
    /// config that has not owned it starts anew, and so does a later push of the same values if the owner was loaded in
    /// between.
    pub(super) fn taken_by(&self, config: Config, now: Nanos) -> Self {
        let is_own = |former: &Former| former.config.fingerprint == config.fingerprint;
        let is_later_push = |former: &Former| self.owner.is_between(former.config, config);
        let own = self.other.filter(|former| is_own(former) && !is_later_push(former));
        let former = Former { config: self.owner, state: self.state };
        let others = [Some(former), self.other].into_iter().flatten().filter(|former| !is_own(former));
        Self {
            owner: own.map_or(config, |own| own.config.max(config)),
            other: others.max_by_key(|former| former.config),
            // Greater than any before, so that lives differ even if several begin at one instant.
            life: self.life.saturating_add(1).max(now.0),
            state: own.map(|own| own.state).unwrap_or_default(),
            ..Self::new(config, now)
        }
    }

    /// Reads a record. `None` if this is not one: bytes of another version, damaged ones, or ones from the future.
    pub(super) fn read(bytes: &[u8], now: Nanos) -> Option<Self> {
        let bytes = &mut Reader::new(bytes);
        if bytes.u32()? != FORMAT {
            return None;
        }
        let record = Self {
            owner: read_config(bytes)?,
            other: optional(bytes, read_former)?,
            life: bytes.u64()?,
            merged_at: Nanos(bytes.u64()?),
            state: read_state(bytes)?,
            counts: Window::read(bytes)?,
        };
        (bytes.is_at_end() && record.merged_at <= now).then_some(record)
    }

    /// The record as bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1024);
        bytes.extend(FORMAT.to_le_bytes());
        write_config(&mut bytes, self.owner);
        write_optional(&mut bytes, self.other, |bytes, other| {
            write_config(bytes, other.config);
            write_state(bytes, other.state);
        });
        bytes.extend(self.life.to_le_bytes());
        bytes.extend(self.merged_at.0.to_le_bytes());
        write_state(&mut bytes, self.state);
        self.counts.write(&mut bytes);
        bytes
    }
}

fn write_config(bytes: &mut Vec<u8>, config: Config) {
    write_instant(bytes, config.since);
    bytes.extend(config.fingerprint.to_le_bytes());
}

fn read_config(bytes: &mut Reader<'_>) -> Option<Config> {
    Some(Config { since: instant(bytes)?, fingerprint: bytes.u64()? })
}

fn read_former(bytes: &mut Reader<'_>) -> Option<Former> {
    Some(Former { config: read_config(bytes)?, state: read_state(bytes)? })
}

fn write_state(bytes: &mut Vec<u8>, state: State) {
    write_optional(bytes, state.trip, |bytes, trip| {
        bytes.push(trip.phase);
        write_optional(bytes, trip.until, write_instant);
    });
    write_optional(bytes, state.restarted_at, write_instant);
    bytes.extend(state.trips.to_le_bytes());
}

fn read_state(bytes: &mut Reader<'_>) -> Option<State> {
    Some(State {
        trip: optional(bytes, read_trip)?,
        restarted_at: optional(bytes, instant)?,
        trips: bytes.u32()?,
    })
}

fn read_trip(bytes: &mut Reader<'_>) -> Option<Trip> {
    Some(Trip { phase: bytes.u8()?, until: optional(bytes, instant)? })
}

fn write_instant(bytes: &mut Vec<u8>, instant: Nanos) {
    bytes.extend(instant.0.to_le_bytes());
}

fn instant(bytes: &mut Reader<'_>) -> Option<Nanos> {
    bytes.u64().map(Nanos)
}

/// Appends whether there is a value, and the value.
fn write_optional<T>(bytes: &mut Vec<u8>, value: Option<T>, write: impl Fn(&mut Vec<u8>, T)) {
    bytes.push(value.is_some().into());
    if let Some(value) = value {
        write(bytes, value);
    }
}

/// Reads what [`write_optional`] has written.
fn optional<T>(bytes: &mut Reader<'_>, read: impl Fn(&mut Reader<'_>) -> Option<T>) -> Option<Option<T>> {
    match bytes.u8()? {
        0 => Some(None),
        1 => read(bytes).map(Some),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
