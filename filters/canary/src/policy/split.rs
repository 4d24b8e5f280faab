//! A split, prepared for decisions.

use super::decision::Failed;
use super::guarded::{Guarded, Unguarded};
use super::schedule::Schedule;
use crate::assignment::Assigner;
use crate::config;
use crate::guard::State;
use mesh_policy::policy::{Environment, Sources};
use mesh_policy::scope::Scope;
use mesh_policy::store::Store;
use mesh_policy::time::Nanos;

/// A split, prepared for decisions.
pub(super) struct Split {
    assigner: Assigner,
    pub(super) schedule: Schedule,
    pub(super) guarded: Option<Guarded>,
    /// A split that decides without a guard.
    pub(super) unguarded: Option<Unguarded>,
    /// Number of the split's first variant, if the variants of all splits are counted.
    pub(super) first_subject: usize,
}

/// The variant that a split gives to an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) variant: usize,
    /// Whether the guard has taken out another one.
    pub(super) is_fallback: bool,
    /// When the request arrived, if the guard counts it.
    pub(super) began: Option<Nanos>,
}

impl Split {
    /// `is_in_force`: whether the split decides; a guard only counts what it decides.
    pub(super) fn new(
        split: &config::Split,
        scope: &Scope,
        since: Nanos,
        first_subject: usize,
        is_in_force: bool,
    ) -> Self {
        let guarded = if is_in_force { Guarded::new(split, scope, since) } else { None };
        let is_unguarded = is_in_force && guarded.is_none();
        Self {
            assigner: Assigner::new(&split.name, split.variants.iter().map(|variant| variant.name.as_str())),
            schedule: Schedule::new(split),
            unguarded: is_unguarded.then(|| Unguarded::new(split, scope, since)),
            guarded,
            first_subject,
        }
    }

    /// The variant of an identity; `None` if no variant has a share.
    pub(super) fn give(
        &self,
        identity: &[u8],
        environment: &mut Environment<'_, impl Store>,
    ) -> Result<Option<Given>, Failed> {
        let sources = &mut *environment.sources;
        let now = match &self.guarded {
            Some(_) => Some(sources.now().ok_or(Failed)?),
            None => None,
        };
        let state = match (now, self.enforced()) {
            (Some(now), Some(guarded)) => guarded.guard.state(now, environment.store).map_err(|_| Failed)?,
            _ => State::default(),
        };
        let phase = match state.trip {
            Some(trip) if self.restarts_rollout() => trip.phase,
            _ => self.phase(&state, now.unwrap_or_default(), sources)?,
        };
        let Some(chosen) = self.assigner.choose(self.schedule.shares(phase), identity) else {
            return Ok(None);
        };
        let out = self.enforced().filter(|guarded| state.trip.is_some() && guarded.variant == chosen);
        let variant = out.map_or(chosen, |guarded| guarded.fall_back_to);
        let is_counted = self.guarded.as_ref().is_some_and(|guarded| guarded.arm(variant).is_some());
        Ok(Some(Given { variant, is_fallback: out.is_some(), began: now.filter(|_| is_counted) }))
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
    fn restarts_rollout(&self) -> bool {
        self.enforced().is_some_and(|guarded| guarded.restarts_rollout)
    }

    /// The guard, if it takes the variant out.
    fn enforced(&self) -> Option<&Guarded> {
        self.guarded.as_ref().filter(|guarded| guarded.is_enforced)
    }
}
