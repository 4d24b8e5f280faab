//! What a request loses at the boundary of a trace, in every spelling that an upstream may read as the name of such a header.

use super::Policy;
use super::others::{comes_with_formats, is_of_other_tracer};
use crate::baggage;
use crate::config::Boundary;
use crate::format::Format;
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, Headers};
use mesh_policy::mode::Mode;

/// Headers to remove.
#[derive(Debug, Default)]
pub(super) struct Doomed {
    pub(super) names: Vec<HeaderName>,
    /// Whether there are others that cannot be removed: their bytes are not a header name.
    pub(super) misses_some: bool,
}

impl Doomed {
    /// The headers whose names pass.
    fn among(headers: &Headers, passes: impl Fn(&[u8]) -> bool) -> Self {
        let mut doomed = Self::default();
        for (found, _) in headers.iter().filter(|(found, _)| passes(found)) {
            match std::str::from_utf8(found).ok().and_then(HeaderName::new) {
                Some(name) if doomed.names.contains(&name) => {}
                Some(name) => doomed.names.push(name),
                None => doomed.misses_some = true,
            }
        }
        doomed
    }
}

/// What belongs to the formats that the filter reads; and baggage, if that is wanted.
pub(super) fn formats(headers: &Headers, with_baggage: bool) -> Doomed {
    Doomed::among(headers, |found| {
        is_of_format(found) || comes_with_formats(found) || (with_baggage && is_baggage(found))
    })
}

/// Everything that tells of a trace.
pub(super) fn everything(headers: &Headers) -> Doomed {
    Doomed::among(headers, |found| is_of_format(found) || is_baggage(found) || is_of_other_tracer(found))
}

fn is_of_format(found: &[u8]) -> bool {
    Format::ALL.iter().flat_map(|format| format.headers()).any(|name| name.is_same_variable(found))
}

fn is_baggage(found: &[u8]) -> bool {
    baggage::HEADER.is_same_variable(found)
}

impl Policy {
    /// What a request's trailers lose: an upstream may take them for headers. Their baggage is not filtered, so none passes
    /// where traces are begun anew.
    pub(super) fn trailers(&self, trailers: &Headers) -> Vec<Edit> {
        let doomed = match self.config.boundary {
            _ if self.config.settings.mode != Mode::Enforce => Doomed::default(),
            Boundary::Continue => Doomed::default(),
            Boundary::Restart => formats(trailers, true),
            Boundary::Strip => everything(trailers),
        };
        doomed.names.into_iter().map(Edit::Remove).collect()
    }
}
