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

/// The fields of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Root,
    Parent,
    Sampled,
}

impl Field {
    /// The fields with their keys, as the documentation spells them.
    const KEYS: [(Self, &'static [u8]); 3] =
        [(Self::Root, b"Root"), (Self::Parent, b"Parent"), (Self::Sampled, b"Sampled")];

    /// The field that has this key; `None` if it is not part of a context.
    ///
    /// Case does not matter, nor does anything around the key that is not visible ASCII: AWS's SDK for Node reads such a key
    /// in this way, so a second `Root` could hide in another spelling. OpenTelemetry's propagators for Java and JavaScript
    /// read any key that begins with `Root` as that, other libraries do not: such a key is not passed on.
    ///
    /// # Errors
    /// Libraries do not agree whether it is one.
    fn of(key: &[u8]) -> Result<Option<Self>, Invalid> {
        let begins_like = |name: &[u8], key: &[u8]| {
            key.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        let key = visible(key);
        match Self::KEYS.into_iter().find(|(_, name)| begins_like(name, key)) {
            Some((field, name)) if name.len() == key.len() => Ok(Some(field)),
            Some(_) => Err(Invalid::Grammar),
            None => Ok(None),
        }
    }
}

/// A key without what is around it.
fn visible(key: &[u8]) -> &[u8] {
    let (start, end) =
        (key.iter().position(u8::is_ascii_graphic), key.iter().rposition(u8::is_ascii_graphic));
    start.zip(end).and_then(|(start, end)| key.get(start..=end)).unwrap_or_default()
}

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
    /// next hop to decide, and so does its absence. Keys are read in any spelling that a library may read.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(value: &'a [u8]) -> Result<Self, Invalid> {
        let (mut trace, mut span, mut decision) = (None, None, None);
        for (key, field) in fields(value) {
            let field = field.ok_or(Invalid::Grammar)?;
            let is_repeated = match Field::of(key)? {
                Some(Field::Root) => trace.replace(root(field)?).is_some(),
                Some(Field::Parent) => span.replace(span_id(field, Case::Any)?).is_some(),
                Some(Field::Sampled) => decision.replace(sampled(field)?).is_some(),
                None => false,
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
            .filter(|(key, _)| Field::of(key) == Ok(None))
    }

    /// Whether the keys of the context are spelt as the documentation does. There are libraries that read nothing else.
    fn is_well_spelt(&self) -> bool {
        let is_well_spelt =
            |key| Field::of(key) == Ok(None) || Field::KEYS.iter().any(|(_, name)| *name == key);
        fields(self.value).all(|(key, _)| is_well_spelt(key))
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

/// Whether the keys of the context in `x-amzn-trace-id` are spelt as [`write`] does.
pub(crate) fn is_well_spelt(headers: &Headers) -> bool {
    parsed(headers).ok().flatten().is_some_and(|xray| xray.is_well_spelt())
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
