//! A chain of two stages for the host layer's tests: the first does what the request's `x-probe`
//! header says and reports in `x-probe-*` response headers, the second marks what came through.

mod acts;

use mesh_config::Problems;
use mesh_config::kinds::string;
use mesh_host::{
    Answer, Background, Body, BodyFlow, Callbacks, Configure, Flow, Plugin, Request, Response, Stage,
    Trailers, TrailersFlow, Wake,
};
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, HeaderValue};
use std::cell::RefCell;
use std::time::Duration;

mesh_host::chain! {
    /// Both stages.
    pub struct Chain, ChainStreams {
        0 => probe: Probe,
        1 => mark: Mark,
    }
}

impl Configure for Chain {
    fn configure(config: &[u8], plugin: &Plugin) -> Result<Self, Problems> {
        let Config { name, fetch } = mesh_config::read(config, &Config::kind())?;
        plugin.tick_after(TICK);
        let probe = Probe { name, fetch, fetched: RefCell::default(), waiting: RefCell::default() };
        Ok(Self { probe, mark: Mark })
    }
}

mesh_config::object! {
    /// The config.
    struct Config {
        /// A name to report.
        name: String = default("", string()),
        /// The cluster to call with every tick, if any.
        fetch: String = default("", string()),
    }
}

const TICK: Duration = Duration::from_millis(20);

/// Does what it is told.
pub struct Probe {
    /// The config's.
    name: String,
    /// The cluster to call with every tick, if any.
    fetch: String,
    /// What came of the last such call.
    fetched: RefCell<String>,
    /// Streams that wait for a tick to wake them.
    waiting: RefCell<Vec<u32>>,
}

/// What to report on the response.
#[derive(Debug, Default)]
pub struct Told {
    act: String,
    /// It was paused once.
    paused: bool,
    report: Vec<(HeaderName, HeaderValue)>,
}

impl Told {
    fn report(&mut self, name: &'static str, value: impl std::fmt::Display) {
        self.report.push((HeaderName::new(name).unwrap_or(NAME), HeaderValue::text(value.to_string())));
    }
}

const NAME: HeaderName = HeaderName::from_static("x-probe-config");

impl Stage for Probe {
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
            Wake::Answer { answer: Answer::Http(answer), .. } => {
                told.report("x-probe-wake", "answer");
                told.report("x-probe-status", answer.status().unwrap_or_default());
                told.report("x-probe-body", format_args!("{} {}", answer.body.len(), answer.whole));
            }
            Wake::Answer { answer: Answer::Grpc(answer), .. } => {
                told.report("x-probe-wake", "answer");
                told.report("x-probe-grpc", format_args!("{answer:?}"));
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
            // The host has no request headers left at this point: an answer, not a trap.
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
        Stage::on_response_headers(self, told, response)
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

    fn on_answer(&self, _background: &mut Background<'_>, _call: u32, answer: Answer) {
        if let Answer::Http(answer) = answer {
            *self.fetched.borrow_mut() = format!("{:?}", answer.status());
        }
    }
}

/// Marks what comes through.
pub struct Mark;

impl Stage for Mark {
    const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS;
    type Stream = ();

    fn on_request_headers(&self, (): &mut (), request: &mut Request<'_>) -> Flow {
        let mark = Edit::Add(HeaderName::from_static("x-mark"), HeaderValue::text("came-through"));
        let _unmarked = request.edit(&mark);
        Flow::Continue
    }
}
