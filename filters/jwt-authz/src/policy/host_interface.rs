//! The policy as the host layer sees it.

use super::answer::refusal;
use super::forward::{Forwarded, claims, remove_token};
use super::{CacheStatus, Decision, Denial, Metric, Outcome, Policy, Verified, export, reason};
use crate::config::Action;
use crate::crypto::Algorithm;
use crate::summary::summary;
use mesh_policy::effects::Edit;
use mesh_policy::facts::Needs;
use mesh_policy::headers::{HeaderName, Headers, Unchangeable};
use mesh_policy::mode::Mode;
use mesh_policy::policy::{self, Part};
use mesh_policy::preflight::CorsPreflight;
use mesh_policy::refusal::Refusal;
use mesh_policy::settings::Settings;
use mesh_policy::verdict::{Claims, Count, Verdict};

impl policy::Policy for Policy {
    const NAME: &'static str = "jwt-authz";
    const EDITS_TRAILERS: bool = true;
    const PROVIDES_CLAIMS: bool = true;

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

    fn own_headers(&self) -> &[HeaderName] {
        &self.own_headers
    }

    fn credential_headers(&self) -> &[HeaderName] {
        &self.token_headers
    }

    fn label_values(&self, metric: Metric) -> Vec<Option<Vec<&str>>> {
        let rules = |action| {
            let rules = self.config.rules.iter();
            rules.map(|rule| (rule.action == action).then(|| vec![rule.name.as_str()])).collect()
        };
        match metric {
            Metric::Denied | Metric::ShadowDenied => {
                self.labels.iter().map(|label| Some(vec![*label])).collect()
            }
            Metric::RuleAllowed | Metric::RuleShadowAllowed => rules(Action::Allow),
            Metric::RuleDenied | Metric::RuleShadowDenied => rules(Action::Deny),
            Metric::InHost => {
                let providers = &self.config.providers;
                let is_used =
                    |algorithm| providers.iter().any(|provider| provider.algorithms.contains(algorithm));
                Algorithm::ALL
                    .iter()
                    .map(|algorithm| is_used(algorithm).then(|| vec![algorithm.name()]))
                    .collect()
            }
            _ => self.config.providers.iter().map(|provider| Some(vec![provider.name.as_str()])).collect(),
        }
    }

    fn pass<'h, E: From<Unchangeable>>(
        &self,
        _removed: &Headers,
        headers: impl FnOnce() -> Result<&'h Headers, E>,
    ) -> Result<Verdict<'_, Metric>, E> {
        let mut verdict = Verdict::default();
        self.forward(headers()?, None, &mut verdict)?;
        Ok(verdict)
    }

    fn unreadable(&self, part: Part) -> Verdict<'_, Metric> {
        // Also in shadow mode: headers that only this filter may set could have been sent by the client.
        let refusal = Refusal { is_final: true, ..self.refusal(&Denial::new(reason::ERROR)) };
        let mut verdict = Verdict::from(refusal);
        verdict.counts.push(Count::of(Metric::Unreadable));
        // A request whose trailers fail was counted with its headers.
        if part != Part::Trailers {
            verdict.counts.push(self.by_reason(Metric::Denied, reason::ERROR.label));
        }
        verdict
    }

    fn edit_trailers(&self, trailers: &Headers) -> (Vec<Edit>, Result<(), Unchangeable>) {
        policy::removals(trailers, &self.kept_out)
    }
}

