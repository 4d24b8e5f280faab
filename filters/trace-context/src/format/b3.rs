//! B3 in a single header, `b3` (<https://github.com/openzipkin/b3-propagation>, "Single Header").

use crate::context::{Decision, SpanId, TraceContext, TraceId};
use crate::digits::{Case, push_short_trace_id, push_span_id, span_id, trace_id};
use crate::header::{Written, only, written};
use crate::invalid::Invalid;
use crate::read::Read;
use mesh_policy::headers::{HeaderName, Headers};

/// The headers of the format.
pub static HEADERS: [HeaderName; 1] = [HeaderName::from_static("b3")];

/// What B3 says, in either encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum B3 {
    /// A decision without ids.
    Decision(Decision),
    /// A place in a trace.
    Context {
        /// The ids and the decision.
        context: TraceContext,
        /// The parent of the caller's span.
        parent: Option<SpanId>,
    },
}

impl B3 {
    /// Reads a value of the single header: `<32 or 16 hex>-<16 hex>[-<0, 1 or d>][-<16 hex>]` in lower case, or the state
    /// alone. The state and the parent are optional, also one by one: their lengths differ.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(value: &[u8]) -> Result<Self, Invalid> {
        let mut fields = value.split(|byte| *byte == b'-');
        let trace = fields.next().unwrap_or_default();
        let Some(span) = fields.next() else {
            // An id alone is not a state.
            let is_id = matches!(trace.len(), 16 | 32);
            return if is_id { Err(Invalid::Incomplete) } else { state(trace).map(Self::Decision) };
        };
        let (trace_id, span_id) = (read_trace_id(trace)?, read_span_id(span)?);
        let (decision, parent) = match (fields.next(), fields.next()) {
            (None, _) => (Decision::Deferred, None),
            (Some(parent), None) if parent.len() == 16 => (Decision::Deferred, Some(read_span_id(parent)?)),
            (Some(sampling), parent) => (state(sampling)?, parent.map(read_span_id).transpose()?),
        };
        if fields.next().is_some() {
            return Err(Invalid::Grammar);
        }
        let context = TraceContext { trace_id, span_id: Some(span_id), decision, is_random: false };
        Ok(Self::Context { context, parent })
    }

    /// The parent, if this names the trace and the span of a context.
    pub(super) fn parent_of(self, of: &TraceContext) -> Option<SpanId> {
        match self {
            Self::Context { context, parent }
                if context.trace_id == of.trace_id && context.span_id == of.span_id =>
            {
                parent
            }
            _ => None,
        }
    }
}

impl From<B3> for Read {
    fn from(b3: B3) -> Self {
        match b3 {
            B3::Decision(decision) => Self::Decision(decision),
            B3::Context { context, .. } => Self::Context(context),
        }
    }
}

/// A trace id of 16 or 32 digits.
pub(crate) fn read_trace_id(digits: &[u8]) -> Result<TraceId, Invalid> {
    if matches!(digits.len(), 16 | 32) { trace_id(digits, Case::Lower) } else { Err(Invalid::Length) }
}

/// A span id of 16 digits.
pub(crate) fn read_span_id(digits: &[u8]) -> Result<SpanId, Invalid> {
    span_id(digits, Case::Lower)
}

fn state(field: &[u8]) -> Result<Decision, Invalid> {
    match field {
        b"0" => Ok(Decision::NotSampled),
        b"1" => Ok(Decision::Sampled),
        b"d" => Ok(Decision::Debug),
        _ => Err(Invalid::Sampling),
    }
}

/// Reads `b3`.
pub(crate) fn read(headers: &Headers) -> Read {
    match parsed(headers) {
        Ok(None) => Read::Missing,
        Ok(Some(b3)) => b3.into(),
        Err(invalid) => Read::Invalid(invalid),
    }
}

/// Parses `b3`.
pub(super) fn parsed(headers: &Headers) -> Result<Option<B3>, Invalid> {
    let [name] = &HEADERS;
    only(headers, name)?.map(B3::parse).transpose()
}

/// Writes `b3`.
pub(crate) fn write(context: &TraceContext, parent: Option<SpanId>) -> Option<Vec<Written>> {
    let [name] = &HEADERS;
    let span_id = context.span_id?;
    let mut value = Vec::with_capacity(32 + 1 + 16 + 2 + 17);
    push_short_trace_id(&mut value, context.trace_id);
    value.push(b'-');
    push_span_id(&mut value, span_id);
    value.extend_from_slice(match context.decision {
        Decision::NotSampled => b"-0",
        Decision::Sampled => b"-1",
        Decision::Debug => b"-d",
        Decision::Deferred => b"",
    });
    if let Some(parent) = parent {
        value.push(b'-');
        push_span_id(&mut value, parent);
    }
    Some(vec![written(name, value)?])
}
