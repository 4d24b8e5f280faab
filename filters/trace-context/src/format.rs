//! The formats: their names, their headers, and what they can tell.

pub mod b3;
pub mod b3_multi;
pub mod datadog;
pub mod gcp;
pub mod jaeger;
mod parent;
pub mod w3c;
pub mod xray;

pub use crate::invalid::Invalid;
pub use crate::read::Read;

use crate::context::{Decision, TraceContext};
use mesh_config::kinds::Choice;
use mesh_policy::headers::{HeaderName, HeaderValue, Headers};

mesh_config::choice! {
    /// A format of trace headers.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Format {
        /// W3C Trace Context: `traceparent` and `tracestate`.
        W3c = "w3c",
        /// B3 in the single header `b3`.
        B3 = "b3",
        /// B3 in several headers: `x-b3-traceid` and others.
        B3Multi = "b3-multi",
        /// Jaeger: `uber-trace-id`.
        Jaeger = "jaeger",
        /// Datadog: `x-datadog-trace-id` and others.
        Datadog = "datadog",
        /// AWS X-Ray: `x-amzn-trace-id`.
        Xray = "xray",
        /// Google Cloud Trace: `x-cloud-trace-context`.
        Gcp = "gcp",
    }
}

impl Format {
    /// All formats.
    pub const ALL: &'static [Self] = <Self as Choice>::VALUES;

    /// The name in configs, counters and decisions.
    #[must_use]
    pub fn name(self) -> &'static str {
        <Self as Choice>::WORDS.get(self as usize).copied().unwrap_or_default()
    }

    /// The headers that belong to the format. Where its context is removed, all of them are.
    #[must_use]
    pub const fn headers(self) -> &'static [HeaderName] {
        match self {
            Self::W3c => &w3c::HEADERS,
            Self::B3 => &b3::HEADERS,
            Self::B3Multi => &b3_multi::HEADERS,
            Self::Jaeger => &jaeger::HEADERS,
            Self::Datadog => &datadog::HEADERS,
            Self::Xray => &xray::HEADERS,
            Self::Gcp => &gcp::HEADERS,
        }
    }

    /// Whether the format cannot name a trace without a span.
    #[must_use]
    pub const fn needs_span(self) -> bool {
        !matches!(self, Self::Xray | Self::Gcp)
    }

    /// Whether the format tells [`Decision::Debug`] from [`Decision::Sampled`] where it is read.
    #[must_use]
    pub const fn tells_debug(self) -> bool {
        matches!(self, Self::B3 | Self::B3Multi | Self::Jaeger)
    }

    /// Whether the format can leave the decision to the next hop.
    #[must_use]
    pub const fn tells_deferred(self) -> bool {
        !matches!(self, Self::W3c | Self::Jaeger)
    }
}

/// What a request's headers say in a format.
#[must_use]
pub fn read(format: Format, headers: &Headers) -> Read {
    match format {
        Format::W3c => w3c::read(headers),
        Format::B3 => b3::read(headers),
        Format::B3Multi => b3_multi::read(headers),
        Format::Jaeger => jaeger::read(headers),
        Format::Datadog => datadog::read(headers),
        Format::Xray => xray::read(headers),
        Format::Gcp => gcp::read(headers),
    }
}

/// The headers that say a context in a format. They replace all of [`Format::headers`], except for `tracestate`, which is
/// never written.
///
/// `fallback` stands for [`Decision::Deferred`] where the format does not have it; there, anything but sampled counts as
/// not sampled. `None` if the format [needs a span](Format::needs_span) and the context has none.
#[must_use]
pub fn write(
    format: Format,
    context: &TraceContext,
    fallback: Decision,
) -> Option<Vec<(HeaderName, HeaderValue)>> {
    write_over(format, &Headers::EMPTY, context, fallback)
}

/// Like [`write`], in place of the format's headers in a request. What a format has beyond a context is kept: of the same
/// trace, Datadog's origin, tags and priority, and X-Ray's other fields; of the same span, Jaeger's other flags, and the
/// parent, which B3 and Jaeger take from each other as well.
#[must_use]
pub fn write_over(
    format: Format,
    headers: &Headers,
    context: &TraceContext,
    fallback: Decision,
) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let decision = match context.decision {
        Decision::Deferred if !format.tells_deferred() && fallback.is_sampled() => Decision::Sampled,
        Decision::Deferred if !format.tells_deferred() => Decision::NotSampled,
        decision => decision,
    };
    let context = TraceContext { decision, ..*context };
    match format {
        Format::W3c => w3c::write(&context),
        Format::B3 => b3::write(&context, parent::find(headers, &context)),
        Format::B3Multi => b3_multi::write(&context, parent::find(headers, &context)),
        Format::Jaeger => jaeger::write(headers, &context, parent::find(headers, &context)),
        Format::Datadog => datadog::write(headers, &context),
        Format::Xray => xray::write(headers, &context),
        Format::Gcp => gcp::write(&context),
    }
}

/// Whether a request's headers say the same in a format: the same trace, the same span, and the same decision as far as the
/// format can tell. A `traceparent` of a later version does not, as it is sent on in version 00, and no `x-amzn-trace-id` with
/// keys in another spelling than the documented one, which not all libraries read.
#[must_use]
pub fn says(format: Format, headers: &Headers, context: &TraceContext) -> bool {
    let Read::Context(found) = read(format, headers) else { return false };
    let same_decision = match context.decision {
        Decision::Deferred if !format.tells_deferred() => true,
        Decision::Debug if !format.tells_debug() => found.decision == Decision::Sampled,
        decision => found.decision == decision,
    };
    found.trace_id == context.trace_id
        && found.span_id == context.span_id
        && same_decision
        && match format {
            Format::W3c => w3c::is_of_this_version(headers),
            Format::Xray => xray::is_well_spelt(headers),
            _ => true,
        }
}

#[cfg(test)]
mod tests;
