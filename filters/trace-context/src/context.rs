//! What all formats have in common: the ids of a trace and of a span, and the sampling decision.

use std::num::{NonZeroU64, NonZeroU128};

/// The id of a trace, 128 bits. Never zero, which all formats refuse.
///
/// An id of 64 bits is padded: its upper half is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId(NonZeroU128);

impl TraceId {
    /// The smallest id.
    pub const MIN: Self = Self(NonZeroU128::MIN);

    /// An id; `None` if it is zero.
    #[must_use]
    pub const fn new(id: u128) -> Option<Self> {
        match NonZeroU128::new(id) {
            Some(id) => Some(Self(id)),
            None => None,
        }
    }

    /// An id of two halves; `None` if both are zero.
    #[must_use]
    pub const fn from_halves(upper: u64, lower: u64) -> Option<Self> {
        Self::new(((upper as u128) << 64) | lower as u128)
    }

    /// The id as a number.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0.get()
    }

    /// The upper 64 bits.
    #[must_use]
    pub const fn upper(self) -> u64 {
        (self.get() >> 64) as u64
    }

    /// The lower 64 bits. They may be zero if the upper half is not.
    #[must_use]
    pub const fn lower(self) -> u64 {
        self.get() as u64
    }

    /// Whether both may be the id of one trace. An id of 64 bits says nothing about the upper half.
    #[must_use]
    pub fn may_be(self, other: Self) -> bool {
        self == other || ((self.is_short() || other.is_short()) && self.lower() == other.lower())
    }

    /// Whether the upper half is zero, as that of an id of 64 bits. Formats that have such ids write it in 64 bits.
    #[must_use]
    pub const fn is_short(self) -> bool {
        self.upper() == 0
    }
}

/// The id of a span, 64 bits. Never zero, which means that there is no span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanId(NonZeroU64);

impl SpanId {
    /// The smallest id.
    pub const MIN: Self = Self(NonZeroU64::MIN);

    /// An id; `None` if it is zero.
    #[must_use]
    pub const fn new(id: u64) -> Option<Self> {
        match NonZeroU64::new(id) {
            Some(id) => Some(Self(id)),
            None => None,
        }
    }

    /// The id as a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

/// Whether the spans of a trace are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// They are.
    Sampled,
    /// They are not.
    NotSampled,
    /// They are, and no later stage may drop them.
    Debug,
    /// The next hop decides.
    Deferred,
}

impl Decision {
    /// Whether spans are recorded. Nothing is, before it is decided.
    #[must_use]
    pub const fn is_sampled(self) -> bool {
        matches!(self, Self::Sampled | Self::Debug)
    }
}

/// A request's place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace_id: TraceId,
    /// The caller's span; `None` if the caller has none. No id is ever invented for it.
    pub span_id: Option<SpanId>,
    /// Whether the trace is recorded.
    pub decision: Decision,
    /// Whether the last 56 bits of the trace id are known to be random (W3C Trace Context Level 2, section "Random Trace ID
    /// Flag"). Other formats do not tell, which counts as no.
    pub is_random: bool,
}
