//! Jaeger: `uber-trace-id` (<https://www.jaegertracing.io/docs/1.21/client-libraries/#propagation-format>).

use crate::context::{Decision, SpanId, TraceContext};
use crate::digits::{Case, hex, push_hex, push_short_trace_id, push_span_id, trace_id};
use crate::header::{Written, only, written};
use crate::invalid::Invalid;
use crate::read::Read;
use mesh_policy::headers::{HeaderName, Headers};

/// The headers of the format.
pub static HEADERS: [HeaderName; 1] = [HeaderName::from_static("uber-trace-id")];
const SAMPLED: u8 = 1;
const DEBUG: u8 = 2;

/// An `uber-trace-id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jaeger {
    /// The ids and the decision.
    pub context: TraceContext,
    /// The parent of the caller's span. Deprecated; zero, which most clients write, is none.
    pub parent: Option<SpanId>,
    /// Flags other than sampled and debug, such as 8, "firehose".
    pub other_flags: u8,
}

impl Jaeger {
    /// Reads a value: `<trace>:<span>:<parent>:<flags>` in hexadecimal, with at most 32, 16, 16 and 2 digits, as leading
    /// zeros may be missing. The colons may be URL-encoded, as some clients encode the whole value.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(value: &[u8]) -> Result<Self, Invalid> {
        let [trace, span, parent, flags] = fields(value).ok_or(Invalid::Grammar)?;
        if trace.is_empty() || trace.len() > 32 {
            return Err(Invalid::Length);
        }
        let trace_id = trace_id(trace, Case::Any)?;
        let span_id = SpanId::new(number(span, 16)?).ok_or(Invalid::ZeroId)?;
        let parent = SpanId::new(number(parent, 16)?);
        let flags = number(flags, 2)? as u8;
        let decision = match flags {
            _ if flags & DEBUG != 0 => Decision::Debug,
            _ if flags & SAMPLED != 0 => Decision::Sampled,
            _ => Decision::NotSampled,
        };
        let context = TraceContext { trace_id, span_id: Some(span_id), decision, is_random: false };
        Ok(Self { context, parent, other_flags: flags & !(SAMPLED | DEBUG) })
    }

    /// This, if it names the trace and the span of a context.
    pub(super) fn of(self, of: &TraceContext) -> Option<Self> {
        (self.context.trace_id == of.trace_id && self.context.span_id == of.span_id).then_some(self)
    }
}

/// A number of one to `max` hexadecimal digits.
fn number(digits: &[u8], max: usize) -> Result<u64, Invalid> {
    if digits.is_empty() || digits.len() > max { Err(Invalid::Length) } else { hex(digits, Case::Any) }
}

fn fields(value: &[u8]) -> Option<[&[u8]; 4]> {
    let (trace, rest) = cut(value)?;
    let (span, rest) = cut(rest)?;
    let (parent, flags) = cut(rest)?;
    let is_last = !flags.iter().any(|byte| is_separator(*byte));
    is_last.then_some([trace, span, parent, flags])
}

/// Whether this is a colon or begins an encoded one.
const fn is_separator(byte: u8) -> bool {
    matches!(byte, b':' | b'%')
}

/// Cuts a value at the first colon.
fn cut(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = value.iter().position(|byte| is_separator(*byte))?;
    let (field, rest) = value.split_at_checked(at)?;
    let colon = |colon: &[u8]| rest.strip_prefix(colon);
    Some((field, colon(b":").or_else(|| colon(b"%3A")).or_else(|| colon(b"%3a"))?))
}

/// Reads `uber-trace-id`.
pub(crate) fn read(headers: &Headers) -> Read {
    parsed(headers).map(|jaeger| jaeger.map(|jaeger| jaeger.context)).into()
}

/// Parses `uber-trace-id`.
pub(super) fn parsed(headers: &Headers) -> Result<Option<Jaeger>, Invalid> {
    let [name] = &HEADERS;
    only(headers, name)?.map(Jaeger::parse).transpose()
}

/// Writes `uber-trace-id`. The other flags of the same span in `headers` are kept.
pub(crate) fn write(
    headers: &Headers,
    context: &TraceContext,
    parent: Option<SpanId>,
) -> Option<Vec<Written>> {
    let [name] = &HEADERS;
    let span_id = context.span_id?;
    let other_flags =
        parsed(headers).ok().flatten().and_then(|found| found.of(context)).map(|found| found.other_flags);
    let mut value = Vec::with_capacity(32 + 1 + 16 + 1 + 16 + 1 + 2);
    push_short_trace_id(&mut value, context.trace_id);
    value.push(b':');
    push_span_id(&mut value, span_id);
    value.push(b':');
    match parent {
        Some(parent) => push_span_id(&mut value, parent),
        None => value.push(b'0'),
    }
    value.push(b':');
    let decision = match context.decision {
        Decision::Debug => SAMPLED | DEBUG,
        Decision::Sampled => SAMPLED,
        Decision::NotSampled | Decision::Deferred => 0,
    };
    let flags = decision | other_flags.unwrap_or(0);
    push_hex(&mut value, u64::from(flags), if flags < 0x10 { 1 } else { 2 });
    Some(vec![written(name, value)?])
}
