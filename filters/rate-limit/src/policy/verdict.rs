//! Converts a decision to a verdict, which the adapter carries out.

use super::answer::{refusal, response_edits};
use super::decision::{Decision, Denial, Outcome, Reason};
use super::first_requests::LOOKED_AT;
use super::{Metric, Policy, seed};
use crate::config::{self, Config};
use crate::summary::summary;
use mesh_config::Problems;
use mesh_policy::facts::{Facts, Needs};
use mesh_policy::hash::Key;
use mesh_policy::label::Label;
use mesh_policy::on_error::OnError;
use mesh_policy::policy::{self, Environment, Part, Setup};
use mesh_policy::preflight::CorsPreflight;
use mesh_policy::settings::Settings;
use mesh_policy::store::Store;
use mesh_policy::verdict::{self, Count, Verdict};

impl policy::Policy for Policy {
    const NAME: &'static str = "rate-limit";
    const EDITS_RESPONSES: bool = true;

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

    fn cors_preflight(&self) -> CorsPreflight {
        self.config.cors_preflight
    }

    fn label_values(&self, _metric: Metric) -> Vec<Option<Vec<&str>>> {
        self.config.limits.iter().map(|limit| Some(vec![limit.name.as_str()])).collect()
    }

    fn unreadable(&self, _part: Part) -> Verdict<'_, Metric> {
        let mut verdict = match self.config.on_error {
            OnError::Allow => {
                let label = Label::of("error");
                Verdict {
                    decision: Some(verdict::Decision { label, is_notable: true }),
                    ..Verdict::default()
                }
            }
            OnError::Deny => refusal(&self.config, &Denial { limit: None, reason: Reason::Error }).into(),
        };
        verdict.counts.push(Count::of(Metric::Unreadable));
        verdict
    }
}

impl policy::Decide for Policy {
    type Config = Config;

    fn read(config: &[u8]) -> Result<Config, Problems> {
        config::parse(config)
    }

    fn build(config: Config, setup: &mut impl Setup) -> Result<Self, Problems> {
        let fresh = setup.random_key()?;
        let scope = setup.scope().clone();
        // If the proxy cannot store the seed, it cannot store buckets either; `on_error` then applies to each request.
        let seed = seed(setup.store(), &scope, fresh).unwrap_or_else(|error| {
            log::warn!("cannot store the table's seed in shared data: {error:?}");
            Key::new(fresh)
        });
        Ok(Self::new(config, &scope, seed, setup.now()))
    }

    fn decide(&self, facts: &Facts<'_>, environment: Environment<'_, impl Store>) -> Verdict<'_, Metric> {
        let Environment { sources, store } = environment;
        // Without random numbers, every refusal is enforced whose percentage is not 0.
        self.verdict(self.decision(facts, || sources.random().unwrap_or(0), store))
    }
}

impl Policy {
    /// The verdict of a decision.
    pub(super) fn verdict(&self, decision: Decision) -> Verdict<'_, Metric> {
        let mut verdict = match &decision.outcome {
            Outcome::Refused(denial) => refusal(&self.config, denial).into(),
            Outcome::Admitted(None) => Verdict::allowed(None),
            Outcome::Admitted(Some(standing)) => {
                let response = response_edits(&self.config, standing);
                Verdict { response, ..Verdict::allowed(Some(self.limit_name(standing.limit))) }
            }
        };
        if let Some(notable) = self.notable(&decision) {
            verdict.decision = Some(notable);
        }
        verdict.counts =
            decision.tallies.into_iter().map(|(value, metric)| Count::labelled(metric, value)).collect();
        if decision.client_ip_fallback {
            verdict.counts.push(Count::of(Metric::ClientIpFallback));
        }
        verdict.warnings.extend(decision.without_claims.into_iter().map(|limit| self.without_claims(limit)));
        verdict
    }

    /// The decision to record if only notable decisions are recorded.
    fn notable(&self, decision: &Decision) -> Option<verdict::Decision<'_>> {
        let is_notable =
            |metric: &Metric| matches!(metric, Metric::ShadowDenied | Metric::Error | Metric::Overflow);
        let (limit, metric) = decision.tallies.iter().find(|(_, metric)| is_notable(metric))?;
        let word = mesh_policy::metric::Metric::definition(*metric).name;
        let label = Label::of(word).about(self.limit_name(*limit));
        Some(verdict::Decision { label, is_notable: true })
    }

    fn limit_name(&self, limit: usize) -> &str {
        self.config.limits.get(limit).map_or("", |limit| &limit.name)
    }

    fn without_claims(&self, limit: usize) -> String {
        let name = self.limit_name(limit);
        format!(
            "limit `{name}`: its first {LOOKED_AT} requests had no claims; rate-limit must run after jwt-authz, and \
             jwt-authz must `export` the claim"
        )
    }
}
