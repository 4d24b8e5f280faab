//! Trailers, as a filter sees them.

use super::edit;
use crate::abi::HeaderMap;
use crate::direction::Direction;
use crate::status::Status;
use crate::timers_and_calls::TimersAndCalls;
use mesh_policy::effects::Edit;
use mesh_policy::headers::Headers;
use std::rc::Rc;
use std::time::Duration;

/// The trailers of a request or a response. Its headers have been sent on.
///
/// A client chooses trailers as freely as headers, and an upstream may treat both alike.
pub struct Trailers {
    map: HeaderMap,
    fetched: Option<Headers>,
    timers_and_calls: Rc<TimersAndCalls>,
    /// Position in the chain of the filter that sees the trailers.
    pub(crate) filter: usize,
}

impl Trailers {
    pub(crate) const fn new(direction: Direction, timers_and_calls: Rc<TimersAndCalls>) -> Self {
        let map = match direction {
            Direction::Request => HeaderMap::RequestTrailers,
            Direction::Response => HeaderMap::ResponseTrailers,
        };
        Self { map, fetched: None, timers_and_calls, filter: 0 }
    }

    /// The trailers, with the edits of earlier filters. Fetched once.
    pub fn headers(&mut self) -> Result<&Headers, Status> {
        edit::fetch(self.map, &mut self.fetched)
    }

    /// The first value of one trailer. Does not fetch the others.
    pub fn first(&self, name: &str) -> Result<Option<Vec<u8>>, Status> {
        match &self.fetched {
            Some(trailers) => Ok(trailers.first(name).map(<[u8]>::to_vec)),
            None => edit::first(self.map, name),
        }
    }

    /// Asks for one [`Filter::on_tick`](crate::Filter::on_tick) of this filter after `time`, in this worker.
    pub fn tick_after(&self, time: Duration) {
        self.timers_and_calls.tick_after(self.filter, time);
    }

    /// Applies an edit. If it fails, the trailers may be changed in part.
    pub fn edit(&mut self, edit: &Edit) -> Result<(), Status> {
        edit::apply(self.map, self.fetched.as_mut(), edit)
    }
}
