//! What a request loses at the boundary of a trace.

use crate::baggage;
use crate::format::Format;
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, Headers, Unchangeable, spellings, spellings_where};

/// Headers of formats that the filter does not read, by the beginnings of their names.
const OTHERS: [&str; 8] = [
    "x-ot-span-context",
    "ot-tracer-",
    "ot-baggage-",
    "grpc-trace-bin",
    "sw8",
    "uberctx-",
    "jaeger-debug-id",
    "x-client-trace-id",
];

/// Removes the headers of all formats that the filter reads, in every spelling, and baggage if that is wanted.
pub(super) fn formats(headers: &Headers, with_baggage: bool) -> Result<Vec<Edit>, Unchangeable> {
    let mut names: Vec<HeaderName> =
        Format::ALL.iter().flat_map(|format| format.headers()).cloned().collect();
    names.extend(Some(baggage::HEADER).filter(|_| with_baggage));
    Ok(spellings(headers, &names)?.into_iter().map(Edit::Remove).collect())
}

/// Removes everything that tells of a trace.
pub(super) fn strip(headers: &Headers) -> Result<Vec<Edit>, Unchangeable> {
    let mut edits = formats(headers, true)?;
    let others = spellings_where(headers, |name, _| OTHERS.iter().any(|other| begins_like(name, other)))?;
    edits.extend(others.into_iter().map(Edit::Remove));
    Ok(edits)
}

/// Whether a name begins with another one, in any spelling that an upstream may read as it.
fn begins_like(name: &[u8], other: &str) -> bool {
    let folded = |byte: &u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'_' };
    let start = name.get(..other.len());
    start.is_some_and(|start| start.iter().map(folded).eq(other.as_bytes().iter().map(folded)))
}
