//! Carries out verdicts: header edits, replies, counts and filter state.

mod metrics;
mod observed;
mod policy_filter;
mod sources;

pub use metrics::Metrics;
pub use policy_filter::PolicyFilter;
pub use sources::ProxySources;

use observed::Observed;

use crate::filter::{Flow, TrailersFlow};
use crate::logger;
use crate::message::{Request, Response, Trailers};
use crate::property;
use crate::status::Status;
use mesh_policy::effects::{Edit, Reply};
use mesh_policy::grpc::is_grpc;
use mesh_policy::headers::Unchangeable;
use mesh_policy::mode::Mode;
use mesh_policy::policy::{Part, Policy};
use mesh_policy::preflight::CorsPreflight;
use mesh_policy::refusal::Refusal;
use mesh_policy::report::{GaugeValue, Report};
use mesh_policy::scope::{Scope, variable};
use mesh_policy::settings::DecisionLog;
use mesh_policy::time::Nanos;
use mesh_policy::verdict::{Claims, Count, Decision, Verdict};
use std::rc::Rc;

/// The filter state `wasm.<key>` of the claims that filters in other modules may see.
const CLAIMS_KEY: &str = "jwt_claims";

/// A policy with its metrics.
pub struct Adapter<P: Policy> {
    policy: P,
    metrics: Metrics<P::Metric>,
    /// The target of log lines: the block's name, or the filter's.
    log_target: String,
    /// The key of the filter state that decisions are written to.
    decision_key: String,
}

/// What is left to do for a request that was forwarded.
#[derive(Debug, Default)]
pub struct Pending {
    /// Changes of its response.
    response: Vec<Edit>,
    /// Its outcome is asked for.
    observed: Option<Observed>,
}

/// What a policy answers for a request.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly all are verdicts, and none outlives its callback")]
pub enum Judgement<'a, M> {
    /// A verdict.
    Verdict(Verdict<'a, M>),
    /// The request waits, at most until this instant.
    Pause(Nanos),
}

impl Pending {
    /// Adds changes of the response, in front of those that are pending.
    pub fn edit_response_first(&mut self, mut edits: Vec<Edit>) {
        edits.append(&mut self.response);
        self.response = edits;
    }
}

impl From<Unchangeable> for Status {
    fn from(_: Unchangeable) -> Self {
        Self::BadArgument
    }
}

impl<P: Policy> Adapter<P> {
    /// Defines the policy's metrics. `scope`: whose they are.
    #[must_use]
    #[inline(never)]
    pub fn new(policy: P, scope: &Scope) -> Self {
        let metrics = Metrics::new(&variable(P::NAME), scope, |metric| policy.label_values(metric));
        let log_target = logger::target_of(scope.block().unwrap_or(P::NAME));
        Self { policy, metrics, log_target, decision_key: scope.decision_key(P::NAME) }
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &P {
        &self.policy
    }

    /// The policy's metrics.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics<P::Metric> {
        &self.metrics
    }

    /// Judges a request and carries the verdict out. `judge` is asked unless the request passes without a
    /// decision: the mode is `off`, or it is a CORS preflight.
    pub fn on_request<'a>(
        &'a self,
        pending: &mut Pending,
        request: &mut Request<'_>,
        judge: impl FnOnce(&mut Request<'_>) -> Result<Judgement<'a, P::Metric>, Status>,
    ) -> Flow {
        if P::PROVIDES_CLAIMS {
            // What another plugin has exported is not this filter's word.
            request.set_claims(None);
        }
        if let Err(status) = request.remove_own(self.policy.own_headers()) {
            return self.on_unreadable_request(Part::OwnHeaders, status, pending, request);
        }
        let carried_out = self.judge(request, judge).and_then(|judgement| match judgement {
            Judgement::Verdict(verdict) => self.carry_out(pending, request, verdict),
            Judgement::Pause(until) => Ok(Flow::Pause { until }),
        });
        carried_out
            .unwrap_or_else(|status| self.on_unreadable_request(Part::Headers, status, pending, request))
    }

