//! The parent of the caller's span, which B3 and Jaeger have, and a context does not.

use super::{b3, b3_multi, jaeger};
use crate::context::{SpanId, TraceContext};
use mesh_policy::headers::Headers;

/// The parent of a context's span, from the first of these formats that names the same trace and span.
pub(super) fn find(headers: &Headers, of: &TraceContext) -> Option<SpanId> {
    let single = || b3::parsed(headers).ok()??.parent_of(of);
    let multi = || b3_multi::parse(headers).ok()??.parent_of(of);
    let jaeger = || jaeger::parsed(headers).ok()??.of(of)?.parent;
    single().or_else(multi).or_else(jaeger)
}
