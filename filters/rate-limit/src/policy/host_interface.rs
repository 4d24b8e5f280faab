//! The policy as the host layer sees it.

use super::answer::{refusal, response_edits};
use super::decision::{Decision, Denial, Outcome, Reason};
use super::first_requests::LOOKED_AT;
use super::{Metric, Policy, seed};
use crate::config::{self, Config, Limit};
use crate::summary::summary;
use mesh_config::Problems;
use mesh_policy::facts::{Facts, Needs};
use mesh_policy::hash::Key;
use mesh_policy::label::Label;
use mesh_policy::on_error::OnError;
use mesh_policy::policy::{self, Environment, Part, Setup, Together};
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
            OnError::Deny => {
                refusal(&self.config, None, &Denial { limit: None, reason: Reason::Error }).into()
            }
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

    fn build_route(&self, config: Config, _setup: &mut impl Setup) -> Result<Self, Problems> {
        Ok(self.of_route(config))
    }

    #[inline(never)]
    fn decide(&self, facts: &Facts<'_>, environment: Environment<'_, impl Store>) -> Verdict<'_, Metric> {
        self.decide_beside(&[], facts, environment).verdict
    }

    const DECIDES_TOGETHER: bool = true;

    fn decide_beside<'a>(
        &'a self,
        others: &[&'a Self],
        facts: &Facts<'_>,
        environment: Environment<'_, impl Store>,
    ) -> Together<'a, Metric> {
        let Environment { sources, store } = environment;
        // Without random numbers, every refusal is enforced whose percentage is not 0.
        let decision = self.decision_beside(others, facts, || sources.random().unwrap_or(0), store);
        self.verdict(others, decision)
    }
}

impl Policy {
    /// The verdict of a decision with other policies. A limit's config decides how the limit answers; of several that have
    /// the limit, the first.
    pub(super) fn verdict<'a>(&'a self, others: &[&'a Self], decision: Decision) -> Together<'a, Metric> {
        let mut verdict = match &decision.outcome {
            Outcome::Refused(denial) => {
                let found = denial.limit.and_then(|limit| self.find_limit(others, limit));
                let config = found.as_ref().map_or(&self.config, |found| &found.policy.config);
                let mut refusal = refusal(config, found.map(|found| found.limit), denial);
                // The modes of all policies are in the decision.
                refusal.is_final = true;
                refusal.into()
            }
            Outcome::Admitted(None) => Verdict::allowed(None),
            Outcome::Admitted(Some(standing)) => {
                let found = self.find_limit(others, standing.limit);
                let name = name(found.as_ref());
                let edits = |found: &FoundLimit<'_>| response_edits(&found.policy.config, name, standing);
                let response = found.as_ref().map(edits).unwrap_or_default();
                Verdict { response, ..Verdict::allowed(Some(name)) }
            }
        };
        if let Some(notable) = self.notable(others, &decision) {
            verdict.decision = Some(notable);
        }
        verdict.counts.reserve(decision.tallies.len());
        let mut counts = Vec::new();
        for (limit, metric) in decision.tallies {
            let Some(found) = self.find_limit(others, limit) else { continue };
            let count = Count::labelled(metric, found.index);
            match found.position.checked_sub(1) {
                None => verdict.counts.push(count),
                Some(other) => counts.push((other, count)),
            }
        }
        if decision.client_ip_fallback {
            verdict.counts.push(Count::of(Metric::ClientIpFallback));
        }
        let warning = |limit| without_claims(name(self.find_limit(others, limit).as_ref()));
        verdict.warnings.extend(decision.without_claims.into_iter().map(warning));
        Together { verdict, counts }
    }

    /// Finds a limit by its index in a decision.
    fn find_limit<'a>(&'a self, others: &[&'a Self], limit: usize) -> Option<FoundLimit<'a>> {
        let mut index = limit;
        for (position, policy) in self.and(others).enumerate() {
            let limits = &policy.config.limits;
            if let Some(limit) = limits.get(index) {
                return Some(FoundLimit { position, policy, index, limit });
            }
            index -= limits.len();
        }
        None
    }

    /// The decision to record if only notable decisions are recorded.
    fn notable<'a>(&'a self, others: &[&'a Self], decision: &Decision) -> Option<verdict::Decision<'a>> {
        let is_notable =
            |metric: &Metric| matches!(metric, Metric::ShadowDenied | Metric::Error | Metric::Overflow);
        let (limit, metric) = decision.tallies.iter().find(|(_, metric)| is_notable(metric))?;
        let word = mesh_policy::metric::Metric::definition(*metric).name;
        let label = Label::of(word).about(name(self.find_limit(others, *limit).as_ref()));
        Some(verdict::Decision { label, is_notable: true })
    }
}

/// A limit in one of several policies.
struct FoundLimit<'a> {
    /// The position of the policy: 0 is the one that gives the verdict.
    position: usize,
    policy: &'a Policy,
    /// The limit's index in its config.
    index: usize,
    limit: &'a Limit,
}

fn name<'a>(found: Option<&FoundLimit<'a>>) -> &'a str {
    found.map_or("", |found| &found.limit.name)
}

fn without_claims(name: &str) -> String {
    format!(
        "limit `{name}`: its first {LOOKED_AT} requests had no claims; rate-limit must run behind jwt-authz, and \
         a jwt-authz module must `export` the claim"
    )
}
