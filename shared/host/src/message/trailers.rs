//! Trailers, as a filter sees them.

use super::edit;
use crate::abi::HeaderMap;
use crate::direction::Direction;
use crate::status::Status;
use mesh_policy::effects::Edit;
use mesh_policy::headers::Headers;

/// The trailers of a request or a response. Its headers have been sent on.
///
/// A client chooses trailers as freely as headers, and an upstream may treat both alike.
pub struct Trailers {
    map: HeaderMap,
    fetched: Option<Headers>,
}

impl Trailers {
    pub(crate) const fn new(direction: Direction) -> Self {
        let map = match direction {
            Direction::Request => HeaderMap::RequestTrailers,
            Direction::Response => HeaderMap::ResponseTrailers,
        };
        Self { map, fetched: None }
    }

    /// The trailers, with the edits of earlier filters. Fetched once.
    pub fn headers(&mut self) -> Result<&Headers, Status> {
        edit::fetch(self.map, &mut self.fetched)
    }

    /// Applies an edit. If it fails, the trailers may be changed in part.
    pub fn edit(&mut self, edit: &Edit) -> Result<(), Status> {
        edit::apply(self.map, self.fetched.as_mut(), edit)
    }
}
