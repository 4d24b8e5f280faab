//! Whose record a worker finds.

use super::record::{Config, Record};
use super::state::State;
use mesh_policy::time::Nanos;
use std::time::Duration;

/// How long a later config holds after its last merge. After a rollback the proxy may continue with the earlier config
/// without loading it again.
const PRECEDENCE: Duration = Duration::from_secs(10);

/// What a config makes of the record that it finds.
pub(super) enum Look {
    /// The state is that of this config.
    Ours(Record),
    /// A later config holds, with this state.
    Theirs(State),
    /// The config may take the record over: this is the record afterwards, in which a trip may have ended.
    Taken(Record),
}

impl Look {
    /// What `config` makes of a record. `is_in_use`: whether it has served a request since it last looked. Without one an
    /// earlier config takes nothing from a later one, which may be silent only because it is off.
    pub(super) fn at(bytes: Option<&[u8]>, now: Nanos, config: Config, is_in_use: bool) -> Self {
        let Some(record) = bytes.and_then(|bytes| Record::read(bytes, now)) else {
            return Self::Taken(Record::new(config, now));
        };
        if record.owner.fingerprint == config.fingerprint {
            // Another config in between has ended the state: the record is of an earlier push of the same values, which
            // has taken it over while the later config was silent.
            if !record.other.is_some_and(|other| other.config.is_between(record.owner, config)) {
                let owner = record.owner.max(config);
                return Self::Ours(Record { owner, ..record });
            }
        } else if record.owner > config && (!is_in_use || now.since(record.merged_at) < PRECEDENCE) {
            return Self::Theirs(record.state);
        }
        Self::Taken(record.taken_by(config, now))
    }
}

#[cfg(test)]
mod tests;
