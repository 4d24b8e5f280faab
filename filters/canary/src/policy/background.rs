//! What happens outside of requests: outcomes are counted, and guards merge.

use super::cohort::Cohort;
use super::metric::Metric;
use super::tally::Counted;
use super::{Policy, guarded::Guarded};
use crate::guard::{self, Merged, State};
use mesh_policy::outcome::{Outcome, Timing};
use mesh_policy::policy::{Environment, Sources};
use mesh_policy::report::{GaugeValue, Report};
use mesh_policy::store::Store;
use mesh_policy::time::Nanos;
use mesh_policy::verdict::Count;
use std::time::Duration;

/// Time from the first outcome to its report.
const INTERVAL: Duration = Duration::from_secs(1);

impl Policy {
    /// Shows the state of each guard.
    pub(super) fn started(&self, environment: Environment<'_, impl Store>) -> Report<Metric> {
        let Environment { sources, store } = environment;
        let now = sources.now().unwrap_or_default();
        let mut report = Report::default();
        for (index, split) in self.splits.iter().enumerate() {
            let trip = match split.guarded() {
                // The block's own config shows that its split does not decide.
                None if split.is_shared => continue,
                None => None,
                Some(guarded) => match guarded.guard.state(now, store) {
                    Ok(state) => state.trip,
                    Err(_) => continue,
                },
            };
            report.gauges.push(tripped(index, trip.is_some()));
            let returns = trip.and_then(|trip| Some(trip.until?.since(now)));
            report.tick_after = sooner(report.tick_after, returns);
        }
        report
    }

    /// Counts an outcome. Returns the time until it is to be reported, if that was not asked for before.
    pub(super) fn observed(&self, outcome: &Outcome) -> Option<Duration> {
        let first = self.tally.add(outcome.subject, outcome.is_error).then_some(INTERVAL);
        let merge =
            self.guarded_outcome(outcome).and_then(|(guarded, outcome)| guarded.guard.count(&outcome));
        sooner(first, merge)
    }

    /// Reports what was counted.
    pub(super) fn reported(&self, environment: Environment<'_, impl Store>) -> Report<Metric> {
        let mut report = Report::default();
        for (subject, Counted { requests, errors }) in self.tally.take() {
            let of = |metric| Count::labelled(metric, subject);
            report.counts.extend([of(Metric::Requests).times(requests), of(Metric::Errors).times(errors)]);
            let Some((index, _)) = self.subjects.get(subject) else { continue };
            let unguarded = self.splits.get(*index).and_then(|split| split.cohort.unguarded.as_ref());
            if unguarded.is_some_and(|unguarded| unguarded.retire(environment.store)) {
                report.gauges.push(tripped(*index, false));
            }
        }
        self.merge(environment, &mut report);
        report
    }

    /// The outcome as the split's guard counts it, if it does.
    fn guarded_outcome(&self, outcome: &Outcome) -> Option<(&Guarded, guard::Outcome)> {
        let (split, variant) = *self.subjects.get(outcome.subject)?;
        let guarded = self.splits.get(split)?.guarded()?;
        let (arm, is_error) = (guarded.arm(variant)?, outcome.is_error);
        let Timing { began, took, known_at } = outcome.timing?;
        Some((guarded, guard::Outcome { arm, began, took, known_at, is_error }))
    }

    fn merge(&self, environment: Environment<'_, impl Store>, report: &mut Report<Metric>) {
        let Environment { sources, store } = environment;
        let Some(now) = sources.now() else { return };
        for (index, split) in self.splits.iter().enumerate() {
            // Also if only routes decide by it.
            let Some(guarded) = split.cohort.guarded.as_ref().filter(|_| !split.is_shared) else { continue };
            let wanted = if guarded.guard.is_due(now) {
                match merge(&split.cohort, guarded, sources, store) {
                    Some(merged) => self.report_merge(index, guarded, &merged, report),
                    // Counts are kept.
                    None => guarded.guard.is_due(now).then_some(INTERVAL),
                }
            } else {
                guarded.guard.until(now)
            };
            report.tick_after = sooner(report.tick_after, wanted);
        }
    }

    /// Returns the time until the next merge, if one is wanted.
    fn report_merge(
        &self,
        index: usize,
        guarded: &Guarded,
        merged: &Merged,
        report: &mut Report<Metric>,
    ) -> Option<Duration> {
        let split = self.config.splits.0.get(index)?;
        report.gauges.push(tripped(index, merged.state.trip.is_some()));
        if let Some(trip) = &merged.tripped {
            let name = |variant: usize| split.variants.get(variant).map_or("", |variant| &variant.name);
            let (is_off, takes) =
                if guarded.is_enforced { ("is off", "takes") } else { ("would be off", "would take") };
            report.counts.push(Count::labelled(Metric::Trips, index));
            report.warnings.push(format!(
                "split {}: {} {is_off}, {} {takes} its requests: {trip}",
                split.name,
                name(guarded.variant),
                name(guarded.fall_back_to)
            ));
        }
        merged.next
    }
}

/// The gauge that tells whether the variant of a split is out. `index`: that of the split.
fn tripped(index: usize, is_tripped: bool) -> GaugeValue<Metric> {
    GaugeValue { metric: Metric::Tripped, labels: index, value: is_tripped.into() }
}

/// The shorter of two times, if any is wanted.
fn sooner(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    [one, other].into_iter().flatten().min()
}

/// Merges the counts of a guard; `None` if the proxy fails.
fn merge(
    cohort: &Cohort,
    guarded: &Guarded,
    sources: &mut dyn Sources,
    store: &mut impl Store,
) -> Option<Merged> {
    let sources = std::cell::RefCell::new(sources);
    let phase = |state: &State, now: Nanos| match sources.try_borrow_mut() {
        Ok(mut sources) => cohort.phase(state, now, &mut **sources).ok(),
        Err(_) => None,
    };
    guarded.guard.merge(&phase, store).ok()
}
