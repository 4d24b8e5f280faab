//! The policy as the host layer sees it.

use super::decision::{Decision, Failed, Source};
use super::metric::Metric;
use super::{Policy, reason};
use crate::config::{self, Config};
use crate::summary::summary;
use mesh_config::Problems;
use mesh_policy::effects::Edit;
use mesh_policy::facts::{Facts, Needs};
use mesh_policy::headers::{HeaderName, Headers, Unchangeable};
use mesh_policy::label::Label;
use mesh_policy::mode::Mode;
use mesh_policy::on_error::OnError;
use mesh_policy::outcome::Outcome;
use mesh_policy::policy::{self, Environment, Part, Setup};
use mesh_policy::refusal::Refusal;
use mesh_policy::report::Report;
use mesh_policy::settings::Settings;
use mesh_policy::store::Store;
use mesh_policy::verdict::{self, Count, Verdict};
use std::time::Duration;

impl policy::Policy for Policy {
    const NAME: &'static str = "canary";
    const EDITS_RESPONSES: bool = true;
    const EDITS_TRAILERS: bool = true;
    const OBSERVES: bool = true;

    type Metric = Metric;

    fn settings(&self) -> &Settings {
        &self.config.settings
    }

    fn summary(&self) -> String {
        summary(&self.config)
    }

    fn needs(&self) -> &Needs {
        &self.needs
    }

    fn own_headers(&self) -> &[HeaderName] {
        &self.own_headers
    }

    fn label_values(&self, metric: Metric) -> Vec<Option<Vec<&str>>> {
        let splits = &self.config.splits.0;
        match metric {
            Metric::Decisions => self.names.decisions(),
            Metric::Requests | Metric::Errors => {
                let names = splits.iter().flat_map(|split| {
                    split.variants.iter().map(|variant| vec![split.name.as_str(), variant.name.as_str()])
                });
                names.map(Some).collect()
            }
            Metric::Trips => {
                splits.iter().map(|split| split.guard.as_ref().map(|_| vec![split.name.as_str()])).collect()
            }
            _ => splits.iter().map(|split| Some(vec![split.name.as_str()])).collect(),
        }
    }

    fn pass<'h, E: From<Unchangeable>>(
        &self,
        removed: &Headers,
        _headers: impl FnOnce() -> Result<&'h Headers, E>,
    ) -> Result<Verdict<'_, Metric>, E> {
        let header = self.config.output.header.as_ref();
        let is_removed = header.is_some_and(|header| removed.spelt_like(header).next().is_some());
        let counts = is_removed.then(|| Count::of(Metric::HeaderRemoved)).into_iter().collect();
        Ok(Verdict { counts, ..Verdict::default() })
    }

    fn unreadable(&self, part: Part) -> Verdict<'_, Metric> {
        let refusal = Refusal::new(reason::ERROR, Label::of(reason::ERROR.label));
        let mut verdict = match (part, self.config.on_error) {
            // Even in shadow mode: the client may have sent a header that only the filter may set.
            (Part::OwnHeaders | Part::Trailers, _) => Refusal { is_final: true, ..refusal }.into(),
            (Part::Headers, OnError::Deny) => refusal.into(),
            (Part::Headers, OnError::Allow) => self.on_default(),
        };
        verdict.counts.push(Count::of(Metric::Failed));
        verdict
    }
}

impl policy::Decide for Policy {
    type Config = Config;

    fn read(config: &[u8]) -> Result<Config, Problems> {
        config::parse(config)
    }

    fn build(config: Config, setup: &mut impl Setup) -> Result<Self, Problems> {
        Ok(Self::new(config, setup.scope(), setup.now()))
    }

    fn build_route(&self, config: Config, setup: &mut impl Setup) -> Result<Self, Problems> {
        Ok(self.of_route(config, setup.scope(), setup.now()))
    }

    #[inline(never)]
    fn decide(&self, facts: &Facts<'_>, environment: Environment<'_, impl Store>) -> Verdict<'_, Metric> {
        match self.decision(facts, environment) {
            Ok(decision) => self.verdict(&decision),
            Err(Failed) => policy::Policy::unreadable(self, Part::Headers),
        }
    }

    fn start(&self, environment: Environment<'_, impl Store>) -> Report<Metric> {
        self.started(environment)
    }

    fn observe(&self, outcome: &Outcome) -> Option<Duration> {
        self.observed(outcome)
    }

    fn tick(&self, environment: Environment<'_, impl Store>) -> Report<Metric> {
        self.reported(environment)
    }
}

impl Policy {
    /// The verdict of a decision.
    pub(super) fn verdict<'a>(&'a self, decision: &Decision<'a>) -> Verdict<'a, Metric> {
        let is_shadow = self.config.settings.mode != Mode::Enforce;
        let of = |source: Source, is_shadow| {
            Count::labelled(Metric::Decisions, self.names.decision(source, is_shadow))
        };
        let mut counts = vec![of(decision.choice.source, is_shadow)];
        counts.extend(decision.shadow.iter().map(|choice| of(choice.source, true)));
        let without_identity = decision.without_identity.iter();
        counts.extend(without_identity.map(|split| Count::labelled(Metric::IdentityMissing, *split)));
        let flags = [
            (decision.is_override_ignored, Metric::OverrideIgnored),
            (decision.is_header_removed, Metric::HeaderRemoved),
            (decision.client_ip_fallback, Metric::ClientIpFallback),
        ];
        counts.extend(flags.into_iter().filter(|(is_so, _)| *is_so).map(|(_, metric)| Count::of(metric)));
        Verdict { counts, ..self.carried_out(decision) }
    }

    /// The verdict on a request for which the proxy has failed: it gets the default.
    fn on_default(&self) -> Verdict<'_, Metric> {
        let variant = self.config.default.as_deref();
        let label = Label { result: variant, ..Label::of("error") };
        let mut verdict =
            Verdict { decision: Some(verdict::Decision { label, is_notable: true }), ..Verdict::default() };
        if self.config.settings.mode == Mode::Enforce {
            self.write(variant, &mut verdict);
            if variant.is_none() {
                // Another variant may have been written before the proxy failed.
                verdict.request.extend(self.config.output.header.clone().map(Edit::Remove));
                verdict.filter_state = self.config.output.filter_state.as_deref().map(|key| (key, ""));
            }
        }
        verdict
    }
}
