//! What the splits of one name in a block have in common: who gets which variant, and the guard.

use super::decision::Failed;
use super::guarded::{Guarded, Unguarded};
use super::schedule::Schedule;
use crate::assignment::Assigner;
use crate::config::Split;
use crate::guard::State;
use mesh_policy::policy::Sources;
use mesh_policy::scope::Scope;
use mesh_policy::time::Nanos;

/// What the splits of one name in a block have in common.
pub(super) struct Cohort {
    pub(super) assigner: Assigner,
    pub(super) schedule: Schedule,
    pub(super) guarded: Option<Guarded>,
    /// Without a guard.
    pub(super) unguarded: Option<Unguarded>,
}

impl Cohort {
    pub(super) fn new(split: &Split, scope: &Scope, since: Nanos) -> Self {
        let guarded = Guarded::new(split, scope, since);
        Self {
            assigner: Assigner::new(&split.name, split.variants.iter().map(|variant| variant.name.as_str())),
            schedule: Schedule::new(split),
            unguarded: guarded.is_none().then(|| Unguarded::new(split, scope, since)),
            guarded,
        }
    }

    /// The rollout's phase, unless it stands still.
    pub(super) fn phase(&self, state: &State, now: Nanos, sources: &mut dyn Sources) -> Result<u8, Failed> {
        if !self.schedule.has_phases() {
            return Ok(0);
        }
        match state.restarted_at.filter(|_| self.restarts_rollout()) {
            Some(restarted_at) => Ok(self.schedule.after(now.since(restarted_at))),
            None => Ok(self.schedule.at(sources.since_epoch().ok_or(Failed)?)),
        }
    }

    /// Whether the rollout stands still while the guard's variant is out, and restarts when it returns.
    pub(super) fn restarts_rollout(&self) -> bool {
        self.guarded.as_ref().is_some_and(|guarded| guarded.is_enforced && guarded.restarts_rollout)
    }
}
