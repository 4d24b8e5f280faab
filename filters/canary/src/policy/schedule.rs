//! The shares of a split's variants over time.

use crate::assignment::{Weight, shares};
use crate::config::{Rollout, Split};
use mesh_policy::percent::Percentage;
use std::time::Duration;

/// The shares of a split's variants, in each phase of its rollout.
///
/// Without a rollout there is one phase. With one, phase 0 is the time before its start, and phase *n* its *n*th step.
#[derive(Debug)]
pub(super) struct Schedule {
    /// Since 1970; `None` without a rollout.
    start: Option<Duration>,
    /// When each step but the last ends, since the first one began.
    ends: Vec<Duration>,
    shares: Vec<Vec<f64>>,
}

impl Schedule {
    pub(super) fn new(split: &Split) -> Self {
        let weights: Vec<Weight> = split.variants.iter().map(|variant| variant.weight).collect();
        let Some(Rollout { variant, start, steps }) = &split.rollout else {
            return Self { start: None, ends: Vec::new(), shares: vec![shares(&weights, None)] };
        };
        let index = split.variants.iter().position(|other| other.name == *variant).unwrap_or(usize::MAX);
        let percentages = steps.iter().map(|step| step.percentage);
        let mut end = Duration::ZERO;
        Self {
            start: Some(*start),
            ends: steps
                .iter()
                .filter_map(|step| {
                    end = end.saturating_add(step.lasts?);
                    Some(end)
                })
                .collect(),
            shares: std::iter::once(Percentage::NONE)
                .chain(percentages)
                .map(|percentage| shares(&weights, Some((index, percentage))))
                .collect(),
        }
    }

    /// Whether the shares depend on the time.
    pub(super) const fn has_phases(&self) -> bool {
        self.start.is_some()
    }

    /// The phase at a time since 1970.
    pub(super) fn at(&self, since_epoch: Duration) -> u8 {
        match since_epoch.checked_sub(self.start.unwrap_or_default()) {
            Some(elapsed) => self.after(elapsed),
            None => 0,
        }
    }

    /// The phase so long after the first step has begun.
    pub(super) fn after(&self, elapsed: Duration) -> u8 {
        if !self.has_phases() {
            return 0;
        }
        let over = self.ends.iter().take_while(|end| **end <= elapsed).count();
        u8::try_from(over.saturating_add(1)).unwrap_or(u8::MAX)
    }

    /// The shares in a phase. A phase that does not exist, of a config that had more steps, is the last one.
    pub(super) fn shares(&self, phase: u8) -> &[f64] {
        self.shares.get(usize::from(phase)).or(self.shares.last()).map(Vec::as_slice).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
