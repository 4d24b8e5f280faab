//! The decision on a request.

use super::Policy;
use super::boundary;
use super::correlate::Side;
use super::editor::Editor;
use super::failed::Failed;
use super::metric::{Metric, add};
use super::traced::{Origin, Traced};
use crate::config::Boundary;
use crate::context::{TraceContext, TraceId};
use crate::digits::push_trace_id;
use mesh_policy::effects::Edit;
use mesh_policy::facts::Facts;
use mesh_policy::headers::HeaderValue;
use mesh_policy::label::Label;
use mesh_policy::matching::request::MatchInput;
use mesh_policy::mode::Mode;
use mesh_policy::percent::Percentage;
use mesh_policy::policy::Environment;
use mesh_policy::store::Store;
use mesh_policy::verdict::{Count, Decision, Verdict};
use std::borrow::Cow;
use std::cell::LazyCell;

/// Logged once for each worker and config.
const NO_DIRECTION: &str = "requests are not correlated: the proxy does not say in which direction they go, set `correlate.direction`";

impl Policy {
    pub(super) fn judge(
        &self,
        facts: &Facts<'_>,
        environment: Environment<'_, impl Store>,
    ) -> Result<Verdict<'_, Metric>, Failed> {
        let client = self.config.settings.client(&self.needs, facts);
        let request = MatchInput::new(facts, client.ip);
        let mut counts = Vec::new();
        if client.fallback {
            counts.push(Count::of(Metric::ClientIpFallback));
        }
        if self.config.boundary == Boundary::Strip {
            let doomed = boundary::everything(facts.headers);
            counts.extend(doomed.misses_some.then(|| Count::of(Metric::Failed)));
            let edits = doomed.names.into_iter().map(Edit::Remove).collect();
            return Ok(self.verdict(edits, None, Label::of("stripped"), false, counts));
        }
        let direction =
            self.correlation.as_ref().and_then(|correlation| correlation.direction(facts, &mut counts));
        // Whether the proxy has failed. What else the request needs is done nevertheless.
        let mut failed = false;
        let carried = match (&self.correlation, direction) {
            (Some(correlation), Some(Side::Outbound)) => {
                correlation.carried(&self.readable, facts.headers, environment.store, &mut counts)
            }
            _ => Ok(None),
        };
        failed |= carried.is_err();
        let nothing = || (Cow::Borrowed(facts.headers), Vec::new(), false);
        let (headers, carried, is_hit) = carried.ok().flatten().unwrap_or_else(nothing);
        let mut editor = Editor::new(facts.headers, &headers, carried);
        if self.config.boundary == Boundary::Restart {
            let doomed = boundary::formats(&headers, self.config.baggage.is_none());
            doomed.names.iter().for_each(|name| editor.remove(name));
            failed |= doomed.misses_some;
        }
        // Most requests need no share, and its rules may be many.
        let share = LazyCell::new(|| self.share(&request));
        let traced = self.trace(&mut editor, &share, environment.sources).map_err(|_| Failed)?;
        self.filter_baggage(&request, &mut editor, &mut counts);
        let edits = editor.into_edits();
        if let (Some(correlation), Some(Side::Inbound)) = (&self.correlation, direction)
            && self.config.settings.mode == Mode::Enforce
        {
            failed |= correlation.remember(facts.headers, &edits, environment.store, &mut counts).is_err();
        }
        counts.extend(failed.then(|| Count::of(Metric::Failed)));
        let (label, is_notable) = self.label(&traced, is_hit);
        let Traced { context, counts: traced_counts, .. } = traced;
        traced_counts.into_iter().for_each(|count| add(&mut counts, count));
        let mut verdict = self.verdict(edits, context, label, is_notable, counts);
        if self.correlation.is_some() && direction.is_none() && !self.has_warned.replace(true) {
            verdict.warnings.push(NO_DIRECTION.to_owned());
        }
        Ok(verdict)
    }

    /// The percentage of new traces that are sampled.
    fn share(&self, request: &MatchInput<'_>) -> Percentage {
        let generate = &self.config.generate;
        let rule = generate.sampling_rules.iter().find(|rule| rule.matches.test(request).is_certain());
        rule.map_or(generate.sampling_percentage, |rule| rule.sampling_percentage)
    }

    fn label(&self, traced: &Traced, is_hit: bool) -> (Label<'static>, bool) {
        match traced.origin {
            Origin::Extracted(_) if is_hit => (Label::of("correlated"), false),
            Origin::Extracted(format) => (Label::of("extracted").about(format.name()), false),
            Origin::Generated => (Label::of("generated"), false),
            Origin::Invalid(format, invalid) => {
                let label = Label::of("invalid").about(format.name());
                (Label { result: Some(invalid.label()), ..label }, true)
            }
            Origin::Missing => (Label::of("missing"), false),
        }
    }

    fn verdict(
        &self,
        edits: Vec<Edit>,
        context: Option<TraceContext>,
        label: Label<'static>,
        is_notable: bool,
        counts: Vec<Count<Metric>>,
    ) -> Verdict<'_, Metric> {
        let decision = Some(Decision { label, is_notable });
        let mut verdict = Verdict { counts, decision, ..Verdict::default() };
        if self.config.settings.mode != Mode::Enforce {
            return verdict;
        }
        verdict.request = edits;
        let (header, is_logged) = (&self.config.response.header, self.config.log_trace_id);
        // Most configs tell nobody.
        let trace_id =
            context.filter(|_| header.is_some() || is_logged).map(|context| digits(context.trace_id));
        if let (Some(header), Some(trace_id)) = (header, &trace_id) {
            verdict.response.push(Edit::Set(header.clone(), HeaderValue::text(trace_id.as_str())));
        }
        verdict.logged = trace_id.filter(|_| is_logged).map(|trace_id| ("trace_id", trace_id));
        verdict
    }
}

/// A trace id as it is told: 32 digits.
fn digits(trace_id: TraceId) -> String {
    let mut digits = Vec::with_capacity(32);
    push_trace_id(&mut digits, trace_id);
    String::from_utf8(digits).unwrap_or_default()
}