    /// Judges a request that other configs decide on as well. If this config lets the request in, its verdict is neither carried
    /// out nor counted: the config that decides last does both. Returns the claims of the request's token, if this config has
    /// verified one, for [`Adapter::provide_claims`].
    ///
    /// # Errors
    /// What keeps the request from continuing, if this config does.
    pub fn on_request_beside<'a>(
        &'a self,
        request: &mut Request<'_>,
        judge: impl FnOnce(&mut Request<'_>) -> Result<Judgement<'a, P::Metric>, Status>,
    ) -> Result<Option<Claims>, Flow> {
        let removed =
            request.remove_own(self.policy.own_headers()).map_err(|status| (Part::OwnHeaders, status));
        let judged =
            removed.and_then(|()| self.judge(request, judge).map_err(|status| (Part::Headers, status)));
        match judged {
            Ok(Judgement::Verdict(verdict)) if verdict.refusal.is_none() => Ok(verdict.claims),
            Ok(Judgement::Verdict(mut verdict)) => {
                let reply = self.enforced_reply(request, &mut verdict);
                self.report(&verdict);
                reply.map_or(Ok(verdict.claims), |reply| Err(Flow::Reply(reply)))
            }
            Ok(Judgement::Pause(until)) => Err(Flow::Pause { until }),
            Err((part, status)) => {
                match self.on_unreadable_request(part, status, &mut Pending::default(), request) {
                    Flow::Continue => Ok(None),
                    flow => Err(flow),
                }
            }
        }
    }

    /// Passes claims on that another config has verified, if this one, which has let the request in, has none.
    pub fn provide_claims(&self, request: &mut Request<'_>, claims: &Claims) -> Flow {
        let provided = if request.has_claims() { Ok(()) } else { Self::pass_on(request, claims) };
        provided.map_or_else(
            |status| self.on_unreadable_request(Part::Headers, status, &mut Pending::default(), request),
            |()| Flow::Continue,
        )
    }

    fn pass_on(request: &mut Request<'_>, claims: &Claims) -> Result<(), Status> {
        if let Some(exported) = &claims.exported {
            request.set_filter_state(CLAIMS_KEY, exported)?;
        }
        request.set_claims(Some(Rc::clone(&claims.all)));
        Ok(())
    }

