//! A response, as a stage sees it.

use super::edit::Map;
use super::request::Core;
use crate::property;
use crate::status::Status;
use mesh_policy::effects::Edit;
use mesh_policy::headers::Headers;

/// A response whose headers have arrived and have not been sent on. There is no way from here to
/// the request's headers: the host would answer none.
pub struct Response<'a> {
    pub(crate) core: &'a mut Core,
}

impl Response<'_> {
    /// The stream's number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.core.id
    }

    /// The headers. Fetched once a stream; edits of the stages in front are in it.
    ///
    /// # Errors
    /// The host's status.
    pub fn headers(&mut self) -> Result<&Headers, Status> {
        let headers = match self.core.response.take() {
            Some(headers) => headers,
            None => Map::Response.fetch()?,
        };
        Ok(self.core.response.insert(headers))
    }

    /// Changes the headers.
    ///
    /// # Errors
    /// The host's status.
    pub fn edit(&mut self, edit: &Edit) -> Result<(), Status> {
        Map::Response.apply(self.core.response.as_mut(), edit)
    }

    /// An attribute of the proxy or the stream.
    ///
    /// # Errors
    /// The host's status.
    pub fn attribute(&self, path: &[&str]) -> Result<Option<Vec<u8>>, Status> {
        property::get(path)
    }

    /// Writes filter state `wasm.<key>`.
    ///
    /// # Errors
    /// The host's status.
    pub fn set_filter_state(&self, key: &str, value: &[u8]) -> Result<(), Status> {
        property::set_filter_state(key, value)
    }
}
