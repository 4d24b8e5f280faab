//! Which trace a request belongs to, and how its headers say so.

use super::Policy;
use super::editor::Editor;
use super::metric::{Metric, invalid_count};
use super::traced::{Origin, Traced};
use crate::config::Boundary;
use crate::context::{Decision, TraceContext};
use crate::format::{self, Format, Read};
use crate::{sampling, tracestate};
use mesh_policy::headers::HeaderName;
use mesh_policy::percent::Percentage;
use mesh_policy::policy::Sources;
use mesh_policy::verdict::Count;
use std::ops::Deref;

const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The proxy gives no random numbers.
pub(super) struct NoRandomNumbers;

impl Policy {
    /// Finds the trace of a request, and makes its headers say so. `share`: of new traces, looked at only where one begins or
    /// a decision is needed.
    pub(super) fn trace(
        &self,
        editor: &mut Editor<'_>,
        share: &impl Deref<Target = Percentage>,
        sources: &mut dyn Sources,
    ) -> Result<Traced, NoRandomNumbers> {
        if self.config.boundary == Boundary::Restart {
            let context = generate(None, **share, sources)?;
            let mut traced = Traced::new(Origin::Generated, Some(context));
            traced.counts.push(Count::of(Metric::Generated));
            self.write(editor, &mut traced, None, share);
            return Ok(traced);
        }
        let mut traced = self.read(editor);
        if traced.context.is_none() && self.config.generate.when_missing {
            traced.context = Some(generate(traced.alone, **share, sources)?);
            traced.origin = Origin::Generated;
            traced.counts.push(Count::of(Metric::Generated));
        }
        self.remove_decisions(editor, &mut traced);
        let from = match traced.origin {
            Origin::Extracted(format) => Some(format),
            _ => None,
        };
        self.write(editor, &mut traced, from, share);
        Ok(traced)
    }

    /// Reads the trace, and removes what is invalid or names another one.
    fn read(&self, editor: &mut Editor<'_>) -> Traced {
        let headers = editor.headers();
        let mut traced = Traced::new(Origin::Missing, None);
        for format in self.readable.iter().copied() {
            let is_ours = !self.config.is_native(format);
            let found = format::read(format, headers);
            match (found, traced.context) {
                (Read::Context(context), None) => {
                    traced.context = Some(context);
                    traced.origin = Origin::Extracted(format);
                    traced.counts.push(count(Metric::Extracted, format));
                }
                (Read::Context(other), Some(context)) if !other.trace_id.may_be(context.trace_id) => {
                    traced.counts.push(count(Metric::Conflict, format));
                    if is_ours {
                        editor.remove_format(format);
                    }
                    continue;
                }
                (Read::Context(other), Some(context)) => traced.complete(context, &other),
                (Read::Decision(decision), _) => drop(traced.alone.get_or_insert(decision)),
                (Read::Invalid(invalid), _) => {
                    traced.counts.push(invalid_count(format, invalid));
                    if traced.origin == Origin::Missing {
                        traced.origin = Origin::Invalid(format, invalid);
                    }
                    if is_ours {
                        editor.remove_format(format);
                    }
                    continue;
                }
                (Read::Missing, _) => {}
            }
            if format == Format::W3c && is_ours {
                judge_tracestate(editor, found, &mut traced);
            }
        }
        traced
    }

    /// Writes the context in every format that does not say it. `from`: the format that it was read from.
    fn write(
        &self,
        editor: &mut Editor<'_>,
        traced: &mut Traced,
        from: Option<Format>,
        share: &impl Deref<Target = Percentage>,
    ) {
        let Some(context) = traced.context else { return };
        let headers = editor.headers();
        for format in self.config.written() {
            if from.is_some() && format::says(format, headers, &context) {
                continue;
            }
            let fallback = match traced.decision() {
                Decision::Deferred if !format.tells_deferred() => sampling::decide(context.trace_id, **share),
                decision => decision,
            };
            let Some(written) = format::write_over(format, headers, &context, fallback) else {
                self.remove_other_trace(editor, traced, format, &context);
                continue;
            };
            if from == Some(format) {
                // A later version of `traceparent`, whose `tracestate` stays; or an id without its upper half.
                written.into_iter().for_each(|(name, value)| editor.set(name, value));
                continue;
            }
            editor.replace_format(format, written);
            if let Some(from) = from {
                let value = from as usize * Format::ALL.len() + format as usize;
                traced.counts.push(Count::labelled(Metric::Converted, value));
            }
        }
    }

    /// Removes decisions without ids that disagree with the trace, or with the first one if there is no trace. Beside a
    /// context an upstream with B3 would begin a second trace of any but one that is not sampled. In a format that is
    /// written, the context replaces them.
    fn remove_decisions(&self, editor: &mut Editor<'_>, traced: &mut Traced) {
        let Some(first) = traced.alone else { return };
        let (headers, agreed) = (editor.headers(), traced.decision());
        let is_replaced = |format: Format| {
            let can_be_written = |context: TraceContext| context.span_id.is_some() || !format.needs_span();
            self.config.written().any(|written| written == format)
                && traced.context.is_some_and(can_be_written)
        };
        let stays = |decision: Decision| match traced.context {
            None => decision == first,
            Some(_) => decision == Decision::NotSampled && agreed == Decision::NotSampled,
        };
        let ours = self.readable.iter().copied().filter(|format| !self.config.is_native(*format));
        let disagreeing = ours.filter(|format| {
            matches!(format::read(*format, headers), Read::Decision(decision) if !stays(decision))
                && !is_replaced(*format)
        });
        for format in disagreeing.collect::<Vec<_>>() {
            traced.counts.push(count(Metric::Conflict, format));
            editor.remove_format(format);
        }
    }

    /// Removes a context that names another trace, in a format that cannot be written. In a format that is read, it is
    /// removed already.
    fn remove_other_trace(
        &self,
        editor: &mut Editor<'_>,
        traced: &mut Traced,
        format: Format,
        context: &TraceContext,
    ) {
        if let (Read::Context(other), false) =
            (format::read(format, editor.headers()), self.readable.contains(&format))
            && !other.trace_id.may_be(context.trace_id)
        {
            traced.counts.push(count(Metric::Conflict, format));
            editor.remove_format(format);
        }
    }
}

/// Without a valid `traceparent` there is no `tracestate`, and one that is invalid is removed alone.
fn judge_tracestate(editor: &mut Editor<'_>, found: Read, traced: &mut Traced) {
    let judged = if matches!(found, Read::Context(_)) { tracestate::check(editor.headers()) } else { Ok(()) };
    if let Err(invalid) = judged {
        traced.counts.push(invalid_count(Format::W3c, invalid));
    }
    if judged.is_err() || found == Read::Missing {
        editor.remove(&TRACESTATE);
    }
}

/// A new trace. `decision`: what the request says about it.
fn generate(
    decision: Option<Decision>,
    share: Percentage,
    sources: &mut dyn Sources,
) -> Result<TraceContext, NoRandomNumbers> {
    let mut random = || sources.random().ok_or(NoRandomNumbers);
    let context = sampling::generate((random()?, random()?), random()?, share);
    Ok(TraceContext { decision: decision.unwrap_or(context.decision), ..context })
}

const fn count(metric: Metric, format: Format) -> Count<Metric> {
    Count::labelled(metric, format as usize)
}
