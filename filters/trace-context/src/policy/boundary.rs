//! What a request loses at the boundary of a trace: names of headers, in every spelling that an upstream may read as one.

use super::others::is_of_other_tracer;
use crate::baggage;
use crate::format::Format;
use mesh_policy::headers::{HeaderName, Headers, Unchangeable, spellings, spellings_where};

/// The headers of all formats that the filter reads, and baggage if that is wanted.
pub(super) fn formats(headers: &Headers, with_baggage: bool) -> Result<Vec<HeaderName>, Unchangeable> {
    let mut names: Vec<HeaderName> =
        Format::ALL.iter().flat_map(|format| format.headers()).cloned().collect();
    names.extend(Some(baggage::HEADER).filter(|_| with_baggage));
    spellings(headers, &names)
}

/// Everything that tells of a trace.
pub(super) fn everything(headers: &Headers) -> Result<Vec<HeaderName>, Unchangeable> {
    let mut names = formats(headers, true)?;
    names.extend(spellings_where(headers, |name, _| is_of_other_tracer(name))?);
    Ok(names)
}
