//! The filter that shows its position in the chain.

use crate::acts::{fetch, teapot, until};
use crate::held::Held;
use mesh_host::metrics::Counter;
use mesh_host::{
    Background, Body, BodyFlow, CallResponse, Callbacks, Filter, Flow, Request, Response, Trailers,
    TrailersFlow, Wake, property,
};
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, HeaderValue};
use std::time::Duration;

const PASSED: HeaderName = HeaderName::from_static("x-passed");
const RETURNED: HeaderName = HeaderName::from_static("x-returned");
const ATTRIBUTES: HeaderName = HeaderName::from_static("x-attributes");

/// Appends its name to whatever passes it: header `x-passed` of requests, `x-returned` of responses, the same
/// in trailers, and the end of bodies. The request header `x-<name>` lists what else it does. Counts its ticks,
/// the responses to its calls, the requests, the releases of what it has held, and the streams that have ended.
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

    /// Changes or holds a part of a body: `act` is its name among the acts.
    fn on_body(&self, acts: &mut Acts, body: &mut Body, act: &str) -> BodyFlow {
        if let Some(left) = acts.number(&format!("truncate-{act}")) {
            let sent = acts.sent;
            let _unchanged = body.truncate(usize::try_from(left).unwrap_or_default().saturating_sub(sent));
            acts.sent = sent.saturating_add(body.size());
        }
        if let Some(milliseconds) = acts.number(&format!("hold-{act}")) {
            return BodyFlow::Hold { until: acts.held.until(milliseconds) };
        }
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

/// What a filter is to do with one stream, and how far it is.
#[derive(Debug, Default)]
pub struct Acts {
    list: String,
    held: Held,
    /// Number of bytes of a body that is truncated.
    sent: usize,
    /// The attributes of the request.
    attributes: String,
}

impl Acts {
    fn has(&self, act: &str) -> bool {
        self.list.split(", ").any(|one| one == act)
    }

    /// The number of an act `<act>=<number>`.
    fn number(&self, act: &str) -> Option<u64> {
        let numbers = self.list.split(", ").filter_map(|one| one.split_once('='));
        numbers.filter(|(name, _)| *name == act).find_map(|(_, number)| number.parse().ok())
    }
}

/// The attributes that tell where a filter runs.
fn attributes() -> String {
    let shown =
        [["upstream", "address"], ["upstream", "request_attempt_count"], ["response", "code_details"]].map(
            |path| {
                let value = match property::get(&path) {
                    // A number arrives as eight bytes.
                    Ok(Some(value)) => match <[u8; 8]>::try_from(value) {
                        Ok(number) => u64::from_le_bytes(number).to_string(),
                        Err(value) => value.escape_ascii().to_string(),
                    },
                    Ok(None) => "none".to_owned(),
                    Err(status) => status.to_string(),
                };
                format!("{}={value}", path.join("."))
            },
        );
    shown.join(" ")
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
        acts.list = String::from_utf8_lossy(&value).into_owned();
        self.count("requests");
        if acts.has("attributes") {
            acts.attributes = format!("request is_upstream={:?} {}", request.is_upstream(), attributes());
        }
        let _unmarked = request.edit(&self.append_to(PASSED));
        if acts.has("request-body") {
            let _unchanged = request.edit(&Edit::Remove(HeaderName::from_static("content-length")));
        }
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
        self.on_body(acts, body, "request-body")
    }

    fn on_request_trailers(&self, acts: &mut Acts, trailers: &mut Trailers) -> TrailersFlow {
        if acts.has("reply-to-trailers") {
            return TrailersFlow::Reply(teapot());
        }
        let _unmarked = trailers.edit(&self.append_to(PASSED));
        acts.number("hold-request-trailers").map_or(TrailersFlow::Continue, |milliseconds| {
            TrailersFlow::Hold { until: acts.held.until(milliseconds) }
        })
    }

    fn on_request_released(&self, acts: &mut Acts, _background: &mut Background<'_>) {
        acts.held = Held::default();
        self.count("released");
    }

    fn on_response_headers(&self, acts: &mut Acts, response: &mut Response<'_>) -> Flow {
        let _unmarked = response.edit(&self.append_to(RETURNED));
        let is_cut_off = acts.number("truncate-response-body").is_some() && !acts.has("keep-length");
        if acts.has("response-body") || is_cut_off {
            let _unchanged = response.edit(&Edit::Remove(HeaderName::from_static("content-length")));
        }
        if let Some(status) = acts.number("status") {
            let _unchanged = response.edit(&Edit::Status(u16::try_from(status).unwrap_or_default()));
        }
        if acts.has("attributes") {
            let now = format!("response ends={} {}", response.end_of_stream(), attributes());
            for line in [std::mem::take(&mut acts.attributes), now] {
                let line = HeaderValue::text(format!("{} {line}", self.name));
                let _unreported = response.edit(&Edit::Add(ATTRIBUTES, line));
            }
        }
        if acts.has("reply-to-response") {
            return Flow::Reply(teapot());
        }
        if let Some(milliseconds) = acts.number("pause-response") {
            return until(milliseconds);
        }
        if acts.has("pause-response") { until(10) } else { Flow::Continue }
    }

    fn on_response_body(&self, acts: &mut Acts, body: &mut Body) -> BodyFlow {
        self.on_body(acts, body, "response-body")
    }

    fn on_response_trailers(&self, acts: &mut Acts, trailers: &mut Trailers) -> TrailersFlow {
        let _unmarked = trailers.edit(&self.append_to(RETURNED));
        acts.number("hold-response-trailers").map_or(TrailersFlow::Continue, |milliseconds| {
            TrailersFlow::Hold { until: acts.held.until(milliseconds) }
        })
    }

    fn on_response_released(&self, acts: &mut Acts, _background: &mut Background<'_>) {
        acts.held = Held::default();
        self.count("released");
    }

    fn on_stream_gone(&self, _acts: &mut Acts, _background: &mut Background<'_>) {
        self.count("gone");
    }

    fn on_tick(&self, background: &mut Background<'_>) {
        self.count("ticks");
        let _unsent = background.call(&fetch("upstream"));
    }

    fn on_call_response(&self, _background: &mut Background<'_>, _call_id: u32, _response: CallResponse) {
        self.count("answers");
    }
}
