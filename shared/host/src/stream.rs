//! One stream and its way through the chain.

use crate::abi;
use crate::body::Body;
use crate::callbacks::Callbacks;
use crate::chain::{Chain, States};
use crate::clock;
use crate::direction::{Action, Direction};
use crate::filter::{BodyFlow, Filter, Flow, TrailersFlow, Wake};
use crate::message::{Core, Request, Response, Trailers};
use crate::plugin::Background;
use crate::reply::{send, without_config};
use crate::status::Status;
use crate::timers_and_calls::TimersAndCalls;
use mesh_policy::effects::Reply;
use mesh_policy::time::Nanos;
use std::rc::Rc;

/// A stream. The config that was active when it began serves it to its end.
pub(crate) struct Stream<F: Filter> {
    core: Core,
    /// `None` if the plugin has no config: no request continues then.
    chain: Option<Rc<Chain<F>>>,
    states: States<F::Stream>,
    /// Number of filters that saw the request: the first ones of the chain. Only these see the response.
    seen: usize,
    paused: Option<Paused>,
    request: Progress,
    response: Progress,
}

#[derive(Clone, Copy)]
struct Paused {
    direction: Direction,
    /// Position of the filter that has paused the message.
    filter: usize,
    until: Nanos,
}

/// What has happened to a request or a response.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// Its headers were paused at least once.
    has_waited: bool,
    /// A filter has replied to it.
    is_replied: bool,
    /// Number of bytes of its body that the proxy keeps for a filter.
    kept: Option<usize>,
    /// When its trailers continue, if they wait for the next tick.
    trailers_at: Option<Nanos>,
}

impl<F: Filter> Stream<F> {
    pub(crate) fn new(id: u32, timers_and_calls: Rc<TimersAndCalls>, chain: Option<Rc<Chain<F>>>) -> Self {
        // If no filter is called for request headers, none misses them.
        let sees_requests = F::CALLBACKS.contains(Callbacks::REQUEST_HEADERS);
        Self {
            core: Core::new(id, timers_and_calls),
            states: chain.as_ref().map_or_else(States::none, |chain| chain.states()),
            seen: chain.as_ref().filter(|_| !sees_requests).map_or(0, |chain| chain.len()),
            chain,
            paused: None,
            request: Progress::default(),
            response: Progress::default(),
        }
    }

    /// `end_of_stream`: neither a body nor trailers follow.
    pub(crate) fn on_request_headers(&mut self, end_of_stream: bool) -> Action {
        self.core.end_of_stream = end_of_stream;
        self.on_headers(Direction::Request)
    }

    pub(crate) fn on_headers(&mut self, direction: Direction) -> Action {
        if self.chain.is_none() {
            return without_config(direction);
        }
        self.progress(direction).is_replied = false;
        let first = match direction {
            Direction::Request => Some(0),
            Direction::Response => self.seen.checked_sub(1),
        };
        let action = self.run(direction, first);
        self.release();
        action
    }

    pub(crate) fn on_body(&mut self, direction: Direction, size: usize, end_of_stream: bool) -> Action {
        if self.is_held(direction) {
            return Action::Pause;
        }
        let Some(chain) = self.chain.clone() else { return without_config(direction) };
        let mut body = Body::new(direction, size, end_of_stream);
        let buffered = self.find_filter(&chain, direction, |_, filter, state| {
            let flow = match direction {
                Direction::Request => filter.on_request_body(state, &mut body),
                Direction::Response => filter.on_response_body(state, &mut body),
            };
            (flow == BodyFlow::Buffer).then_some(())
        });
        self.progress(direction).kept = buffered.map(|()| body.size());
        if buffered.is_some() { Action::Pause } else { Action::Continue }
    }

    pub(crate) fn on_trailers(&mut self, direction: Direction) -> Action {
        if self.is_held(direction) {
            return Action::Pause;
        }
        let Some(chain) = self.chain.clone() else { return without_config(direction) };
        // Trailers that continue release a kept body, whose end no filter has seen.
        let Progress { has_waited, kept, .. } = *self.progress(direction);
        if let Some(size) = kept
            && self.on_body(direction, size, true) == Action::Pause
        {
            return Action::Pause;
        }
        let mut trailers = Trailers::new(direction, Rc::clone(&self.core.timers_and_calls));
        let reply = self.find_filter(&chain, direction, |position, filter, state| {
            trailers.filter = position;
            let flow = match direction {
                Direction::Request => filter.on_request_trailers(state, &mut trailers),
                Direction::Response => filter.on_response_trailers(state, &mut trailers),
            };
            match flow {
                TrailersFlow::Continue => None,
                TrailersFlow::Reply(reply) => Some(reply),
            }
        });
        if let Some(reply) = reply {
            return self.reply(direction, &reply);
        }
        if has_waited && kept.is_some() {
            // The proxy may still be resuming the stream. If the trailers continued now, it would drop the
            // kept body (seen on Envoy 1.36.4 and 1.40.0); at the next tick it does not.
            let now = clock::now().unwrap_or_default();
            self.progress(direction).trailers_at = Some(now);
            self.core.timers_and_calls.pause(self.core.id, now);
            return Action::Pause;
        }
        Action::Continue
    }

    /// Ends the waits whose time has come. The caller has made this stream the effective one.
    pub(crate) fn on_deadline(&mut self, now: Nanos) {
        for direction in [Direction::Request, Direction::Response] {
            if self.progress(direction).trailers_at.take_if(|at| *at <= now).is_some() {
                resume(direction);
            }
        }
        if let Some(paused) = self.paused.filter(|paused| paused.until <= now) {
            self.wake(paused.filter, Wake::Deadline);
        }
    }

