//! One stream on its way through the chain.

use crate::abi;
use crate::body::Body;
use crate::clock;
use crate::direction::{Action, Direction};
use crate::log;
use crate::message::{Core, Request, Response, Trailers};
use crate::reply::{send, without_config};
use crate::services::Services;
use crate::stage::{BodyFlow, Flow, TrailersFlow, Wake};
use crate::stages::Stages;
use crate::status::Status;
use mesh_policy::time::Nanos;
use std::rc::Rc;

/// A stream and where it stands. The config that was in force when it came serves it to its end.
pub(crate) struct Stream<S: Stages> {
    core: Core,
    streams: S::Streams,
    /// `None` if the plugin has no config: then nothing gets through.
    stages: Option<Rc<S>>,
    paused: Option<Paused>,
    request: Progress,
    response: Progress,
}

#[derive(Clone, Copy)]
struct Paused {
    direction: Direction,
    stage: usize,
    until: Nanos,
}

/// What has happened to a request or a response so far.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// Its headers have waited.
    has_waited: bool,
    /// How many bytes of its body are kept for a stage that wants more.
    kept: Option<usize>,
    /// When its trailers go on, where they wait for the proxy.
    trailers_at: Option<Nanos>,
}

impl<S: Stages> Stream<S> {
    pub(crate) fn new(id: u32, services: Rc<Services>, stages: Option<Rc<S>>) -> Self {
        Self {
            core: Core::new(id, services),
            streams: S::Streams::default(),
            stages,
            paused: None,
            request: Progress::default(),
            response: Progress::default(),
        }
    }

    /// `last`: nothing follows the headers.
    pub(crate) fn on_request_headers(&mut self, last: bool) -> Action {
        self.core.end_of_stream = last;
        self.on_headers(Direction::Request)
    }

    pub(crate) fn on_headers(&mut self, direction: Direction) -> Action {
        if self.stages.is_none() {
            return without_config(direction);
        }
        let action = self.run(direction, 0);
        self.release();
        action
    }

    pub(crate) fn on_body(&mut self, direction: Direction, size: usize, last: bool) -> Action {
        if self.is_paused(direction) {
            return Action::Pause;
        }
        let Some(stages) = self.stages.clone() else { return without_config(direction) };
        let mut body = Body::new(direction, size, last);
        let mut buffers = false;
        for at in 0..S::COUNT {
            let flow = match direction {
                Direction::Request => stages.on_request_body(at, &mut self.streams, &mut body),
                Direction::Response => stages.on_response_body(at, &mut self.streams, &mut body),
            };
            if flow == BodyFlow::Buffer {
                buffers = true;
                break;
            }
        }
        self.progress(direction).kept = buffers.then(|| body.size());
        if buffers { Action::Pause } else { Action::Continue }
    }

    pub(crate) fn on_trailers(&mut self, direction: Direction) -> Action {
        if self.is_paused(direction) {
            return Action::Pause;
        }
        let Some(stages) = self.stages.clone() else { return without_config(direction) };
        // Trailers that go on take a kept body along, which no stage has seen to its end.
        let Progress { has_waited, kept, .. } = *self.progress(direction);
        if let Some(size) = kept
            && self.on_body(direction, size, true) == Action::Pause
        {
            return Action::Pause;
        }
        let mut trailers = Trailers::new(direction);
        for at in 0..S::COUNT {
            let flow = match direction {
                Direction::Request => stages.on_request_trailers(at, &mut self.streams, &mut trailers),
                Direction::Response => stages.on_response_trailers(at, &mut self.streams, &mut trailers),
            };
            if let TrailersFlow::Reply(reply) = flow {
                send(direction, &reply);
                return Action::Pause;
            }
        }
        if has_waited && kept.is_some() {
            // The proxy may still be resuming the stream. If the trailers went on now, it would drop the body
            // that was kept (seen on Envoy 1.36.4 and 1.40.0); with the next tick it does not.
            let now = clock::monotonic().unwrap_or_default();
            self.progress(direction).trailers_at = Some(now);
            self.core.services.pause(self.core.id, now);
            return Action::Pause;
        }
        Action::Continue
    }

    /// An instant has come that this stream may have waited for. The caller has made it the one in effect.
    pub(crate) fn on_deadline(&mut self, now: Nanos) {
        for direction in [Direction::Request, Direction::Response] {
            if self.progress(direction).trailers_at.take_if(|at| *at <= now).is_some() {
                go_on(direction);
            }
        }
        if let Some(paused) = self.paused.filter(|paused| paused.until <= now) {
            self.wake(paused.stage, Wake::Deadline);
        }
    }

    /// The wait is over. The caller has made this stream the one in effect. `stage`: whose wait; an
    /// answer that comes after its stage has gone on is dropped.
    pub(crate) fn wake(&mut self, stage: usize, wake: Wake) {
        let Some(stages) = self.stages.clone() else { return };
        let Some(Paused { direction, .. }) = self.paused.filter(|paused| paused.stage == stage) else {
            return;
        };
        self.unpause();
        let Self { core, streams, .. } = self;
        let flow = match direction {
            Direction::Request => stages.on_request_wake(stage, streams, &mut Request { core, stage }, wake),
            Direction::Response => stages.on_response_wake(stage, streams, &mut Response { core }, wake),
        };
        let action = match self.follow(direction, stage, flow) {
            Action::Continue => self.run(direction, stage + 1),
            Action::Pause => Action::Pause,
        };
        self.release();
        if action == Action::Continue {
            go_on(direction);
        }
    }

    /// Whether the headers wait. The proxy brings nothing behind them then; what it brought all the same
    /// would take them along.
    fn is_paused(&self, direction: Direction) -> bool {
        self.paused.is_some_and(|paused| paused.direction == direction)
    }

    const fn progress(&mut self, direction: Direction) -> &mut Progress {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    /// Lets go of what was fetched, unless somebody waits: a stream may stay open for hours, and what a
    /// client has sent would stay with it.
    fn release(&mut self) {
        if self.paused.is_none() {
            self.core.release();
        }
    }

    fn unpause(&mut self) {
        if let Some(paused) = self.paused.take() {
            self.core.services.resumed(self.core.id, paused.until);
        }
    }

    /// Gives up waiting.
    pub(crate) fn give_up(&mut self) {
        self.unpause();
        for progress in [&mut self.request, &mut self.response] {
            if let Some(at) = progress.trailers_at.take() {
                self.core.services.resumed(self.core.id, at);
            }
        }
    }

    pub(crate) fn gone(&mut self) {
        self.give_up();
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
                self.progress(direction).has_waited = true;
                self.core.services.pause(self.core.id, until);
                Action::Pause
            }
            Flow::Reply(reply) => {
                send(direction, &reply);
                Action::Pause
            }
        }
    }
}

fn go_on(direction: Direction) {
    if let Err(status) = abi::continue_stream(direction as u32) {
        log!(Error, "a paused stream cannot go on: {status}");
    }
}

/// Makes a stream the one that host calls are about; fails if it has gone.
pub(crate) fn enter(id: u32) -> Result<(), Status> {
    abi::set_effective_context(id)
}
