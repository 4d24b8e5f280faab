//! The policy as the host layer sees it.

use super::Policy;
use super::metric::Metric;
use super::names::FaultKind;
use crate::config::{Rule, TRIGGER};
use crate::summary::summary;
use mesh_policy::facts::Needs;
use mesh_policy::headers::HeaderName;
use mesh_policy::label::Label;
use mesh_policy::mode::Mode;
use mesh_policy::policy::{self, Part};
use mesh_policy::preflight::CorsPreflight;
use mesh_policy::settings::Settings;
use mesh_policy::verdict::{Count, Decision, Verdict};

impl policy::Policy for Policy {
    const NAME: &'static str = "fault";

    const EDITS_RESPONSES: bool = true;

    const EDITS_TRAILERS: bool = true;

    type Metric = Metric;

    fn settings(&self) -> &Settings {
        &self.config.settings
    }

    fn summary(&self) -> String {
        summary(&self.config)
    }

    fn cors_preflight(&self) -> CorsPreflight {
        self.config.cors_preflight
    }

    fn needs(&self) -> &Needs {
        &self.needs
    }

    fn own_headers(&self) -> &[HeaderName] {
        &self.own_headers
    }

    fn label_values(&self, metric: Metric) -> Vec<Option<Vec<&str>>> {
        let mode = self.config.settings.mode;
        match metric {
            Metric::Faults => self.kinds_of_rules(|mode| mode == Mode::Enforce),
            Metric::Shadow => self.kinds_of_rules(|mode| mode == Mode::Shadow),
            Metric::Overflow => {
                let can_wait = |rule: &Rule| rule.holds() && mode.max(rule.mode) == Mode::Enforce;
                self.rules_and_trigger(can_wait, mode == Mode::Enforce)
            }
            Metric::OverBudget => {
                // A filter in shadow has the same budget.
                let spends = |rule: &Rule| mode != Mode::Off && rule.mode == Mode::Enforce;
                self.rules_and_trigger(|rule| self.budget.is_some() && spends(rule), false)
            }
            Metric::InFlight => vec![self.counts_in_flight().then(|| vec![self.plugin.as_str()])],
            _ => Vec::new(),
        }
    }

    fn unreadable(&self, _part: Part) -> Verdict<'_, Metric> {
        let decision = Decision { label: Label::of("error"), is_notable: true };
        Verdict { counts: vec![Count::of(Metric::Failed)], decision: Some(decision), ..Verdict::default() }
    }
}

impl Policy {
    /// Names of the rules that pass, in the order of the config, and of the trigger.
    fn rules_and_trigger(
        &self,
        passes: impl Fn(&Rule) -> bool,
        with_trigger: bool,
    ) -> Vec<Option<Vec<&str>>> {
        let rules = self.config.rules.iter();
        let names = rules.map(|rule| passes(rule).then(|| vec![rule.name.as_str()]));
        let trigger = self.config.trigger.iter();
        names.chain(trigger.map(|_| with_trigger.then(|| vec![TRIGGER]))).collect()
    }

    /// Names and kinds of the rules in these modes, in the order of [`Policy::counted`].
    fn kinds_of_rules(&self, is_counted: impl Fn(Mode) -> bool) -> Vec<Option<Vec<&str>>> {
        let mode = self.config.settings.mode;
        let mut values = Vec::new();
        for rule in &self.config.rules {
            let has = [
                rule.delay.is_some(),
                rule.abort.is_some(),
                rule.response.is_some(),
                rule.throttle.is_some(),
            ];
            for (kind, has) in FaultKind::ALL.into_iter().zip(has) {
                let value = || vec![rule.name.as_str(), kind.name()];
                values.push((has && is_counted(mode.max(rule.mode))).then(value));
            }
        }
        for kind in [FaultKind::Delay, FaultKind::Abort] {
            let is_counted = self.config.trigger.is_some() && is_counted(mode);
            values.push(is_counted.then(|| vec![TRIGGER, kind.name()]));
        }
        values
    }
}
