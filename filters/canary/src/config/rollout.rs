//! The schedule of a variant's share.

use super::variant::{Variant, one_of};
use mesh_config::kinds::{duration, list};
use mesh_config::{Kind, ProblemKind};
use mesh_policy::percent::Percentage;
use mesh_policy::rfc3339;
use std::ops::RangeInclusive;
use std::time::Duration;

const MAX_STEPS: usize = 32;
const FOR: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(365 * 86_400);

mesh_config::object! {
    /// A schedule: the variant's percentage grows step by step, and the other variants share the rest by weight.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Rollout(variants: Option<&'a [Variant]>) {
        /// The variant whose share grows.
        pub variant: String = required(growing(variants)),
        /// When the first step begins (RFC 3339). Before, the variant gets nothing.
        pub start: Duration = required(rfc3339::kind()),
        /// The steps. Their percentages grow, and the last one stays.
        pub steps: Vec<Step> = required(steps()),
    }
}

mesh_config::object! {
    /// A step of a schedule.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Step {
        /// The variant's share of the requests, with up to four decimals.
        pub percentage: Percentage = required(Percentage::kind()),
        /// How long the step lasts. Required in all steps but the last, which stays.
        pub lasts as "for": Option<Duration> = optional(duration(FOR)),
    }
}

/// A variant beside which others have a weight: they share what it does not get.
fn growing(variants: Option<&[Variant]>) -> impl Kind<Out = String> {
    one_of(variants).and_then(move |value, name: String| {
        let has_weight = |variant: &Variant| variant.name != name && variant.weight.hundredths() > 0;
        if variants.is_some_and(|variants| !variants.iter().any(has_weight)) {
            let message = "found the only variant with a weight, expected others that share the rest";
            return value.problem(ProblemKind::Conflict, message);
        }
        Some(name)
    })
}

fn steps() -> impl Kind<Out = Vec<Step>> {
    list(Step::kind()).not_empty().at_most(MAX_STEPS, "steps").and_then(|value, steps: Vec<Step>| {
        let mut good = Some(());
        for (index, pair) in steps.windows(2).enumerate() {
            if let [step, next] = pair {
                if step.lasts.is_none() {
                    let message = "expected one: only the last step stays";
                    good =
                        good.and(value.problem_at(&format!("[{index}].for"), ProblemKind::Missing, message));
                }
                if next.percentage <= step.percentage {
                    let path = format!("[{}].percentage", index + 1);
                    let message = "expected more than in the step before";
                    good = good.and(value.problem_at(&path, ProblemKind::Conflict, message));
                }
            }
        }
        if let Some((last, _)) = steps.iter().enumerate().next_back().filter(|(_, step)| step.lasts.is_some())
        {
            let message = "expected none: the last step stays";
            good = good.and(value.problem_at(&format!("[{last}].for"), ProblemKind::Conflict, message));
        }
        good.map(|()| steps)
    })
}
