//! What becomes of a request: the edits, and the label for the access log.

use super::Policy;
use super::decision::{Assigned, Choice, Decision, Source};
use super::metric::Metric;
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, HeaderValue};
use mesh_policy::label::Label;
use mesh_policy::mode::Mode;
use mesh_policy::outcome::Observation;
use mesh_policy::verdict::{self, Verdict};

const SET_COOKIE: HeaderName = HeaderName::from_static("set-cookie");

impl Policy {
    /// The verdict of a decision, without what is counted.
    pub(super) fn carried_out<'a>(&'a self, decision: &Decision<'a>) -> Verdict<'a, Metric> {
        let mut verdict = Verdict { decision: Some(self.recorded(decision)), ..Verdict::default() };
        if self.config.settings.mode != Mode::Enforce {
            return verdict;
        }
        self.write(decision.choice.variant, &mut verdict);
        if let Some(assigned) = &decision.assigned {
            verdict.observation = self.observation(assigned);
            verdict.response.extend(self.cookie(assigned));
        }
        verdict
    }

    /// Writes a variant where the output says.
    pub(super) fn write<'a>(&'a self, variant: Option<&'a str>, verdict: &mut Verdict<'a, Metric>) {
        let output = &self.config.output;
        if let (Some(header), Some(variant)) = (&output.header, variant) {
            verdict.request.push(Edit::Set(header.clone(), HeaderValue::text(variant)));
        }
        if let (Some(key), Some(variant)) = (&output.filter_state, variant) {
            verdict.filter_state = Some((key, variant));
        }
        if let Some(header) = &output.response_header {
            // Without a variant, what the upstream says of it is not true.
            verdict.response.push(variant.map_or_else(
                || Edit::Remove(header.clone()),
                |variant| Edit::Set(header.clone(), HeaderValue::text(variant)),
            ));
        }
    }

    fn observation(&self, assigned: &Assigned) -> Option<Observation> {
        let subject = self.splits.get(assigned.split)?.first_subject + assigned.variant;
        Some(Observation { subject, began: assigned.began, is_grpc: assigned.is_grpc })
    }

    fn cookie(&self, assigned: &Assigned) -> Option<Edit> {
        let cookie = self.config.splits.0.get(assigned.split)?.assign_cookie.as_ref()?;
        Some(Edit::Add(SET_COOKIE, cookie.header(assigned.cookie.as_deref()?)))
    }

    /// The decision for the access log. What would have decided is of more interest than what did, but not than a fallback.
    fn recorded<'a>(&'a self, decision: &Decision<'a>) -> verdict::Decision<'a> {
        let is_fallback = matches!(decision.choice.source, Source::Fallback(_));
        let label = match decision.shadow.first() {
            Some(shadow) if !is_fallback => self.label(*shadow, true),
            _ => self.label(decision.choice, self.config.settings.mode != Mode::Enforce),
        };
        verdict::Decision { label, is_notable: is_fallback }
    }

    fn label<'a>(&'a self, choice: Choice<'a>, is_shadow: bool) -> Label<'a> {
        let rule = |index: usize| self.config.rules.get(index).map(|rule| rule.name.as_str());
        let split = |index: usize| self.config.splits.0.get(index).map(|split| split.name.as_str());
        let (word, subject) = match choice.source {
            Source::Override(_) => ("override", None),
            Source::Rule(index) => ("rule", rule(index)),
            Source::Split(index) => ("split", split(index)),
            Source::Fallback(index) => ("fallback", split(index)),
            Source::Default => ("default", None),
        };
        let word = if is_shadow { "shadow" } else { word };
        Label { word, subject: subject.map(Into::into), result: choice.variant }
    }
}