    fn judge<'a>(
        &'a self,
        request: &mut Request<'_>,
        judge: impl FnOnce(&mut Request<'_>) -> Result<Judgement<'a, P::Metric>, Status>,
    ) -> Result<Judgement<'a, P::Metric>, Status> {
        if self.passes_without_decision(request)? {
            let removed = request.take_removed();
            return self.policy.pass(&removed, || request.headers()).map(Judgement::Verdict);
        }
        judge(request)
    }

    /// Whether the request passes without a decision. Not if that cannot be known.
    pub(crate) fn passes(&self, request: &mut Request<'_>) -> bool {
        self.passes_without_decision(request).unwrap_or_default()
    }

    /// Whether a request that cannot be read is refused.
    fn refuses_unreadable(&self) -> bool {
        self.policy.unreadable(Part::Headers).refusal.is_some_and(|refusal| self.is_enforced(&refusal))
    }

    fn passes_without_decision(&self, request: &mut Request<'_>) -> Result<bool, Status> {
        Ok(self.policy.settings().mode == Mode::Off || self.is_exempt(request)?)
    }

    /// Whether the request is a CORS preflight that passes without a decision.
    fn is_exempt(&self, request: &mut Request<'_>) -> Result<bool, Status> {
        let cors_preflight = self.policy.cors_preflight();
        if cors_preflight == CorsPreflight::Check {
            return Ok(false);
        }
        // Where the header map is not needed, asking for one header that hardly any request has costs less.
        let is_candidate =
            self.policy.needs().headers || request.first_header("access-control-request-method")?.is_some();
        let end_of_stream = request.end_of_stream();
        Ok(is_candidate
            && cors_preflight.lets_through(
                request.headers()?,
                end_of_stream,
                self.policy.credential_headers(),
            ))
    }

    fn carry_out(
        &self,
        pending: &mut Pending,
        request: &mut Request<'_>,
        mut verdict: Verdict<'_, P::Metric>,
    ) -> Result<Flow, Status> {
        if let Some(reply) = self.enforced_reply(request, &mut verdict) {
            self.report(&verdict);
            return Ok(Flow::Reply(reply));
        }
        self.change(request, &verdict)?;
        if let Some(claims) = &verdict.claims {
            Self::pass_on(request, claims)?;
        }
        if let Some((key, value)) = &verdict.logged {
            // Only the access log reads it, so a failure does not change what happens to the request.
            let _unlogged = request.set_filter_state(key, value.as_bytes());
        }
        self.report(&verdict);
        *pending = Pending { response: verdict.response, observed: verdict.observation.map(Observed::new) };
        Ok(Flow::Continue)
    }

    /// The reply of a verdict that refuses a request, if it is enforced.
    fn enforced_reply(
        &self,
        request: &mut Request<'_>,
        verdict: &mut Verdict<'_, P::Metric>,
    ) -> Option<Reply> {
        let refusal = verdict.refusal.take()?;
        verdict.decision.get_or_insert_with(|| self.refused(&refusal));
        let refusal = Some(refusal).filter(|refusal| self.is_enforced(refusal))?;
        // If the headers cannot be read, the refusal stands: only its form depends on them.
        Some(refusal.into_reply(request.headers().is_ok_and(is_grpc)))
    }

    /// Carries out a verdict on a request that has waited for it.
    pub fn finish(
        &self,
        pending: &mut Pending,
        request: &mut Request<'_>,
        verdict: Verdict<'_, P::Metric>,
    ) -> Flow {
        self.carry_out(pending, request, verdict)
            .unwrap_or_else(|status| self.on_unreadable_request(Part::Headers, status, pending, request))
    }

    /// Carries out what a verdict changes of a request.
    fn change(&self, request: &mut Request<'_>, verdict: &Verdict<'_, P::Metric>) -> Result<(), Status> {
        if let Some((key, value)) = verdict.filter_state {
            request.set_filter_state(key, value.as_bytes())?;
        }
        for edit in &verdict.request {
            request.edit(edit)?;
        }
        // After an edit, the proxy selects the route again by itself. Removing an absent header is none.
        let is_edit = |edit: &Edit| !matches!(edit, Edit::Remove(_));
        if verdict.filter_state.is_some() && !verdict.request.iter().any(is_edit) {
            request.clear_route_cache()?;
        }
        Ok(())
    }

    /// Carries out what it can of the changes of a request, after a failure.
    fn change_if_possible(request: &mut Request<'_>, verdict: &Verdict<'_, P::Metric>) {
        for edit in &verdict.request {
            let _unchanged = request.edit(edit);
        }
        if let Some((key, value)) = verdict.filter_state {
            let _unchanged =
                request.set_filter_state(key, value.as_bytes()).and_then(|()| request.clear_route_cache());
        }
    }

    /// What becomes of a request that cannot be read or changed.
    fn on_unreadable_request(
        &self,
        part: Part,
        status: Status,
        pending: &mut Pending,
        request: &mut Request<'_>,
    ) -> Flow {
        // At level debug, since a client can cause it at will; a counter tells.
        log::debug!(target: &self.log_target, "a request cannot be read or changed: {status}");
        let mut verdict = self.policy.unreadable(part);
        if let Some(reply) = self.refuse_unreadable(part, &mut verdict) {
            return Flow::Reply(reply);
        }
        Self::change_if_possible(request, &verdict);
        *pending = Pending { response: verdict.response, observed: None };
        Flow::Continue
    }

    /// The reply to a request, or to its trailers, that cannot be read or changed; `None` if it continues.
    fn refuse_unreadable(&self, part: Part, verdict: &mut Verdict<'_, P::Metric>) -> Option<Reply> {
        let refusal = verdict.refusal.take();
        if let Some(refusal) = refusal.as_ref().filter(|_| part != Part::Trailers) {
            verdict.decision.get_or_insert_with(|| self.refused(refusal));
        }
        self.report(verdict);
        let refusal = refusal.filter(|refusal| self.is_enforced(refusal))?;
        Some(refusal.into_reply(false))
    }

    fn is_enforced(&self, refusal: &Refusal<'_>) -> bool {
        refusal.is_final || self.policy.settings().mode == Mode::Enforce
    }

    /// A refusal as a decision: its details, or what they would be if it were enforced.
    fn refused<'a>(&self, refusal: &Refusal<'a>) -> Decision<'a> {
        let mut label = refusal.details.clone();
        if !self.is_enforced(refusal) {
            label.word = "shadow_denied";
        }
        Decision { label, is_notable: true }
    }

    /// Counts, logs and records what was decided, and carries nothing out. For a verdict on something else than a request:
    /// [`Adapter::on_request`] reports its own.
    pub fn report(&self, verdict: &Verdict<'_, P::Metric>) {
        self.count(&verdict.counts);
        for warning in &verdict.warnings {
            log::warn!(target: &self.log_target, "{warning}");
        }
        let records_all = self.policy.settings().decision_log == DecisionLog::All;
        if let Some(decision) =
            verdict.decision.as_ref().filter(|decision| decision.is_notable || records_all)
        {
            self.record(&decision.label.to_string());
        }
    }

    fn count(&self, counts: &[Count<P::Metric>]) {
        for Count { metric, labels, number } in counts {
            self.metrics.counter(*metric, *labels).add(*number);
        }
    }

    /// Writes a decision to filter state `wasm.<filter>_decision`, or `wasm.<block>_decision`, in place of an earlier one.
    pub fn record(&self, decision: &str) {
        // Only the access log reads it, so a failure does not change what happens to the request.
        let _unlogged = property::set_filter_state(&self.decision_key, decision.as_bytes());
    }

    /// Carries out what background work has found, except for the next tick.
    fn carry_out_report(&self, report: &Report<P::Metric>) {
        self.count(&report.counts);
        for GaugeValue { metric, labels, value } in &report.gauges {
            self.metrics.gauge(*metric, *labels).set(*value);
        }
        for warning in &report.warnings {
            log::warn!(target: &self.log_target, "{warning}");
        }
    }

    /// Carries out the changes of the response.
    pub fn on_response(&self, pending: &mut Pending, response: &mut Response<'_>) -> Flow {
        for edit in pending.response.drain(..) {
            if let Err(status) = response.edit(&edit) {
                log::warn!(target: &self.log_target, "a response header cannot be set: {status}");
            }
        }
        Flow::Continue
    }

    /// Carries out the changes of the request's trailers.
    pub fn on_request_trailers(&self, trailers: &mut Trailers) -> TrailersFlow {
        let changed = self.edit_trailers(trailers);
        let reply = changed.err().and_then(|status| {
            log::debug!(target: &self.log_target, "trailers cannot be read or changed: {status}");
            self.refuse_unreadable(Part::Trailers, &mut self.policy.unreadable(Part::Trailers))
        });
        reply.map_or(TrailersFlow::Continue, TrailersFlow::Reply)
    }

    fn edit_trailers(&self, trailers: &mut Trailers) -> Result<(), Status> {
        let headers = trailers.headers()?;
        let (edits, rest) = self.policy.edit_trailers(headers);
        edits.iter().fold(rest.map_err(Status::from), |rest, edit| rest.and(trailers.edit(edit)))
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
