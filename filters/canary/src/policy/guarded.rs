//! The guard of a split, prepared for decisions.

use crate::config::{Guard as Config, Rollout, Split};
use crate::guard::{self, Arm, Guard, Settings, Thresholds};
use mesh_policy::hash::Key;
use mesh_policy::mode::Mode;
use mesh_policy::scope::Scope;
use mesh_policy::store::Store;
use mesh_policy::time::Nanos;
use std::cell::Cell;

/// A guard, and the variants that it is about, by their indices in the split.
#[derive(Debug)]
pub(super) struct Guarded {
    pub(super) guard: Guard,
    pub(super) variant: usize,
    pub(super) baseline: usize,
    pub(super) fall_back_to: usize,
    /// Whether the variant is taken out. In shadow it is not.
    pub(super) is_enforced: bool,
    /// Whether the rollout is the variant's, so that it restarts when the variant returns.
    pub(super) restarts_rollout: bool,
}

/// Version and prefix of the records' names.
const LAYOUT: &str = "mf.cn1";

impl Guarded {
    /// `None` if there is no guard, or it is off.
    pub(super) fn new(split: &Split, scope: &Scope, since: Nanos) -> Option<Self> {
        let config = split.guard.as_ref().filter(|guard| guard.mode != Mode::Off)?;
        let index = |name: &str| split.variants.iter().position(|variant| variant.name == name);
        let fingerprint = fingerprint(config, split.rollout.as_ref());
        Some(Self {
            guard: Guard::new(settings(config), record(split, scope), fingerprint, since),
            variant: index(&config.variant)?,
            baseline: index(&config.baseline)?,
            fall_back_to: index(&config.fall_back_to)?,
            is_enforced: config.mode == Mode::Enforce,
            restarts_rollout: split.rollout.as_ref().is_some_and(|rollout| rollout.variant == config.variant),
        })
    }

    /// What the guard compares a variant as.
    pub(super) fn arm(&self, variant: usize) -> Option<Arm> {
        if variant == self.variant {
            Some(Arm::Variant)
        } else {
            (variant == self.baseline).then_some(Arm::Baseline)
        }
    }
}

/// What a split without a guard leaves to those of later configs: nothing of an earlier guard's state.
#[derive(Debug)]
pub(super) struct Unguarded {
    record: String,
    since: Nanos,
    is_retired: Cell<bool>,
}

impl Unguarded {
    pub(super) fn new(split: &Split, scope: &Scope, since: Nanos) -> Self {
        Self { record: record(split, scope), since, is_retired: Cell::default() }
    }

    /// Ends the state of an earlier config's guard. To be called when the split has decided on a request: the proxy also
    /// loads configs that it then refuses. Returns whether this call has ended it.
    pub(super) fn retire(&self, store: &mut impl Store) -> bool {
        if self.is_retired.get() {
            return false;
        }
        self.is_retired.set(guard::retire(&self.record, self.since, store).is_ok());
        self.is_retired.get()
    }
}

/// The name of the record with the state of a split's guard.
fn record(split: &Split, scope: &Scope) -> String {
    format!("{}/{}", scope.record_name(LAYOUT), split.name)
}

fn settings(config: &Config) -> Settings {
    let thresholds = Thresholds {
        min_requests: config.min_requests,
        max_error_percentage: config.limits.max_error_percentage,
        max_error_ratio: config.limits.max_error_ratio,
        max_p95_ratio: config.limits.max_p95_ratio,
    };
    Settings { thresholds, window: config.window, hold: config.hold, max_trips: config.max_trips }
}

/// A number that changes with the values of the guard and the rollout.
fn fingerprint(guard: &Config, rollout: Option<&Rollout>) -> u64 {
    // Every field is named, so that none is forgotten.
    let Config { variant, baseline, fall_back_to, limits, min_requests, window, hold, max_trips, mode } =
        guard;
    let mut hasher = Key::new([0; 16]).hasher();
    for name in [variant, baseline, fall_back_to] {
        hasher.part(name.as_bytes());
    }
    let percentage = limits.max_error_percentage.map(|percentage| u64::from(percentage.parts_per_million()));
    let numbers = [
        percentage,
        limits.max_error_ratio.map(f64::to_bits),
        limits.max_p95_ratio.map(f64::to_bits),
        Some(u64::from(*min_requests)),
        Some(u64::from(*max_trips)),
        Some(*mode as u64),
    ];
    for number in numbers {
        hasher.optional(number.map(u64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }
    for duration in [window, hold] {
        hasher.part(&duration.as_nanos().to_le_bytes());
    }
    if let Some(Rollout { variant, start, steps }) = rollout {
        hasher.part(variant.as_bytes());
        hasher.part(&start.as_nanos().to_le_bytes());
        for step in steps {
            hasher.part(&step.percentage.parts_per_million().to_le_bytes());
            hasher.optional(
                step.lasts.map(|lasts| lasts.as_nanos().to_le_bytes()).as_ref().map(<[u8; 16]>::as_slice),
            );
        }
    }
    hasher.finish_halves().0
}

#[cfg(test)]
mod tests;
