//! Google Cloud Trace: `x-cloud-trace-context` (<https://cloud.google.com/trace/docs/trace-context#legacy-http-header>).

use crate::context::{Decision, SpanId, TraceContext};
use crate::digits::{Case, decimal, push_decimal, push_trace_id, trace_id};
use crate::header::{Written, only, split_once, written};
use crate::invalid::Invalid;
use crate::read::Read;
use mesh_policy::headers::{HeaderName, Headers};

/// The headers of the format.
pub static HEADERS: [HeaderName; 1] = [HeaderName::from_static("x-cloud-trace-context")];

/// Reads a value: `<32 hex>[/<decimal span>][;o=<options>]`.
///
/// A span of 0 is that of a trace without one. The options are a decimal number, of which bit 0 means sampled; without them
/// the next hop decides.
///
/// # Errors
/// Why it is none.
pub fn parse(value: &[u8]) -> Result<TraceContext, Invalid> {
    let (ids, options) = split_once(value, b';');
    let (trace, span) = split_once(ids, b'/');
    if trace.len() != 32 {
        return Err(Invalid::Length);
    }
    let trace_id = trace_id(trace, Case::Any)?;
    let span_id = SpanId::new(span.map_or(Ok(0), decimal)?);
    let decision = match options {
        None => Decision::Deferred,
        Some(options) => match decimal(options.strip_prefix(b"o=").ok_or(Invalid::Grammar)?)? & 1 {
            0 => Decision::NotSampled,
            _ => Decision::Sampled,
        },
    };
    Ok(TraceContext { trace_id, span_id, decision, is_random: false })
}

/// Reads `x-cloud-trace-context`.
pub(crate) fn read(headers: &Headers) -> Read {
    let [name] = &HEADERS;
    only(headers, name).and_then(|value| value.map(parse).transpose()).into()
}

/// Writes `x-cloud-trace-context`. The span is always written, as 0 if there is none: some libraries need it.
pub(crate) fn write(context: &TraceContext) -> Option<Vec<Written>> {
    let [name] = &HEADERS;
    let mut value = Vec::with_capacity(32 + 1 + 20 + 4);
    push_trace_id(&mut value, context.trace_id);
    value.push(b'/');
    push_decimal(&mut value, context.span_id.map_or(0, SpanId::get));
    value.extend_from_slice(match context.decision {
        Decision::NotSampled => b";o=0".as_slice(),
        Decision::Sampled | Decision::Debug => b";o=1",
        Decision::Deferred => b"",
    });
    Some(vec![written(name, value)?])
}
