//! The filter that does what the request header `x-probe` says.

use crate::acts;
use crate::state::{NAME, ProbeState};
use mesh_host::{
    Background, Body, BodyFlow, CallResponse, Callbacks, Filter, Flow, Request, Response, Trailers,
    TrailersFlow, Wake,
};
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, HeaderValue};
use std::cell::RefCell;
use std::time::Duration;

pub(crate) const TICK: Duration = Duration::from_millis(20);

/// Does what the request header `x-probe` says, and reports in response headers `x-probe-*`.
pub struct Probe {
    name: String,
    /// The cluster to call at every tick; empty for none.
    fetch: String,
    /// The result of the last such call.
    fetched: RefCell<String>,
    /// Streams to wake at the next tick.
    waiting: RefCell<Vec<u32>>,
}

impl Probe {
    pub(crate) fn new(name: String, fetch: String) -> Self {
        Self { name, fetch, fetched: RefCell::default(), waiting: RefCell::default() }
    }
}

impl Filter for Probe {
    const NAME: &'static str = "probe";
    const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS
        .and(Callbacks::REQUEST_BODY)
        .and(Callbacks::RESPONSE_HEADERS)
        .and(Callbacks::RESPONSE_BODY)
        .and(Callbacks::REQUEST_TRAILERS)
        .and(Callbacks::RESPONSE_TRAILERS)
        .and(Callbacks::TICK)
        .and(Callbacks::HTTP_CALL)
        .and(Callbacks::GRPC_CALL);
    type Stream = ProbeState;

    fn on_request_headers(&self, state: &mut ProbeState, request: &mut Request<'_>) -> Flow {
        let act = request.first_header("x-probe").ok().flatten().unwrap_or_default();
        state.act = String::from_utf8_lossy(&act).into_owned();
        if state.act == "notify" {
            self.waiting.borrow_mut().push(request.id());
        }
        acts::on_request(state, request)
    }

    fn on_request_wake(&self, state: &mut ProbeState, _request: &mut Request<'_>, wake: Wake) -> Flow {
        match wake {
            Wake::Deadline => state.report("x-probe-wake", "deadline"),
            Wake::Notified => state.report("x-probe-wake", "notified"),
            Wake::CallResponse { response: CallResponse::Http(response), .. } => {
                state.report("x-probe-wake", "answer");
                state.report("x-probe-status", response.status().unwrap_or_default());
                let size = response.body.len();
                state.report("x-probe-body", format_args!("{size} {}", response.is_complete));
            }
            Wake::CallResponse { response: CallResponse::Grpc(response), .. } => {
                state.report("x-probe-wake", "answer");
                state.report("x-probe-grpc", format_args!("{response:?}"));
            }
        }
        match state.act.as_str() {
            "pause-then-reply" => Flow::Reply(acts::teapot()),
            "pause-twice" if !std::mem::replace(&mut state.paused, true) => acts::until(50),
            _ => Flow::Continue,
        }
    }

    fn on_request_body(&self, state: &mut ProbeState, body: &mut Body) -> BodyFlow {
        acts::on_body(state, body, "request-body")
    }

    fn on_request_trailers(&self, state: &mut ProbeState, trailers: &mut Trailers) -> TrailersFlow {
        acts::on_trailers(state, trailers, "request-trailers")
    }

    fn on_response_headers(&self, state: &mut ProbeState, response: &mut Response<'_>) -> Flow {
        if state.act == "late" {
            // The host reports no request headers in this phase.
            let late = response.attribute(&["request", "headers", "x-probe"]);
            state.report("x-probe-late", format_args!("{late:?}"));
        }
        if state.act.contains("pause-response") && !state.paused {
            state.paused = true;
            return acts::until(50);
        }
        if matches!(state.act.as_str(), "reply-to-response" | "pause-response-then-reply") {
            return Flow::Reply(acts::teapot());
        }
        if state.act.contains("response-body") {
            let _unchanged = response.edit(&Edit::Remove(HeaderName::from_static("content-length")));
        }
        state.report("x-probe-fetched", self.fetched.borrow());
        state.report.push((NAME, HeaderValue::text(self.name.clone())));
        for (name, value) in state.report.drain(..) {
            let _unreported = response.edit(&Edit::Add(name, value));
        }
        if state.act == "edit" {
            let edits = [
                Edit::Set(HeaderName::from_static("x-twice"), HeaderValue::text("once")),
                Edit::Remove(HeaderName::from_static("x-gone")),
            ];
            for edit in edits {
                let _unedited = response.edit(&edit);
            }
        }
        Flow::Continue
    }

    fn on_response_wake(&self, state: &mut ProbeState, response: &mut Response<'_>, wake: Wake) -> Flow {
        state.report("x-probe-wake", if matches!(wake, Wake::Deadline) { "deadline" } else { "other" });
        Filter::on_response_headers(self, state, response)
    }

    fn on_response_body(&self, state: &mut ProbeState, body: &mut Body) -> BodyFlow {
        acts::on_body(state, body, "response-body")
    }

    fn on_response_trailers(&self, state: &mut ProbeState, trailers: &mut Trailers) -> TrailersFlow {
        acts::on_trailers(state, trailers, "response-trailers")
    }

    fn on_tick(&self, background: &mut Background<'_>) {
        for stream in self.waiting.take() {
            background.wake(stream);
        }
        if !self.fetch.is_empty() {
            let sent = background.call(&acts::fetch(&self.fetch));
            if let Err(error) = sent {
                *self.fetched.borrow_mut() = error.to_string();
            }
        }
        background.tick_after(TICK);
    }

    fn on_call_response(&self, _background: &mut Background<'_>, _call_id: u32, response: CallResponse) {
        if let CallResponse::Http(response) = response {
            *self.fetched.borrow_mut() = format!("{:?}", response.status());
        }
    }
}
