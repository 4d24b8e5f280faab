//! Datadog: `x-datadog-…` (<https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation/>, "Datadog format").
//!
//! The documentation names the headers; what their values may be is what Datadog's tracers accept, here dd-trace-go's
//! `ddtrace/tracer/textmap.go` and dd-trace-rb's `distributed/datadog.rb`.

use crate::context::{Decision, SpanId, TraceContext, TraceId};
use crate::digits::{Case, decimal, hex, push_decimal, push_hex};
use crate::header::{Written, is_plain, only, written};
use crate::invalid::Invalid;
use crate::read::Read;
use mesh_policy::headers::{HeaderName, Headers};

/// The headers of the format.
pub static HEADERS: [HeaderName; 5] = [
    HeaderName::from_static("x-datadog-trace-id"),
    HeaderName::from_static("x-datadog-parent-id"),
    HeaderName::from_static("x-datadog-sampling-priority"),
    HeaderName::from_static("x-datadog-origin"),
    HeaderName::from_static("x-datadog-tags"),
];

/// The tag with the upper half of the trace id.
const TID: &[u8] = b"_dd.p.tid=";

/// What Datadog's headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datadog<'a> {
    /// The ids and the decision.
    pub context: TraceContext,
    /// The sampling priority, -1 to 2: a tracer's rules or its user may have decided.
    pub priority: Option<&'a [u8]>,
    /// Where the trace began, such as `synthetics`.
    pub origin: Option<&'a [u8]>,
    /// All tags of the trace as they came, separated by commas.
    pub tags: Option<&'a [u8]>,
}

impl<'a> Datadog<'a> {
    /// Reads the headers; `None` if they have no id.
    ///
    /// The ids are decimal numbers of 64 bits. The upper half of the trace id is in the tag `_dd.p.tid`, in 16 hexadecimal
    /// digits in lower case; if the tag is malformed or zero, the id has 64 bits. A trace with an origin may have no span.
    ///
    /// # Errors
    /// Why they are invalid.
    pub fn parse(headers: &'a Headers) -> Result<Option<Self>, Invalid> {
        let [trace, span, priority, origin, tags] = &HEADERS;
        let (trace, span) = (only(headers, trace)?, only(headers, span)?);
        let priority = only(headers, priority)?;
        let (origin, tags) = (only(headers, origin)?, only(headers, tags)?);
        let Some(trace) = trace else {
            return if span.is_none() { Ok(None) } else { Err(Invalid::Incomplete) };
        };
        let upper = tags.map_or(0, upper_half);
        let trace_id = TraceId::from_halves(upper, decimal(trace)?).ok_or(Invalid::ZeroId)?;
        let span_id = match span.map(decimal).transpose()?.map(SpanId::new) {
            Some(Some(span_id)) => Some(span_id),
            Some(None) if origin.is_none() => return Err(Invalid::ZeroId),
            None if origin.is_none() => return Err(Invalid::Incomplete),
            _ => None,
        };
        let decision = priority.map_or(Ok(Decision::Deferred), decision)?;
        let context = TraceContext { trace_id, span_id, decision, is_random: false };
        Ok(Some(Self { context, priority, origin, tags }))
    }
}

fn decision(priority: &[u8]) -> Result<Decision, Invalid> {
    match priority {
        b"-1" | b"0" => Ok(Decision::NotSampled),
        b"1" | b"2" => Ok(Decision::Sampled),
        _ => Err(Invalid::Sampling),
    }
}

/// The upper half of the trace id; zero if there is none. Of several tags the last counts, as in a map.
fn upper_half(tags: &[u8]) -> u64 {
    let digits = each(tags).filter_map(|tag| tag.strip_prefix(TID)).last().unwrap_or_default();
    if digits.len() == 16 { hex(digits, Case::Lower).unwrap_or_default() } else { 0 }
}

fn each(tags: &[u8]) -> impl Iterator<Item = &[u8]> {
    tags.split(|byte| *byte == b',').filter(|tag| !tag.is_empty())
}

/// Reads the headers.
pub(crate) fn read(headers: &Headers) -> Read {
    Datadog::parse(headers).map(|datadog| datadog.map(|datadog| datadog.context)).into()
}

/// Writes the headers. Of the same trace in `headers` the origin and the other tags are kept, and the priority if it says
/// the same decision. Debug is written as priority 2, which no rate limit of a tracer drops.
pub(crate) fn write(headers: &Headers, context: &TraceContext) -> Option<Vec<Written>> {
    let [trace_name, span_name, priority_name, origin_name, tags_name] = &HEADERS;
    let span_id = context.span_id?;
    let trace_id = context.trace_id;
    let found = Datadog::parse(headers).ok().flatten();
    let found = found.filter(|found| found.context.trace_id.may_be(trace_id));
    let priority = match context.decision {
        Decision::NotSampled => Some(b"0".as_slice()),
        Decision::Sampled => Some(b"1".as_slice()),
        Decision::Debug => Some(b"2".as_slice()),
        Decision::Deferred => None,
    };
    let is_kept = |found: &Datadog<'_>| found.context.decision == context.decision;
    let priority = found.filter(is_kept).map_or(priority, |found| found.priority);
    let number = |number| {
        let mut digits = Vec::with_capacity(20);
        push_decimal(&mut digits, number);
        digits
    };
    let mut all = Vec::with_capacity(HEADERS.len());
    all.push(written(trace_name, number(trace_id.lower()))?);
    all.push(written(span_name, number(span_id.get()))?);
    if let Some(priority) = priority {
        all.push(written(priority_name, priority)?);
    }
    if let Some(origin) = found.and_then(|found| found.origin).filter(|origin| is_plain(origin)) {
        all.push(written(origin_name, origin)?);
    }
    let tags = written_tags(found.and_then(|found| found.tags).unwrap_or_default(), trace_id.upper());
    if !tags.is_empty() {
        all.push(written(tags_name, tags)?);
    }
    Some(all)
}

/// The tags with another upper half of the trace id, in the place of the former one.
fn written_tags(tags: &[u8], upper: u64) -> Vec<u8> {
    let mut all = Vec::new();
    let mut push = |prefix: &[u8], rest: &dyn Fn(&mut Vec<u8>)| {
        if !all.is_empty() {
            all.push(b',');
        }
        all.extend_from_slice(prefix);
        rest(&mut all);
    };
    let push_upper = |all: &mut Vec<u8>| push_hex(all, upper, 16);
    let mut is_due = upper != 0;
    if is_due && !each(tags).any(|tag| tag.starts_with(TID)) {
        push(TID, &push_upper);
    }
    for tag in each(tags).filter(|tag| is_plain(tag)) {
        if !tag.starts_with(TID) {
            push(tag, &|_| {});
        } else if is_due {
            push(TID, &push_upper);
            is_due = false;
        }
    }
    all
}
