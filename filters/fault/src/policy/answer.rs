//! What becomes of a request: edits, replies, counts, and the label for the access log.

use super::decision::{Cause, Decision, Fault, Untouched};
use super::metric::Metric;
use super::names::{FaultKind, Kinds};
use super::{Policy, reason};
use crate::config::{Abort, Rule, TRIGGER};
use crate::status::has_no_content;
use mesh_policy::effects::{Edit, GrpcStatus};
use mesh_policy::headers::{HeaderName, HeaderValue};
use mesh_policy::label::Label;
use mesh_policy::mode::Mode;
use mesh_policy::reason::{Class, Reason};
use mesh_policy::refusal::{Member, Refusal};
use mesh_policy::verdict::{self, Count, Verdict};
use std::borrow::Cow;

/// The type of an empty body.
static NO_CONTENT: std::sync::LazyLock<HeaderValue> =
    std::sync::LazyLock::new(|| HeaderValue::text("text/plain"));

impl Policy {
    /// The fault of a decision, if it is carried out.
    #[must_use]
    pub fn enforced(&self, decision: &Decision) -> Option<Fault> {
        decision.outcome.ok().filter(|_| self.config.settings.mode == Mode::Enforce)
    }

    /// What is counted and recorded of a decision before anything happens.
    #[must_use]
    pub fn noted(&self, decision: &Decision) -> Verdict<'_, Metric> {
        let mut counts = Vec::new();
        let mut shadow = decision.shadow.first().map(|fault| fault.cause);
        for fault in &decision.shadow {
            counts.extend(self.counted(Metric::Shadow, fault.cause, fault.kinds()));
        }
        if let Ok(fault) = decision.outcome
            && self.config.settings.mode != Mode::Enforce
        {
            counts.extend(self.counted(Metric::Shadow, fault.cause, fault.kinds()));
            shadow = shadow.or(Some(fault.cause));
        }
        let flags = [
            (decision.is_trigger_ignored, Metric::TriggerIgnored),
            (decision.client_ip_fallback, Metric::ClientIpFallback),
        ];
        counts.extend(flags.into_iter().filter(|(is_so, _)| *is_so).map(|(_, metric)| Count::of(metric)));
        let untouched = decision.outcome.err();
        counts.extend(untouched.and_then(|untouched| self.untouched_count(untouched)));
        let (label, is_notable) = match (untouched, shadow) {
            (Some(Untouched::NoPlace(cause)), _) => (Label::of("overflow").about(self.name(cause)), true),
            (Some(Untouched::OverBudget(rule)), _) => {
                (Label::of("over_budget").about(self.name(Cause::Rule(rule))), true)
            }
            (Some(Untouched::Failed), _) => (Label::of("error"), true),
            (_, Some(cause)) => (Label::of("shadow").about(self.name(cause)), true),
            (Some(Untouched::ByDice(rule)), None) => {
                (Label::of("passed").about(self.name(Cause::Rule(rule))), false)
            }
            (Some(Untouched::Excluded), None) => (Label::of("excluded"), false),
            (Some(Untouched::Marked), None) => (Label::of("marked"), false),
            (Some(Untouched::Expired), None) => (Label::of("expired"), false),
            (Some(Untouched::NoRule) | None, None) => (Label::of("passed"), false),
        };
        Verdict { counts, decision: Some(verdict::Decision { label, is_notable }), ..Verdict::default() }
    }

    /// What is counted and recorded of a decision as the request begins to wait.
    #[must_use]
    pub fn delayed(&self, decision: &Decision, fault: &Fault) -> Verdict<'_, Metric> {
        let mut verdict = self.noted(decision);
        verdict.counts.extend(self.counted(
            Metric::Faults,
            fault.cause,
            Kinds::default().with(FaultKind::Delay),
        ));
        let label = Label::of(FaultKind::Delay.name()).about(self.name(fault.cause));
        verdict.decision = Some(verdict::Decision { label, is_notable: true });
        verdict
    }

    /// What happens to a request after its delay, or at once if it has none. `is_upstream`: the filter runs in a cluster's
    /// filter chain, where a change of the request's headers stays for later attempts.
    #[must_use]
    pub fn proceed(&self, fault: &Fault, is_upstream: bool) -> Verdict<'_, Metric> {
        if let Some(abort) = self.abort(fault) {
            let counts = self.counted(Metric::Faults, fault.cause, Kinds::default().with(FaultKind::Abort));
            let label = Label::of(FaultKind::Abort.name()).about(self.name(fault.cause));
            let decision = Some(verdict::Decision { label, is_notable: true });
            return Verdict { counts: counts.collect(), decision, ..abort.into() };
        }
        let mut verdict = Verdict::default();
        if fault.delay.is_some() {
            let marker = &self.config.marker;
            let request = marker.request_header.as_ref().filter(|_| !is_upstream);
            verdict.request.extend(request.map(|header| self.mark(header, fault.cause)));
            verdict.response.extend(self.response_marker(fault.cause));
        }
        verdict
    }

    /// The counts of faults that happen.
    pub fn counted(&self, metric: Metric, cause: Cause, kinds: Kinds) -> impl Iterator<Item = Count<Metric>> {
        let first = self.index(cause) * FaultKind::ALL.len();
        kinds.iter().map(move |kind| Count::labelled(metric, first + kind as usize))
    }

    /// A fault for the access log, such as `delay{chaos}+abort{chaos}`.
    #[must_use]
    pub fn label(&self, cause: Cause, kinds: Kinds) -> String {
        let mut label = String::new();
        for kind in kinds.iter() {
            let separator = if label.is_empty() { "" } else { "+" };
            for part in [separator, kind.name(), "{", self.name(cause), "}"] {
                label.push_str(part);
            }
        }
        label
    }

    /// What is counted for a response that passes untouched because the plugin has no place.
    #[must_use]
    pub fn overflow(&self, cause: Cause) -> Verdict<'_, Metric> {
        self.noted(&Decision { outcome: Err(Untouched::NoPlace(cause)), ..Decision::default() })
    }

    /// The edit that marks a response.
    #[must_use]
    pub fn response_marker(&self, cause: Cause) -> Option<Edit> {
        let header = self.config.marker.response_header.as_ref()?;
        Some(self.mark(header, cause))
    }

    fn mark(&self, header: &HeaderName, cause: Cause) -> Edit {
        Edit::Add(header.clone(), HeaderValue::text(self.name(cause)))
    }

    /// The name under which a fault is marked and counted.
    pub(super) fn name(&self, cause: Cause) -> &str {
        self.rule(cause).map_or(TRIGGER, |rule| &rule.name)
    }

    pub(super) fn rule(&self, cause: Cause) -> Option<&Rule> {
        match cause {
            Cause::Rule(index) => self.config.rules.get(index),
            Cause::Trigger { .. } => None,
        }
    }

    /// The index among label values: rules in the order of the config, then the trigger.
    fn index(&self, cause: Cause) -> usize {
        match cause {
            Cause::Rule(index) => index,
            Cause::Trigger { .. } => self.config.rules.len(),
        }
    }

    fn untouched_count(&self, untouched: Untouched) -> Option<Count<Metric>> {
        let by_rule = |metric, cause| Some(Count::labelled(metric, self.index(cause)));
        match untouched {
            Untouched::NoPlace(cause) => by_rule(Metric::Overflow, cause),
            Untouched::OverBudget(rule) => by_rule(Metric::OverBudget, Cause::Rule(rule)),
            Untouched::Marked => Some(Count::of(Metric::Marked)),
            Untouched::Expired => Some(Count::of(Metric::Expired)),
            Untouched::Failed => Some(Count::of(Metric::Failed)),
            Untouched::Excluded | Untouched::NoRule | Untouched::ByDice(_) => None,
        }
    }

    /// The reply in place of the upstream's, if there is one.
    fn abort(&self, fault: &Fault) -> Option<Refusal<'_>> {
        if !fault.is_aborted {
            return None;
        }
        let abort = self.rule(fault.cause).and_then(|rule| rule.abort.as_ref());
        let (status, grpc_status) = match (abort, fault.cause) {
            (Some(Abort { status, grpc_status, .. }), _) => (*status, *grpc_status),
            (None, Cause::Trigger { status: Some(status) }) => (status, GrpcStatus::of_http(status)),
            (None, Cause::Trigger { status: None } | Cause::Rule(_)) => return None,
        };
        let name = self.name(fault.cause);
        let reason = Reason { class: Class::new(status, grpc_status), ..reason::INJECTED };
        let mut refusal = Refusal::new(reason, Label::of(reason.label).about(name));
        refusal.text = Some(match abort.and_then(|abort| abort.message.as_deref()) {
            Some(message) => Cow::Borrowed(message),
            None => Cow::Owned(["a fault was injected: ", name].concat()),
        });
        refusal.members = vec![("rule", Member::Text(name))];
        refusal.body = abort.and_then(|abort| Some((abort.body.as_deref()?, &abort.content_type.0)));
        if has_no_content(status) {
            refusal.body = Some(("", &NO_CONTENT));
        }
        if let Some(header) = &self.config.marker.response_header {
            refusal.headers.push((header.clone(), HeaderValue::text(name)));
        }
        refusal.more_headers = abort.map(|abort| &abort.headers[..]).unwrap_or_default();
        Some(refusal)
    }
}
