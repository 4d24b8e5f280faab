//! What a request says of its trace, in all its formats together.

use super::metric::Metric;
use crate::context::{Decision, TraceContext};
use crate::format::{Format, Invalid};
use mesh_policy::verdict::Count;

/// The trace of a request.
pub(super) struct Traced {
    pub(super) origin: Origin,
    /// Its place in the trace; `None` if it belongs to none.
    pub(super) context: Option<TraceContext>,
    /// What stands for a deferred decision, where a header of the request says so.
    stated: Option<Decision>,
    /// The first decision without ids.
    pub(super) alone: Option<Decision>,
    pub(super) counts: Vec<Count<Metric>>,
}

impl Traced {
    pub(super) const fn new(origin: Origin, context: Option<TraceContext>) -> Self {
        Self { origin, context, stated: None, alone: None, counts: Vec::new() }
    }

    /// The decision, where one came: that of the context, else of another format of the same trace, else one without ids.
    pub(super) fn decision(&self) -> Decision {
        match self.context.map(|context| context.decision) {
            None | Some(Decision::Deferred) => self.stated.or(self.alone).unwrap_or(Decision::Deferred),
            Some(decision) => decision,
        }
    }

    /// Takes over what another format says of the same trace.
    pub(super) fn complete(&mut self, context: TraceContext, other: &TraceContext) {
        if other.decision != Decision::Deferred {
            self.stated.get_or_insert(other.decision);
        }
        if context.trace_id.is_short() && !other.trace_id.is_short() {
            let TraceContext { trace_id, is_random, .. } = *other;
            self.context = Some(TraceContext { trace_id, is_random, ..context });
        }
    }
}

/// Where the trace of a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// From its headers in this format.
    Extracted(Format),
    /// It is new.
    Generated,
    /// It has none: its headers in this format are invalid.
    Invalid(Format, Invalid),
    /// It has none.
    Missing,
}
