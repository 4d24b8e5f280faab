//! A response, as a filter sees it.

use super::core::Core;
use super::edit;
use crate::abi::HeaderMap;
use crate::property;
use crate::status::Status;
use mesh_policy::effects::Edit;
use mesh_policy::headers::Headers;

/// A response whose headers have arrived and have not been sent on.
///
/// It gives no access to the request's headers: in this phase the host reports none.
pub struct Response<'a> {
    pub(crate) core: &'a mut Core,
}

impl Response<'_> {
    /// The stream's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.core.id
    }

    /// The headers, with the edits of earlier filters. Fetched once for all filters.
    pub fn headers(&mut self) -> Result<&Headers, Status> {
        edit::fetch(HeaderMap::Response, &mut self.core.response)
    }

    /// Applies an edit to the headers.
    pub fn edit(&mut self, edit: &Edit) -> Result<(), Status> {
        edit::apply(HeaderMap::Response, self.core.response.as_mut(), edit)
    }

    /// Reads an attribute of the proxy or the stream.
    pub fn attribute(&self, path: &[&str]) -> Result<Option<Vec<u8>>, Status> {
        property::get(path)
    }

    /// Writes filter state `wasm.<key>`.
    pub fn set_filter_state(&self, key: &str, value: &[u8]) -> Result<(), Status> {
        property::set_filter_state(key, value)
    }
}
