//! What a request says in one format.

use crate::context::{Decision, TraceContext};
use crate::invalid::Invalid;

/// What the headers of a format say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// Nothing: there are none.
    Missing,
    /// A sampling decision without ids: `b3: 0`. Only B3 has this.
    Decision(Decision),
    /// A place in a trace.
    Context(TraceContext),
    /// Nothing that can be used.
    Invalid(Invalid),
}

impl From<Result<Option<TraceContext>, Invalid>> for Read {
    fn from(parsed: Result<Option<TraceContext>, Invalid>) -> Self {
        match parsed {
            Ok(None) => Self::Missing,
            Ok(Some(context)) => Self::Context(context),
            Err(invalid) => Self::Invalid(invalid),
        }
    }
}