    /// Wakes the message that the filter at position `filter` has paused. No effect if it has paused none.
    /// The caller has made this stream the effective one.
    pub(crate) fn wake(&mut self, filter: usize, wake: Wake) {
        let Some(Paused { direction, .. }) = self.paused.filter(|paused| paused.filter == filter) else {
            return;
        };
        let Some(chain) = self.chain.clone() else { return };
        let (Some(waiting), Some(state)) = (chain.get(filter), self.states.get_mut(filter)) else { return };
        let core = &mut self.core;
        unpause(&mut self.paused, core);
        let flow = match direction {
            Direction::Request => waiting.on_request_wake(state, &mut Request { core, filter }, wake),
            Direction::Response => waiting.on_response_wake(state, &mut Response { core, filter }, wake),
        };
        let action = match self.apply(direction, filter, flow) {
            Action::Continue => self.run(direction, next(direction, filter)),
            Action::Pause => Action::Pause,
        };
        self.release();
        if action == Action::Continue {
            resume(direction);
        }
    }

    /// Stops waiting: the stream has ended.
    pub(crate) fn stop_waiting(&mut self) {
        unpause(&mut self.paused, &self.core);
        for progress in [&mut self.request, &mut self.response] {
            if let Some(at) = progress.trailers_at.take() {
                self.core.timers_and_calls.resumed(self.core.id, at);
            }
        }
    }

    /// The stream has ended.
    pub(crate) fn on_delete(&mut self) {
        self.stop_waiting();
        if let Some(chain) = self.chain.clone() {
            let timers_and_calls = Rc::clone(&self.core.timers_and_calls);
            let _none =
                self.find_filter(&chain, Direction::Request, |position, filter, state| -> Option<()> {
                    let mut background = Background { timers_and_calls: &timers_and_calls, filter: position };
                    filter.on_stream_gone(state, &mut background);
                    None
                });
        }
    }

    /// Passes headers to the filters from position `first` on.
    fn run(&mut self, direction: Direction, first: Option<usize>) -> Action {
        let Some(chain) = self.chain.clone() else { return Action::Pause };
        let mut position = first;
        while let Some(at) = position
            && let (Some(filter), Some(state)) = (chain.get(at), self.states.get_mut(at))
        {
            let core = &mut self.core;
            let flow = match direction {
                Direction::Request => {
                    self.seen = at + 1;
                    filter.on_request_headers(state, &mut Request { core, filter: at })
                }
                Direction::Response => filter.on_response_headers(state, &mut Response { core, filter: at }),
            };
            if self.apply(direction, at, flow) == Action::Pause {
                return Action::Pause;
            }
            position = next(direction, at);
        }
        Action::Continue
    }

    /// Calls `act` with the position of each filter that saw the request, in the order of `direction`, until
    /// one returns a value.
    fn find_filter<T>(
        &mut self,
        chain: &Chain<F>,
        direction: Direction,
        mut act: impl FnMut(usize, &F, &mut F::Stream) -> Option<T>,
    ) -> Option<T> {
        (0..self.seen).find_map(|index| {
            let position = match direction {
                Direction::Request => index,
                Direction::Response => self.seen - 1 - index,
            };
            act(position, chain.get(position)?, self.states.get_mut(position)?)
        })
    }

    fn apply(&mut self, direction: Direction, filter: usize, flow: Flow) -> Action {
        match flow {
            Flow::Continue => Action::Continue,
            Flow::Pause { until } => {
                unpause(&mut self.paused, &self.core);
                self.paused = Some(Paused { direction, filter, until });
                self.progress(direction).has_waited = true;
                self.core.timers_and_calls.pause(self.core.id, until);
                Action::Pause
            }
            Flow::Reply(reply) => self.reply(direction, &reply),
        }
    }

    fn reply(&mut self, direction: Direction, reply: &Reply) -> Action {
        self.progress(direction).is_replied = true;
        send(direction, reply);
        Action::Pause
    }

    /// Whether body and trailers must not continue: the headers wait, or were replied to. The proxy does not
    /// report either then; if it did, continuing would release the headers.
    fn is_held(&mut self, direction: Direction) -> bool {
        self.paused.is_some_and(|paused| paused.direction == direction) || self.progress(direction).is_replied
    }

    const fn progress(&mut self, direction: Direction) -> &mut Progress {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    /// Frees what was fetched, unless the stream waits. A stream may stay open for hours, and the memory
    /// would be held that long.
    fn release(&mut self) {
        if self.paused.is_none() {
            self.core.release();
        }
    }
}

fn unpause(paused: &mut Option<Paused>, core: &Core) {
    if let Some(paused) = paused.take() {
        core.timers_and_calls.resumed(core.id, paused.until);
    }
}

/// The position behind `position`, in the order of `direction`.
const fn next(direction: Direction, position: usize) -> Option<usize> {
    match direction {
        Direction::Request => position.checked_add(1),
        Direction::Response => position.checked_sub(1),
    }
}

fn resume(direction: Direction) {
    if let Err(status) = abi::continue_stream(direction.stream()) {
        log::error!("a paused stream cannot be resumed: {status}");
    }
}

/// Makes a stream the effective one: the one that host calls refer to. Fails if it has ended.
pub(crate) fn enter(id: u32) -> Result<(), Status> {
    abi::set_effective_context(id)
}
