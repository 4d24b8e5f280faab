//! Sampling and new traces.

use crate::context::{Decision, SpanId, TraceContext, TraceId};
use mesh_policy::percent::Percentage;

/// How many bits of a trace id are random.
const RANDOM_BITS: u32 = 56;

/// OpenTelemetry's consistent probability sampling: a trace is sampled if the last 56 bits of its id are at least
/// (1 - share) * 2^56, so all who sample by the id agree
/// (<https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/>, "Consistent sampling decision approach").
///
/// The comparison is exact; OpenTelemetry may round its thresholds. A trace that is sampled stays so for a larger share.
#[must_use]
pub fn decide(trace_id: TraceId, share: Percentage) -> Decision {
    let million = Percentage::ALL.parts_per_million();
    let dropped = million.saturating_sub(share.parts_per_million());
    let randomness = trace_id.lower() & ((1 << RANDOM_BITS) - 1);
    // Both sides are below 2^77.
    let is_sampled = u128::from(randomness) * u128::from(million) >= u128::from(dropped) << RANDOM_BITS;
    if is_sampled { Decision::Sampled } else { Decision::NotSampled }
}

/// A new trace of random numbers, uniformly distributed over `u64`: the halves of its id, the upper one first, and its
/// first span. Ids that would be zero are 1.
#[must_use]
pub fn generate(random: (u64, u64), span: u64, share: Percentage) -> TraceContext {
    let trace_id = TraceId::from_halves(random.0, random.1).unwrap_or(TraceId::MIN);
    let span_id = SpanId::new(span).unwrap_or(SpanId::MIN);
    TraceContext { trace_id, span_id: Some(span_id), decision: decide(trace_id, share), is_random: true }
}

#[cfg(test)]
mod tests;
