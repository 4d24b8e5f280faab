//! The filter that does what the request header `x-probe` says.

use crate::acts;
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

/// The value of `x-probe` and what to report.
#[derive(Debug, Default)]
pub struct Told {
    pub(crate) act: String,
    /// Whether it was paused before.
    paused: bool,
    report: Vec<(HeaderName, HeaderValue)>,
}

impl Told {
    pub(crate) fn report(&mut self, name: &'static str, value: impl std::fmt::Display) {
        self.report.push((HeaderName::new(name).unwrap_or(NAME), HeaderValue::text(value.to_string())));
    }
}

const NAME: HeaderName = HeaderName::from_static("x-probe-config");

impl Filter for Probe {
    const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS
        .and(Callbacks::REQUEST_BODY)
        .and(Callbacks::RESPONSE_HEADERS)
        .and(Callbacks::RESPONSE_BODY)
        .and(Callbacks::REQUEST_TRAILERS)
        .and(Callbacks::RESPONSE_TRAILERS)
        .and(Callbacks::TICK)
        .and(Callbacks::HTTP_CALL)
        .and(Callbacks::GRPC_CALL);
    type Stream = Told;

    fn on_request_headers(&self, told: &mut Told, request: &mut Request<'_>) -> Flow {
        let act = request.first_header("x-probe").ok().flatten().unwrap_or_default();
        told.act = String::from_utf8_lossy(&act).into_owned();
        if told.act == "notify" {
            self.waiting.borrow_mut().push(request.id());
        }
        acts::on_request(told, request)
    }

    fn on_request_wake(&self, told: &mut Told, _request: &mut Request<'_>, wake: Wake) -> Flow {
        match wake {
            Wake::Deadline => told.report("x-probe-wake", "deadline"),
            Wake::Notified => told.report("x-probe-wake", "notified"),
            Wake::CallResponse { response: CallResponse::Http(response), .. } => {
                told.report("x-probe-wake", "answer");
                told.report("x-probe-status", response.status().unwrap_or_default());
                let size = response.body.len();
                told.report("x-probe-body", format_args!("{size} {}", response.is_complete));
            }
            Wake::CallResponse { response: CallResponse::Grpc(response), .. } => {
                told.report("x-probe-wake", "answer");
                told.report("x-probe-grpc", format_args!("{response:?}"));
            }
        }
        match told.act.as_str() {
            "pause-then-reply" => Flow::Reply(acts::teapot()),
            "pause-twice" if !std::mem::replace(&mut told.paused, true) => acts::until(50),
            _ => Flow::Continue,
        }
    }

    fn on_request_body(&self, told: &mut Told, body: &mut Body) -> BodyFlow {
        acts::on_body(told, body, "request-body")
    }

    fn on_request_trailers(&self, told: &mut Told, trailers: &mut Trailers) -> TrailersFlow {
        acts::on_trailers(told, trailers, "request-trailers")
    }

    fn on_response_headers(&self, told: &mut Told, response: &mut Response<'_>) -> Flow {
        if told.act == "late" {
            // The host reports no request headers in this phase.
            let late = response.attribute(&["request", "headers", "x-probe"]);
            told.report("x-probe-late", format_args!("{late:?}"));
        }
        if told.act.contains("pause-response") && !told.paused {
            told.paused = true;
            return acts::until(50);
        }
        if matches!(told.act.as_str(), "reply-to-response" | "pause-response-then-reply") {
            return Flow::Reply(acts::teapot());
        }
        if told.act.contains("response-body") {
            let _unchanged = response.edit(&Edit::Remove(HeaderName::from_static("content-length")));
        }
        told.report("x-probe-fetched", self.fetched.borrow());
        told.report.push((NAME, HeaderValue::text(self.name.clone())));
        for (name, value) in told.report.drain(..) {
            let _unreported = response.edit(&Edit::Add(name, value));
        }
        if told.act == "edit" {
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

    fn on_response_wake(&self, told: &mut Told, response: &mut Response<'_>, wake: Wake) -> Flow {
        told.report("x-probe-wake", if matches!(wake, Wake::Deadline) { "deadline" } else { "other" });
        Filter::on_response_headers(self, told, response)
    }

    fn on_response_body(&self, told: &mut Told, body: &mut Body) -> BodyFlow {
        acts::on_body(told, body, "response-body")
    }

    fn on_response_trailers(&self, told: &mut Told, trailers: &mut Trailers) -> TrailersFlow {
        acts::on_trailers(told, trailers, "response-trailers")
    }

    fn on_tick(&self, background: &mut Background<'_>) {
        for stream in self.waiting.take() {
            background.wake(stream);
        }
        if !self.fetch.is_empty() {
            let sent = background.call(&acts::fetch(&self.fetch));
            if let Err(status) = sent {
                *self.fetched.borrow_mut() = status.to_string();
            }
        }
        background.tick_after(TICK);
    }

    fn on_answer(&self, _background: &mut Background<'_>, _call_id: u32, response: CallResponse) {
        if let CallResponse::Http(response) = response {
            *self.fetched.borrow_mut() = format!("{:?}", response.status());
        }
    }
}
