//! A request, as a stage sees it.

use super::edit::Map;
use super::facts::Fetched;
use crate::call::Call;
use crate::foreign;
use crate::property;
use crate::services::{Caller, Services};
use crate::status::Status;
use mesh_policy::effects::Edit;
use mesh_policy::facts::{Facts, Needs};
use mesh_policy::headers::Headers;
use std::rc::Rc;
use std::time::Duration;

/// What the chain keeps of a stream. Fetched once, for all stages.
pub(crate) struct Core {
    pub(crate) id: u32,
    pub(crate) services: Rc<Services>,
    /// The request ends with its headers.
    pub(crate) end_of_stream: bool,
    pub(crate) request: Option<Headers>,
    pub(crate) response: Option<Headers>,
    pub(crate) fetched: Fetched,
}

impl Core {
    pub(crate) fn new(id: u32, services: Rc<Services>) -> Self {
        Self {
            id,
            services,
            end_of_stream: false,
            request: None,
            response: None,
            fetched: Fetched::default(),
        }
    }

    /// Frees what was fetched of the message.
    pub(crate) fn release(&mut self) {
        self.request = None;
        self.response = None;
        self.fetched = Fetched::default();
    }
}

/// A request whose headers have arrived and have not been sent on.
///
/// It exists only in that phase: later the host refuses to read request headers or answers an
/// empty map. What a stage needs later it remembers.
pub struct Request<'a> {
    pub(crate) core: &'a mut Core,
    pub(crate) stage: usize,
}

impl Request<'_> {
    /// The stream's number, for [`Background::wake`](crate::Background::wake).
    #[must_use]
    pub fn id(&self) -> u32 {
        self.core.id
    }

    /// Whether the request ends with its headers: neither body nor trailers follow.
    #[must_use]
    pub fn end_of_stream(&self) -> bool {
        self.core.end_of_stream
    }

    /// The headers. Fetched once a stream; edits of the stages in front are in it.
    ///
    /// # Errors
    /// The host's status.
    pub fn headers(&mut self) -> Result<&Headers, Status> {
        let headers = match self.core.request.take() {
            Some(headers) => headers,
            None => Map::Request.fetch()?,
        };
        Ok(self.core.request.insert(headers))
    }

    /// The first value of one header, without fetching the others: cheap where it is absent.
    ///
    /// # Errors
    /// The host's status.
    pub fn first_header(&mut self, name: &str) -> Result<Option<Vec<u8>>, Status> {
        match &self.core.request {
            Some(headers) => Ok(headers.first(name).map(<[u8]>::to_vec)),
            None => Map::Request.first(name),
        }
    }

    /// Fetches what a policy needs to know.
    ///
    /// # Errors
    /// The host's status.
    pub fn facts(&mut self, needs: &Needs) -> Result<Facts<'_>, Status> {
        if needs.headers {
            self.headers()?;
        }
        let Core { request, fetched, .. } = &mut *self.core;
        fetched.facts(needs, request.as_ref())
    }

    /// Hands on the claims of a verified token, for the stages behind.
    pub fn set_claims(&mut self, claims: Rc<serde_json::Value>) {
        self.core.fetched.set_claims(claims);
    }

    /// Changes the headers.
    ///
    /// # Errors
    /// The host's status.
    pub fn edit(&mut self, edit: &Edit) -> Result<(), Status> {
        Map::Request.apply(self.core.request.as_mut(), edit)
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

    /// Sends a call for this request; the number that this returns comes with the answer. The answer
    /// wakes the request if the stage has paused it, and is dropped otherwise.
    ///
    /// # Errors
    /// The host's status; there is no answer then.
    pub fn call(&self, call: &Call) -> Result<u32, Status> {
        self.core.services.call(call, Caller::Stream { stream: self.core.id, stage: self.stage })
    }

    /// Asks for one tick of the stage after this time, in this worker, for what a request has caused.
    pub fn tick_after(&self, time: Duration) {
        self.core.services.tick_after(time);
    }

    /// Has the route chosen anew.
    ///
    /// # Errors
    /// [`Status::NotFound`] if the host cannot (Envoy before 1.33).
    pub fn clear_route_cache(&self) -> Result<(), Status> {
        foreign::clear_route_cache()
    }
}
