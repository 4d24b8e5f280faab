//! The filter that shows its position in the chain.

use crate::acts::{fetch, teapot, until};
use mesh_host::metrics::Counter;
use mesh_host::{
    Background, Body, BodyFlow, CallResponse, Callbacks, Filter, Flow, Request, Response, Trailers,
    TrailersFlow, Wake,
};
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, HeaderValue};
use std::time::Duration;

const PASSED: HeaderName = HeaderName::from_static("x-passed");
const RETURNED: HeaderName = HeaderName::from_static("x-returned");

/// Appends its name to whatever passes it: header `x-passed` of requests, `x-returned` of responses, the same
/// in trailers, and the end of bodies. The request header `x-<name>` lists what else it does. Counts its ticks,
/// the responses to its calls and the streams that have ended.
pub struct Step {
    name: String,
}

impl Step {
    pub(crate) const fn new(name: String) -> Self {
        Self { name }
    }

    fn count(&self, what: &str) {
        Counter::define(&format!("probe.{}.{what}", self.name)).increment();
    }

    fn append_to(&self, header: HeaderName) -> Edit {
        Edit::Add(header, HeaderValue::text(self.name.clone()))
    }

    fn append_to_body(&self, acts: &Acts, body: &mut Body, act: &str) -> BodyFlow {
        if !acts.has(act) {
            return BodyFlow::Continue;
        }
        if !body.is_end() {
            return BodyFlow::Buffer;
        }
        let mut text = body.read(0, 4096).unwrap_or_default();
        text.extend_from_slice(self.name.as_bytes());
        let _unchanged = body.replace(&text);
        BodyFlow::Continue
    }
}

/// What a filter is to do with one stream.
#[derive(Debug, Default)]
pub struct Acts(String);

impl Acts {
    fn has(&self, act: &str) -> bool {
        self.0.split(", ").any(|one| one == act)
    }
}

impl Filter for Step {
    const NAME: &'static str = "step";
    const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS
        .and(Callbacks::REQUEST_BODY)
        .and(Callbacks::REQUEST_TRAILERS)
        .and(Callbacks::RESPONSE_HEADERS)
        .and(Callbacks::RESPONSE_BODY)
        .and(Callbacks::RESPONSE_TRAILERS)
        .and(Callbacks::TICK)
        .and(Callbacks::HTTP_CALL);
    type Stream = Acts;

    fn summary(&self) -> String {
        self.name.clone()
    }

    fn on_request_headers(&self, acts: &mut Acts, request: &mut Request<'_>) -> Flow {
        let value = request.first_header(&format!("x-{}", self.name)).ok().flatten().unwrap_or_default();
        acts.0 = String::from_utf8_lossy(&value).into_owned();
        let _unmarked = request.edit(&self.append_to(PASSED));
        if acts.has("log") {
            log::warn!("{} warns", self.name);
            log::debug!("{} explains", self.name);
        }
        if acts.has("tick") {
            request.tick_after(Duration::from_millis(10));
        }
        if acts.has("call") {
            let _unsent = request.call(&fetch("upstream"));
        }
        if acts.has("reply") {
            return Flow::Reply(teapot());
        }
        if acts.has("pause") { until(10) } else { Flow::Continue }
    }

    fn on_request_wake(&self, acts: &mut Acts, _request: &mut Request<'_>, wake: Wake) -> Flow {
        if matches!(wake, Wake::CallResponse { .. }) {
            self.count("woken");
        }
        if acts.has("then-reply") { Flow::Reply(teapot()) } else { Flow::Continue }
    }

    fn on_request_body(&self, acts: &mut Acts, body: &mut Body) -> BodyFlow {
        self.append_to_body(acts, body, "request-body")
    }

    fn on_request_trailers(&self, acts: &mut Acts, trailers: &mut Trailers) -> TrailersFlow {
        if acts.has("reply-to-trailers") {
            return TrailersFlow::Reply(teapot());
        }
        let _unmarked = trailers.edit(&self.append_to(PASSED));
        TrailersFlow::Continue
    }

    fn on_response_headers(&self, acts: &mut Acts, response: &mut Response<'_>) -> Flow {
        let _unmarked = response.edit(&self.append_to(RETURNED));
        if acts.has("response-body") {
            let _unchanged = response.edit(&Edit::Remove(HeaderName::from_static("content-length")));
        }
        if acts.has("reply-to-response") {
            return Flow::Reply(teapot());
        }
        if acts.has("pause-response") { until(10) } else { Flow::Continue }
    }

    fn on_response_body(&self, acts: &mut Acts, body: &mut Body) -> BodyFlow {
        self.append_to_body(acts, body, "response-body")
    }

    fn on_response_trailers(&self, _acts: &mut Acts, trailers: &mut Trailers) -> TrailersFlow {
        let _unmarked = trailers.edit(&self.append_to(RETURNED));
        TrailersFlow::Continue
    }

    fn on_stream_gone(&self, _acts: &mut Acts, _background: &mut Background<'_>) {
        self.count("gone");
    }

    fn on_tick(&self, background: &mut Background<'_>) {
        self.count("ticks");
        let _unsent = background.call(&fetch("upstream"));
    }

    fn on_answer(&self, _background: &mut Background<'_>, _call_id: u32, _response: CallResponse) {
        self.count("answers");
    }
}
