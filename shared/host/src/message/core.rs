//! What the filters of a chain share of one stream.

use super::facts::Fetched;
use crate::timers_and_calls::TimersAndCalls;
use mesh_policy::headers::Headers;
use std::rc::Rc;

/// What was fetched of a stream, once for all filters.
pub(crate) struct Core {
    pub(crate) id: u32,
    pub(crate) timers_and_calls: Rc<TimersAndCalls>,
    /// Whether the request ends with its headers.
    pub(crate) request_ends: bool,
    /// Whether the response does.
    pub(crate) response_ends: bool,
    pub(crate) request: Option<Headers>,
    /// What the filter that sees the request has removed of it.
    pub(crate) removed: Headers,
    pub(crate) response: Option<Headers>,
    pub(crate) fetched: Fetched,
}

impl Core {
    pub(crate) fn new(id: u32, timers_and_calls: Rc<TimersAndCalls>) -> Self {
        Self {
            id,
            timers_and_calls,
            request_ends: false,
            response_ends: false,
            request: None,
            removed: Headers::EMPTY,
            response: None,
            fetched: Fetched::default(),
        }
    }

    /// Frees the headers while the stream waits: they can be fetched again, unlike what was removed, and claims.
    pub(crate) fn release_headers(&mut self) {
        self.request = None;
        self.response = None;
        self.fetched.forget_paths();
    }

    /// Frees what was fetched.
    pub(crate) fn release(&mut self) {
        self.request = None;
        self.removed = Headers::EMPTY;
        self.response = None;
        self.fetched = Fetched::default();
    }
}
