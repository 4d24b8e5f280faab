//! A response, as a filter sees it.

use super::core::Core;
use super::edit;
use crate::abi::HeaderMap;
use crate::property;
use crate::status::Status;
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, Headers};
use std::time::Duration;

const CONTENT_LENGTH: HeaderName = HeaderName::from_static("content-length");

/// A response whose headers have arrived and have not been sent on.
///
/// It gives no access to the request's headers: in this phase the host reports none.
pub struct Response<'a> {
    pub(crate) core: &'a mut Core,
    /// Position in the chain of the filter that sees the response.
    pub(crate) filter: usize,
}

impl Response<'_> {
    /// The stream's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.core.id
    }

    /// Whether the response ends with its headers: neither a body nor trailers follow.
    #[must_use]
    pub fn end_of_stream(&self) -> bool {
        self.core.response_ends
    }

    /// The headers, with the edits of earlier filters. Fetched once for all filters.
    pub fn headers(&mut self) -> Result<&Headers, Status> {
        edit::fetch(HeaderMap::Response, &mut self.core.response)
    }

    /// The first value of one header. Does not fetch the others.
    pub fn first_header(&self, name: &str) -> Result<Option<Vec<u8>>, Status> {
        match &self.core.response {
            Some(headers) => Ok(headers.first(name).map(<[u8]>::to_vec)),
            None => edit::first(HeaderMap::Response, name),
        }
    }

    /// The status (`:status`), three digits.
    pub fn status(&self) -> Result<Option<Vec<u8>>, Status> {
        self.first_header(":status")
    }

    /// Asks for one [`Filter::on_tick`](crate::Filter::on_tick) of this filter after `time`, in this worker.
    pub fn tick_after(&self, time: Duration) {
        self.core.timers_and_calls.tick_after(self.filter, time);
    }

    /// Applies an edit to the headers.
    pub fn edit(&mut self, edit: &Edit) -> Result<(), Status> {
        if matches!(edit, Edit::Status(_)) && self.core.response_ends {
            // A 304 may have the length of what it stands for (RFC 9110, section 8.6); with another status an HTTP/1
            // client would wait for that many bytes.
            self.edit(&Edit::Remove(CONTENT_LENGTH))?;
        }
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
