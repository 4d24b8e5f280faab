//! Trailers, as a stage sees them.

use super::edit::Map;
use crate::direction::Direction;
use crate::status::Status;
use mesh_policy::effects::Edit;
use mesh_policy::headers::Headers;

/// The trailers of a request or a response, behind its body. Its headers have gone on.
///
/// A client chooses what is in them as it chooses headers, and an upstream may read both alike.
pub struct Trailers {
    map: Map,
    copy: Option<Headers>,
}

impl Trailers {
    pub(crate) const fn new(direction: Direction) -> Self {
        let map = match direction {
            Direction::Request => Map::RequestTrailers,
            Direction::Response => Map::ResponseTrailers,
        };
        Self { map, copy: None }
    }

    /// The trailers. Fetched once; edits of the stages in front are in it.
    ///
    /// # Errors
    /// The host's status.
    pub fn headers(&mut self) -> Result<&Headers, Status> {
        let copy = match self.copy.take() {
            Some(copy) => copy,
            None => self.map.fetch()?,
        };
        Ok(self.copy.insert(copy))
    }

    /// Changes the trailers.
    ///
    /// # Errors
    /// The host's status; the trailers are then as they were, or changed in part.
    pub fn edit(&mut self, edit: &Edit) -> Result<(), Status> {
        self.map.apply(self.copy.as_mut(), edit)
    }
}
