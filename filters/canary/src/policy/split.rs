//! A split, prepared for the decisions of one config.

use super::cohort::Cohort;
use super::decision::Failed;
use super::guarded::Guarded;
use crate::guard::State;
use mesh_policy::policy::Environment;
use mesh_policy::store::Store;
use mesh_policy::time::Nanos;
use std::rc::Rc;

/// A split, prepared for the decisions of one config.
pub(super) struct Split {
    /// On a route, that of the block's own split of this name.
    pub(super) cohort: Rc<Cohort>,
    /// Whether the cohort is another config's, which does its background work.
    pub(super) is_shared: bool,
    /// Whether the split decides; a guard only counts what it decides.
    pub(super) is_in_force: bool,
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
    /// The variant of an identity; `None` if no variant has a share.
    pub(super) fn give(
        &self,
        identity: &[u8],
        environment: &mut Environment<'_, impl Store>,
    ) -> Result<Option<Given>, Failed> {
        let sources = &mut *environment.sources;
        let guarded = self.guarded();
        let enforced = guarded.filter(|guarded| guarded.is_enforced);
        let now = match guarded {
            Some(_) => Some(sources.now().ok_or(Failed)?),
            None => None,
        };
        let state = match (now, enforced) {
            (Some(now), Some(guarded)) => guarded.guard.state(now, environment.store).map_err(|_| Failed)?,
            _ => State::default(),
        };
        let phase = match state.trip {
            Some(trip) if self.cohort.restarts_rollout() => trip.phase,
            _ => self.cohort.phase(&state, now.unwrap_or_default(), sources)?,
        };
        let Some(chosen) = self.cohort.assigner.choose(self.cohort.schedule.shares(phase), identity) else {
            return Ok(None);
        };
        let out = enforced.filter(|guarded| state.trip.is_some() && guarded.variant == chosen);
        let variant = out.map_or(chosen, |guarded| guarded.fall_back_to);
        let is_counted = guarded.is_some_and(|guarded| guarded.arm(variant).is_some());
        Ok(Some(Given { variant, is_fallback: out.is_some(), began: now.filter(|_| is_counted) }))
    }

    /// The guard, if the split decides.
    pub(super) fn guarded(&self) -> Option<&Guarded> {
        self.cohort.guarded.as_ref().filter(|_| self.is_in_force)
    }
}
