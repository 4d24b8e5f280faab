//! W3C Trace Context Level 2: `traceparent` (<https://www.w3.org/TR/trace-context-2/>, section "Traceparent Header").
//!
//! `tracestate` is judged by [`crate::tracestate`] and never written.

use crate::context::{Decision, TraceContext};
use crate::digits::{Case, hex, push_hex, push_span_id, push_trace_id, span_id, trace_id};
use crate::header::{Written, only, written};
use crate::invalid::Invalid;
use crate::read::Read;
use mesh_policy::headers::{HeaderName, Headers};

/// The headers of the format.
pub static HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("traceparent"), HeaderName::from_static("tracestate")];

/// Length of a value of version 00, and the least of a later version.
const LENGTH: usize = 55;
/// Section "Sampled Flag".
const SAMPLED: u64 = 1;
/// Section "Random Trace ID Flag".
const RANDOM: u64 = 2;

/// A `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traceparent {
    /// The version of the format, 0 to 254.
    pub version: u8,
    /// What it says.
    pub context: TraceContext,
}

impl Traceparent {
    /// Reads a value: `00-<32 hex>-<16 hex>-<2 hex>`, in lower case.
    ///
    /// Of a later version the same fields are read, and anything may follow behind another `-` (section "Versioning of
    /// traceparent"). Flags that are not known are ignored.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(value: &[u8]) -> Result<Self, Invalid> {
        let Some(([high, low, b'-'], rest)) = value.split_first_chunk() else { return Err(Invalid::Version) };
        let version = hex(&[*high, *low], Case::Lower).map_err(|_| Invalid::Version)? as u8;
        if version == u8::MAX {
            return Err(Invalid::Version);
        }
        if value.len() < LENGTH || version == 0 && value.len() > LENGTH {
            return Err(Invalid::Length);
        }
        let (trace, rest) = field::<32>(rest)?;
        let (span, rest) = field::<16>(rest)?;
        let (flags, rest) = rest.split_first_chunk::<2>().ok_or(Invalid::Length)?;
        if !matches!(rest, [] | [b'-', ..]) {
            return Err(Invalid::Grammar);
        }
        let (trace_id, span_id) = (trace_id(trace, Case::Lower)?, span_id(span, Case::Lower)?);
        let flags = hex(flags, Case::Lower)?;
        let decision = if flags & SAMPLED == 0 { Decision::NotSampled } else { Decision::Sampled };
        let is_random = flags & RANDOM != 0;
        Ok(Self { version, context: TraceContext { trace_id, span_id: Some(span_id), decision, is_random } })
    }
}

/// Takes a field and the `-` behind it.
fn field<const N: usize>(rest: &[u8]) -> Result<(&[u8; N], &[u8]), Invalid> {
    let (field, rest) = rest.split_first_chunk::<N>().ok_or(Invalid::Length)?;
    Ok((field, rest.strip_prefix(b"-").ok_or(Invalid::Grammar)?))
}

/// Reads `traceparent`.
pub(crate) fn read(headers: &Headers) -> Read {
    parsed(headers).map(|parent| parent.map(|parent| parent.context)).into()
}

/// Whether there is a valid `traceparent` of version 00.
pub(crate) fn is_of_this_version(headers: &Headers) -> bool {
    matches!(parsed(headers), Ok(Some(Traceparent { version: 0, .. })))
}

fn parsed(headers: &Headers) -> Result<Option<Traceparent>, Invalid> {
    let [name, _] = &HEADERS;
    only(headers, name)?.map(Traceparent::parse).transpose()
}

/// Writes `traceparent`, in version 00.
pub(crate) fn write(context: &TraceContext) -> Option<Vec<Written>> {
    let [name, _] = &HEADERS;
    let span_id = context.span_id?;
    let mut value = Vec::with_capacity(LENGTH);
    value.extend_from_slice(b"00-");
    push_trace_id(&mut value, context.trace_id);
    value.push(b'-');
    push_span_id(&mut value, span_id);
    value.push(b'-');
    let random = if context.is_random { RANDOM } else { 0 };
    push_hex(&mut value, random | u64::from(context.decision.is_sampled()), 2);
    Some(vec![written(name, value)?])
}
