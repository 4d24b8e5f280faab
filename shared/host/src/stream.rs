//! One stream on its way through the chain.

use crate::abi;
use crate::body::Body;
use crate::log;
use crate::message::{Core, Request, Response};
use crate::pairs;
use crate::services::Services;
use crate::stage::{BodyFlow, Flow, Wake};
use crate::stages::Stages;
use crate::status::Status;
use policy::effects::{GrpcStatus, Reply};
use policy::time::Nanos;
use std::rc::Rc;

/// Whether the proxy goes on with what the callback was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Action {
    Continue = 0,
    Pause = 1,
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Direction {
    Request = 0,
    Response = 1,
}

/// A stream and where it stands. The config that was in force when it came serves it to its end.
pub(crate) struct Stream<S: Stages> {
    core: Core,
    streams: S::Streams,
    /// `None` if the plugin has no config: then nothing gets through.
    stages: Option<Rc<S>>,
    paused: Option<Paused>,
}

#[derive(Clone, Copy)]
struct Paused {
    direction: Direction,
    stage: usize,
    until: Nanos,
}

impl<S: Stages> Stream<S> {
    pub(crate) fn new(id: u32, services: Rc<Services>, stages: Option<Rc<S>>) -> Self {
        Self { core: Core::new(id, services), streams: S::Streams::default(), stages, paused: None }
    }

    /// `last`: nothing follows the headers.
    pub(crate) fn on_request_headers(&mut self, last: bool) -> Action {
        self.core.end_of_stream = last;
        self.on_headers(Direction::Request)
    }

    pub(crate) fn on_headers(&mut self, direction: Direction) -> Action {
        match (&self.stages, direction) {
            (Some(_), direction) => {
                let action = self.run(direction, 0);
                self.release();
                action
            }
            (None, Direction::Request) => {
                send(&not_configured());
                Action::Pause
            }
            (None, Direction::Response) => Action::Continue,
        }
    }

    pub(crate) fn on_body(&mut self, direction: Direction, size: usize, last: bool) -> Action {
        // Some configs have the proxy bring the body while the headers wait; it must not let them go.
        if self.paused.is_some_and(|paused| paused.direction == direction) {
            return Action::Pause;
        }
        let Some(stages) = &self.stages else { return Action::Continue };
        let kind = match direction {
            Direction::Request => Body::REQUEST,
            Direction::Response => Body::RESPONSE,
        };
        let mut body = Body::new(kind, size, last);
        for at in 0..S::COUNT {
            let flow = match direction {
                Direction::Request => stages.on_request_body(at, &mut self.streams, &mut body),
                Direction::Response => stages.on_response_body(at, &mut self.streams, &mut body),
            };
            if flow == BodyFlow::Buffer {
                return Action::Pause;
            }
        }
        Action::Continue
    }

    /// The wait is over. The caller has made this stream the one in effect. `stage`: whose wait; an
    /// answer that comes after its stage has gone on is dropped.
    pub(crate) fn wake(&mut self, stage: Option<usize>, wake: Wake) {
        let Some(stages) = self.stages.clone() else { return };
        let Some(paused) = self.paused.filter(|paused| stage.is_none_or(|stage| stage == paused.stage))
        else {
            return;
        };
        self.paused = None;
        self.core.services.resumed(self.core.id, paused.until);
        let Self { core, streams, .. } = self;
        let flow = match paused.direction {
            Direction::Request => {
                let mut request = Request { core, stage: paused.stage };
                stages.on_request_wake(paused.stage, streams, &mut request, wake)
            }
            Direction::Response => {
                stages.on_response_wake(paused.stage, streams, &mut Response { core }, wake)
            }
        };
        let action = match self.follow(paused.direction, paused.stage, flow) {
            Action::Continue => self.run(paused.direction, paused.stage + 1),
            Action::Pause => Action::Pause,
        };
        self.release();
        if action == Action::Continue
            && let Err(status) = abi::continue_stream(paused.direction as u32)
        {
            log!(Error, "a paused stream cannot go on: {status}");
        }
    }

    /// Lets go of what was fetched, unless somebody waits: a stream may stay open for hours, and what a
    /// client has sent would stay with it.
    fn release(&mut self) {
        if self.paused.is_none() {
            self.core.release();
        }
    }

    /// Gives up waiting.
    pub(crate) fn unpause(&mut self) {
        if let Some(paused) = self.paused.take() {
            self.core.services.resumed(self.core.id, paused.until);
        }
    }

    pub(crate) fn gone(&mut self) {
        self.unpause();
        if let Some(stages) = &self.stages {
            for at in 0..S::COUNT {
                stages.on_stream_gone(at, &mut self.streams);
            }
        }
    }

    fn run(&mut self, direction: Direction, from: usize) -> Action {
        let Some(stages) = self.stages.clone() else { return Action::Pause };
        for at in from..S::COUNT {
            let Self { core, streams, .. } = self;
            let flow = match direction {
                Direction::Request => {
                    stages.on_request_headers(at, streams, &mut Request { core, stage: at })
                }
                Direction::Response => stages.on_response_headers(at, streams, &mut Response { core }),
            };
            if self.follow(direction, at, flow) == Action::Pause {
                return Action::Pause;
            }
        }
        Action::Continue
    }

    fn follow(&mut self, direction: Direction, stage: usize, flow: Flow) -> Action {
        match flow {
            Flow::Continue => Action::Continue,
            Flow::Pause { until } => {
                self.unpause();
                self.paused = Some(Paused { direction, stage, until });
                self.core.services.pause(self.core.id, until);
                Action::Pause
            }
            Flow::Reply(reply) => {
                send(&reply);
                Action::Pause
            }
        }
    }
}

fn send(reply: &Reply) {
    // A reply without its headers is better than a request without its answer.
    let headers = reply.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
    let headers = pairs::serialize(headers.collect::<Vec<_>>().into_iter()).unwrap_or_default();
    let grpc_status = reply.grpc_status.map_or(-1, |status| status as i32);
    let sent =
        abi::send_local_response(reply.status, reply.details.as_bytes(), &reply.body, &headers, grpc_status);
    if let Err(status) = sent {
        log!(Error, "a reply cannot be sent: {status}");
    }
}

/// The answer where a stream comes to a plugin that never got a good config. Envoy does not let it
/// come to that; if it does, nothing gets through.
pub(crate) fn not_configured() -> Reply {
    Reply {
        status: 503,
        details: "mesh_filters{not_configured}".to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        grpc_status: Some(GrpcStatus::Unavailable),
    }
}

/// Answers a stream that is not known.
pub(crate) fn refuse() -> Action {
    send(&not_configured());
    Action::Pause
}

/// Makes a stream the one that host calls are about; fails if it has gone.
pub(crate) fn enter(id: u32) -> Result<(), Status> {
    abi::set_effective_context(id)
}
