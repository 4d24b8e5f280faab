//! A request, as a filter sees it.

use super::core::Core;
use super::edit;
use crate::abi::HeaderMap;
use crate::call::{Call, CallError};
use crate::foreign;
use crate::property;
use crate::status::Status;
use crate::timers_and_calls::Caller;
use mesh_policy::effects::Edit;
use mesh_policy::facts::{Facts, Needs};
use mesh_policy::headers::{HeaderName, HeaderValue, Headers, spellings};
use std::rc::Rc;
use std::time::Duration;

/// A header that is set and removed at once, so that the proxy selects the route again.
const ROUTE_AGAIN: HeaderName = HeaderName::from_static("x-mesh-filters-route-again");

/// A request whose headers have arrived and have not been sent on.
///
/// It exists only in that phase: later the host fails to read request headers, or reports an empty map.
/// A filter stores what it needs later in its [`Filter::Stream`](crate::Filter::Stream).
pub struct Request<'a> {
    pub(crate) core: &'a mut Core,
    /// Position in the chain of the filter that sees the request.
    pub(crate) filter: usize,
}

impl Request<'_> {
    /// The stream's id, for [`Background::wake`](crate::Background::wake).
    #[must_use]
    pub fn id(&self) -> u32 {
        self.core.id
    }

    /// Whether the request ends with its headers: neither a body nor trailers follow.
    #[must_use]
    pub fn end_of_stream(&self) -> bool {
        self.core.request_ends
    }

    /// Whether the filter runs in the filter chain of a cluster, once for each attempt, rather than in that of a
    /// listener, once for each request. Known by the attribute `upstream.address`: only the former has chosen a host.
    pub fn is_upstream(&self) -> Result<bool, Status> {
        self.attribute(&["upstream", "address"]).map(|address| address.is_some())
    }

    /// The headers, with the edits of earlier filters. Fetched once for all filters.
    pub fn headers(&mut self) -> Result<&Headers, Status> {
        edit::fetch(HeaderMap::Request, &mut self.core.request)
    }

    /// The first value of one header. Does not fetch the others, so it is cheap for an absent header.
    pub fn first_header(&mut self, name: &str) -> Result<Option<Vec<u8>>, Status> {
        match &self.core.request {
            Some(headers) => Ok(headers.first(name).map(<[u8]>::to_vec)),
            None => edit::first(HeaderMap::Request, name),
        }
    }

    /// The facts that a policy needs. Fetches those that no earlier filter fetched.
    pub fn facts(&mut self, needs: &Needs) -> Result<Facts<'_>, Status> {
        if needs.headers {
            self.headers()?;
        }
        let Core { request, removed, fetched, .. } = &mut *self.core;
        fetched.facts(needs, request.as_ref(), removed)
    }

    /// Passes the claims of a verified token to the filters behind this one; `None`: there are none, whatever filters of
    /// other plugins say.
    pub fn set_claims(&mut self, claims: Option<Rc<serde_json::Value>>) {
        self.core.fetched.set_claims(claims);
    }

    /// Whether a filter in front of this one, or this one, has passed claims on.
    pub(crate) fn has_claims(&self) -> bool {
        self.core.fetched.has_claims()
    }

    /// Applies an edit to the headers.
    pub fn edit(&mut self, edit: &Edit) -> Result<(), Status> {
        edit::apply(HeaderMap::Request, self.core.request.as_mut(), edit)
    }

    /// Reads an attribute of the proxy or the stream.
    pub fn attribute(&self, path: &[&str]) -> Result<Option<Vec<u8>>, Status> {
        property::get(path)
    }

    /// Writes filter state `wasm.<key>`.
    pub fn set_filter_state(&self, key: &str, value: &[u8]) -> Result<(), Status> {
        property::set_filter_state(key, value)
    }

    /// Sends a call for this request and returns its id. The response wakes the request if this filter has
    /// paused it, and is dropped otherwise. If sending fails, there is no response.
    pub fn call(&self, call: &Call) -> Result<u32, CallError> {
        let caller = Caller::Stream { stream: self.core.id, filter: self.filter };
        self.core.timers_and_calls.call(call, caller)
    }

    /// Asks for one [`Filter::on_tick`](crate::Filter::on_tick) of this filter after `time`, in this worker.
    pub fn tick_after(&self, time: Duration) {
        self.core.timers_and_calls.tick_after(self.filter, time);
    }

    /// Makes the proxy select the route again, as it does by itself after an edit of the headers.
    pub fn clear_route_cache(&mut self) -> Result<(), Status> {
        // Envoy lacks the function before 1.33, and a plugin may not be allowed to call it.
        foreign::clear_route_cache().or_else(|_| {
            self.edit(&Edit::Add(ROUTE_AGAIN, HeaderValue::text("")))?;
            self.edit(&Edit::Remove(ROUTE_AGAIN))
        })
    }

    /// What [`Request::remove_own`] has removed. It is no longer among the facts.
    pub(crate) fn take_removed(&mut self) -> Headers {
        std::mem::take(&mut self.core.removed)
    }

    /// Removes headers that only the filter may set, in every spelling, and keeps them as the client sent
    /// them for [`Facts::removed`]. If one cannot be removed, the others are.
    pub(crate) fn remove_own(&mut self, names: &[HeaderName]) -> Result<(), Status> {
        self.core.removed = Headers::EMPTY;
        if names.is_empty() {
            return Ok(());
        }
        let headers = self.headers()?;
        let (found, rest) = spellings(headers, names);
        let rest = rest.map_err(Status::from);
        if found.is_empty() {
            return rest;
        }
        let is_found = |name: &[u8]| found.iter().any(|found| found.as_str().as_bytes() == name);
        self.core.removed = headers.filtered(is_found);
        found.into_iter().fold(rest, |rest, name| rest.and(self.edit(&Edit::Remove(name))))
    }
}
