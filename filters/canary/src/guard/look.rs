//! Whose record a worker finds.

use super::record::{Config, Record};
use super::state::State;
use super::window::Window;
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
    /// The config starts anew, with this record.
    Anew(Record),
}

impl Look {
    /// What `config` makes of a record.
    pub(super) fn at(bytes: Option<&[u8]>, now: Nanos, config: Config) -> Self {
        let Some(record) = bytes.and_then(|bytes| Record::read(bytes, now)) else {
            return Self::Anew(anew(config, None, now.0, now));
        };
        if record.owner.fingerprint == config.fingerprint {
            // Another config in between has ended the state: the record is of an earlier push of the same values, which
            // has taken it over while the later config was silent.
            let is_between = |other: Config| record.owner.since < other.since && other.since < config.since;
            if !record.other.is_some_and(is_between) {
                let owner = record.owner.max(config);
                return Self::Ours(Record { owner, ..record });
            }
        } else if record.owner > config && now.since(record.merged_at) < PRECEDENCE {
            return Self::Theirs(record.state);
        }
        // Greater than any before, so that lives differ even if several begin at one instant.
        let life = record.life.saturating_add(1).max(now.0);
        let others = [Some(record.owner), record.other].into_iter().flatten();
        let other = others.filter(|other| other.fingerprint != config.fingerprint).max();
        Self::Anew(anew(config, other, life, now))
    }
}

fn anew(owner: Config, other: Option<Config>, life: u64, now: Nanos) -> Record {
    Record { owner, other, life, merged_at: now, state: State::default(), counts: Window::empty() }
}

#[cfg(test)]
mod tests;
