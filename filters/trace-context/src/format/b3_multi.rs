//! B3 in several headers, `x-b3-…` (<https://github.com/openzipkin/b3-propagation>, "Multiple Headers").
//!
//! Of state headers that are sent several times, the specification takes the first. Here they are invalid, as in all formats:
//! which one the next service reads is not known.

use super::b3::{B3, read_span_id, read_trace_id};
use crate::context::{Decision, SpanId, TraceContext};
use crate::digits::{push_short_trace_id, push_span_id};
use crate::header::{Written, only, written};
use crate::invalid::Invalid;
use crate::read::Read;
use mesh_policy::headers::{HeaderName, Headers};

/// The headers of the format.
pub static HEADERS: [HeaderName; 5] = [
    HeaderName::from_static("x-b3-traceid"),
    HeaderName::from_static("x-b3-spanid"),
    HeaderName::from_static("x-b3-parentspanid"),
    HeaderName::from_static("x-b3-sampled"),
    HeaderName::from_static("x-b3-flags"),
];

/// Reads the headers; `None` if there are none.
///
/// `x-b3-flags: 1` means debug, and any other value nothing ("Debug Flag"). The state may be `true` or `false` as well, as
/// older tracers wrote it ("Sampling State").
///
/// # Errors
/// Why they are invalid.
pub fn parse(headers: &Headers) -> Result<Option<B3>, Invalid> {
    let [trace, span, parent, sampled, flags] = &HEADERS;
    let (trace, span, parent) = (only(headers, trace)?, only(headers, span)?, only(headers, parent)?);
    let sampled = only(headers, sampled)?.map(state).transpose()?;
    let is_debug = only(headers, flags)? == Some(b"1");
    let decision = if is_debug { Some(Decision::Debug) } else { sampled };
    match (trace, span) {
        (Some(trace), Some(span)) => {
            let (trace_id, span_id) = (read_trace_id(trace)?, read_span_id(span)?);
            let parent = parent.map(read_span_id).transpose()?;
            let decision = decision.unwrap_or(Decision::Deferred);
            let context = TraceContext { trace_id, span_id: Some(span_id), decision, is_random: false };
            Ok(Some(B3::Context { context, parent }))
        }
        (None, None) if parent.is_none() => Ok(decision.map(B3::Decision)),
        _ => Err(Invalid::Incomplete),
    }
}

fn state(value: &[u8]) -> Result<Decision, Invalid> {
    match value {
        b"0" | b"false" => Ok(Decision::NotSampled),
        b"1" | b"true" => Ok(Decision::Sampled),
        _ => Err(Invalid::Sampling),
    }
}

/// Reads the headers.
pub(crate) fn read(headers: &Headers) -> Read {
    match parse(headers) {
        Ok(None) => Read::Missing,
        Ok(Some(b3)) => b3.into(),
        Err(invalid) => Read::Invalid(invalid),
    }
}

/// Writes the headers. Debug is written without `x-b3-sampled`.
pub(crate) fn write(context: &TraceContext, parent: Option<SpanId>) -> Option<Vec<Written>> {
    let [trace_name, span_name, parent_name, sampled_name, flags_name] = &HEADERS;
    let span_id = context.span_id?;
    let mut trace = Vec::with_capacity(32);
    push_short_trace_id(&mut trace, context.trace_id);
    let hex = |span_id| {
        let mut digits = Vec::with_capacity(16);
        push_span_id(&mut digits, span_id);
        digits
    };
    let mut all = Vec::with_capacity(4);
    all.push(written(trace_name, trace)?);
    all.push(written(span_name, hex(span_id))?);
    if let Some(parent) = parent {
        all.push(written(parent_name, hex(parent))?);
    }
    match context.decision {
        Decision::NotSampled => all.push(written(sampled_name, b"0")?),
        Decision::Sampled => all.push(written(sampled_name, b"1")?),
        Decision::Debug => all.push(written(flags_name, b"1")?),
        Decision::Deferred => {}
    }
    Some(all)
}
