//! AWS X-Ray: `x-amzn-trace-id` (<https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>;
//! fields that load balancers and applications add:
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html>).

use crate::context::{Decision, SpanId, TraceContext, TraceId};
use crate::digits::{Case, push_hex, push_span_id, span_id, trace_id};
use crate::header::{Written, is_plain, only, split_once, written};
use crate::invalid::Invalid;
use crate::read::Read;
use mesh_policy::headers::{HeaderName, Headers, trimmed};

/// The headers of the format.
pub static HEADERS: [HeaderName; 1] = [HeaderName::from_static("x-amzn-trace-id")];

/// An `x-amzn-trace-id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Xray<'a> {
    /// The ids and the decision.
    pub context: TraceContext,
    /// The value as it came, with fields such as `Self` and `Lineage`.
    pub value: &'a [u8],
}

impl<'a> Xray<'a> {
    /// Reads a value: fields `key=value` in any order, separated by semicolons, each once.
    ///
    /// `Root=1-<8 hex>-<24 hex>` is the trace: the time at which it began, in seconds since 1970, and a random number; the
    /// 32 digits together are its id. `Parent=<16 hex>` is the span, if there is one. `Sampled` is `0` or `1`; `?` asks the
    /// next hop to decide, and so does its absence.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(value: &'a [u8]) -> Result<Self, Invalid> {
        let (mut trace, mut span, mut decision) = (None, None, None);
        for (key, field) in fields(value) {
            let field = field.ok_or(Invalid::Grammar)?;
            let is_repeated = match key {
                b"Root" => trace.replace(root(field)?).is_some(),
                b"Parent" => span.replace(span_id(field, Case::Any)?).is_some(),
                b"Sampled" => decision.replace(sampled(field)?).is_some(),
                _ => false,
            };
            if is_repeated {
                return Err(Invalid::Repeated);
            }
        }
        let trace_id = trace.ok_or(Invalid::Incomplete)?;
        let decision = decision.unwrap_or(Decision::Deferred);
        Ok(Self { context: TraceContext { trace_id, span_id: span, decision, is_random: false }, value })
    }

    /// The fields that are not part of a context, as they came.
    fn others(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        fields(self.value)
            .filter_map(|(key, field)| Some((key, field?)))
            .filter(|(key, _)| !matches!(*key, b"Root" | b"Parent" | b"Sampled"))
    }
}

fn fields(value: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    let parts = value.split(|byte| *byte == b';').map(trimmed);
    parts.filter(|part| !part.is_empty()).map(|part| split_once(part, b'='))
}

fn root(field: &[u8]) -> Result<TraceId, Invalid> {
    let rest = field.strip_prefix(b"1-").ok_or(Invalid::Version)?;
    let (time, rest) = rest.split_first_chunk::<8>().ok_or(Invalid::Length)?;
    let number = rest.strip_prefix(b"-").ok_or(Invalid::Grammar)?;
    let number: &[u8; 24] = number.try_into().map_err(|_| Invalid::Length)?;
    let mut digits = [0; 32];
    for (digit, byte) in digits.iter_mut().zip(time.iter().chain(number)) {
        *digit = *byte;
    }
    trace_id(&digits, Case::Any)
}

fn sampled(field: &[u8]) -> Result<Decision, Invalid> {
    match field {
        b"0" => Ok(Decision::NotSampled),
        b"1" => Ok(Decision::Sampled),
        b"?" => Ok(Decision::Deferred),
        _ => Err(Invalid::Sampling),
    }
}

/// Reads `x-amzn-trace-id`.
pub(crate) fn read(headers: &Headers) -> Read {
    parsed(headers).map(|xray| xray.map(|xray| xray.context)).into()
}

fn parsed(headers: &Headers) -> Result<Option<Xray<'_>>, Invalid> {
    let [name] = &HEADERS;
    only(headers, name)?.map(Xray::parse).transpose()
}

/// Writes `x-amzn-trace-id`. The other fields of the same trace in `headers` are kept, behind the rest.
pub(crate) fn write(headers: &Headers, context: &TraceContext) -> Option<Vec<Written>> {
    let [name] = &HEADERS;
    let TraceContext { trace_id, span_id, decision, .. } = *context;
    let found = parsed(headers).ok().flatten().filter(|found| found.context.trace_id == trace_id);
    let mut value = Vec::with_capacity(7 + 8 + 1 + 24 + 24 + 10);
    value.extend_from_slice(b"Root=1-");
    push_hex(&mut value, trace_id.upper() >> 32, 8);
    value.push(b'-');
    push_hex(&mut value, trace_id.upper(), 8);
    push_hex(&mut value, trace_id.lower(), 16);
    if let Some(span_id) = span_id {
        push_parent(&mut value, span_id);
    }
    value.extend_from_slice(match decision {
        Decision::NotSampled => b";Sampled=0".as_slice(),
        Decision::Sampled | Decision::Debug => b";Sampled=1",
        Decision::Deferred => b"",
    });
    for (key, field) in found.iter().flat_map(Xray::others) {
        if is_plain(key) && is_plain(field) {
            value.push(b';');
            value.extend_from_slice(key);
            value.push(b'=');
            value.extend_from_slice(field);
        }
    }
    Some(vec![written(name, value)?])
}

fn push_parent(value: &mut Vec<u8>, span_id: SpanId) {
    value.extend_from_slice(b";Parent=");
    push_span_id(value, span_id);
}
