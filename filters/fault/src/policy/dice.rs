//! The dice: random, or the same for the same cohort.

use super::names::FaultKind;
use crate::config::{Cohort, Wait};
use mesh_policy::hash::{Hasher, Key};
use mesh_policy::matching::request::MatchInput;
use mesh_policy::percent::Percentage;
use mesh_policy::policy::Sources;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::time::Duration;

/// The dice for one request.
pub(super) struct Dice<'a, 'r> {
    cohort: Option<&'a Cohort>,
    request: &'a MatchInput<'r>,
    /// The values of the cohort's parts; `None` if the request lacks one.
    parts: OnceCell<Option<Vec<Cow<'a, [u8]>>>>,
}

/// A roll that holds: the fault happens.
pub(super) struct Roll {
    /// A number that the same cohort gets again.
    sample: Option<u64>,
}

/// The proxy has no random numbers.
pub(super) struct NoRandomNumber;

impl<'a, 'r> Dice<'a, 'r> {
    pub(super) const fn new(cohort: Option<&'a Cohort>, request: &'a MatchInput<'r>) -> Self {
        Self { cohort, request, parts: OnceCell::new() }
    }

    /// Rolls for one kind of fault of a rule: whether it happens.
    pub(super) fn roll(
        &self,
        rule: &str,
        kind: FaultKind,
        percentage: Percentage,
        sources: &mut dyn Sources,
    ) -> Result<Option<Roll>, NoRandomNumber> {
        let (holds, sample) = match self.hasher() {
            Some(mut hasher) => {
                hasher.part(rule.as_bytes());
                hasher.part(kind.name().as_bytes());
                for part in self.parts().into_iter().flatten() {
                    hasher.part(part);
                }
                let (roll, sample) = hasher.finish_halves();
                (percentage.holds(roll), Some(sample))
            }
            // No roll changes these.
            None if percentage == Percentage::NONE || percentage == Percentage::ALL => {
                (percentage == Percentage::ALL, None)
            }
            None => (percentage.holds(sources.random().ok_or(NoRandomNumber)?), None),
        };
        Ok(holds.then_some(Roll { sample }))
    }

    /// A hasher of the salt, if the request has all parts of the cohort.
    fn hasher(&self) -> Option<Hasher> {
        self.parts()?;
        let mut hasher = Key::PUBLIC.hasher();
        hasher.part(self.cohort?.salt.as_bytes());
        Some(hasher)
    }

    fn parts(&self) -> Option<&[Cow<'a, [u8]>]> {
        let read = || self.cohort?.by.iter().map(|part| part.single(self.request)).collect();
        self.parts.get_or_init(read).as_deref()
    }
}

impl Roll {
    /// How long a delay is.
    pub(super) fn wait(&self, wait: &Wait, sources: &mut dyn Sources) -> Result<Duration, NoRandomNumber> {
        Ok(match (wait, self.sample) {
            (Wait::Fixed(duration), _) => *duration,
            (wait, Some(sample)) => wait.sample(sample),
            (wait, None) => wait.sample(sources.random().ok_or(NoRandomNumber)?),
        })
    }
}