impl Policy {
    /// The verdict of a decision for a request with these headers. `NoKey` refuses: a request that waits for keys has
    /// no verdict yet.
    ///
    /// # Errors
    /// A header cannot be removed; the request must not be forwarded.
    pub fn verdict(
        &self,
        headers: &Headers,
        decision: &Decision,
    ) -> Result<Verdict<'_, Metric>, Unchangeable> {
        let mut verdict = match &decision.outcome {
            Outcome::Allowed => Verdict::allowed(self.rule_name(decision)),
            Outcome::Refused(denial) => self.refusal(denial).into(),
            Outcome::NoKey(_) => return Ok(policy::Policy::unreadable(self, Part::Headers)),
        };
        self.count(decision, &mut verdict.counts);
        if verdict.refusal.is_none() || self.config.settings.mode != Mode::Enforce {
            self.forward(headers, Some(decision), &mut verdict)?;
        }
        Ok(verdict)
    }

    pub(super) fn refusal(&self, denial: &Denial) -> Refusal<'_> {
        refusal(&self.config, &self.no_token, denial)
    }

    fn rule_name(&self, decision: &Decision) -> Option<&str> {
        let rule = decision.rule.and_then(|index| self.config.rules.get(index))?;
        Some(&rule.name)
    }

    pub(super) fn forward(
        &self,
        headers: &Headers,
        decision: Option<&Decision>,
        verdict: &mut Verdict<'_, Metric>,
    ) -> Result<(), Unchangeable> {
        let mut forwarded = Forwarded::default();
        let verified = decision.and_then(|decision| decision.verified.as_ref());
        let provider = verified.and_then(|verified| self.config.providers.get(verified.provider));
        if let (Some(verified), Some(provider)) = (verified, provider) {
            claims(verified, provider, &mut forwarded);
        }
        // In shadow mode the token stays, as the upstream may verify it itself.
        if self.config.settings.mode == Mode::Enforce {
            match provider {
                Some(provider) if provider.forward_token => {}
                Some(_) => remove_token(headers, self.token_locations.all(), &mut forwarded.edits)?,
                // An upstream might trust an unverified token.
                None => remove_token(headers, self.token_locations.private(), &mut forwarded.edits)?,
            }
        }
        verdict.request.extend(forwarded.edits);
        if forwarded.left_out > 0 {
            verdict.counts.push(Count::of(Metric::ClaimsLeftOut).times(forwarded.left_out.into()));
        }
        verdict.claims = verified.map(|verified| self.claims(verified));
        Ok(())
    }

    pub(super) fn claims(&self, verified: &Verified) -> Claims {
        let exported = export::export(&verified.claims, &self.config.export);
        Claims { all: verified.claims(), exported: exported.map(|claims| claims.to_string().into_bytes()) }
    }

    fn count(&self, decision: &Decision, counts: &mut Vec<Count<Metric>>) {
        let is_enforced = self.config.settings.mode == Mode::Enforce;
        match &decision.outcome {
            Outcome::Allowed => counts.push(Count::of(Metric::Allowed)),
            Outcome::Refused(denial) => {
                let metric = if is_enforced { Metric::Denied } else { Metric::ShadowDenied };
                counts.push(self.by_reason(metric, denial.reason.label));
            }
            Outcome::NoKey(_) => return,
        }
        counts.extend(decision.rule.and_then(|rule| self.by_rule(rule, is_enforced)));
        counts.extend(decision.shadow.iter().filter_map(|rule| self.by_rule(*rule, false)));
        counts.extend(decision.cache_status.map(|status| match status {
            CacheStatus::Hit => Count::of(Metric::CacheHit),
            CacheStatus::Miss => Count::of(Metric::CacheMiss),
        }));
        if decision.client_ip_fallback {
            counts.push(Count::of(Metric::ClientIpFallback));
        }
    }

    fn by_rule(&self, rule: usize, is_enforced: bool) -> Option<Count<Metric>> {
        let metric = match (self.config.rules.get(rule)?.action, is_enforced) {
            (Action::Allow, true) => Metric::RuleAllowed,
            (Action::Allow, false) => Metric::RuleShadowAllowed,
            (Action::Deny, true) => Metric::RuleDenied,
            (Action::Deny, false) => Metric::RuleShadowDenied,
        };
        Some(Count::labelled(metric, rule))
    }

    fn by_reason(&self, metric: Metric, label: &str) -> Count<Metric> {
        let value = self.labels.iter().position(|other| *other == label).unwrap_or(usize::MAX);
        Count::labelled(metric, value)
    }
}
