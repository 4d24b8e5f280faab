//! One stream and its way through the chain.

use crate::abi;
use crate::body::Body;
use crate::callbacks::Callbacks;
use crate::chain::{Chain, State, States};
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
use std::time::Duration;

/// A stream. The config that was active when it began serves it to its end.
pub(crate) struct Stream<F: Filter> {
    core: Core,
    /// `None` if the plugin has no config: no request continues then.
    chain: Option<Rc<Chain<F>>>,
    states: States<F::Stream>,
    /// Number of filters that saw the request: the first ones of the chain. Only these see the response.
    seen: usize,
    paused: Option<Paused>,
    /// The stream's entry among the timers.
    timer: Option<Nanos>,
    request: Progress,
    response: Progress,
}

/// The time after which a stream that could not be entered is tried again. Envoy fails to enter only streams that have ended.
const RETRY: Duration = Duration::from_secs(1);

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
    /// Until when the proxy holds a part of its body, or its trailers.
    held: Option<Nanos>,
}

impl Progress {
    /// When what is held is released. A filter that buffers the body wants all of it before anything goes on.
    fn released_at(self) -> Option<Nanos> {
        self.held.filter(|_| self.kept.is_none())
    }
}

impl<F: Filter> Stream<F> {
    /// Whether the filters see bodies. Most modules do not, and do not link what it takes.
    const SEES_BODIES: bool =
        F::CALLBACKS.contains(Callbacks::REQUEST_BODY) || F::CALLBACKS.contains(Callbacks::RESPONSE_BODY);

    /// Whether they can hold a part of a message.
    const HOLDS: bool = F::CALLBACKS.contains(Callbacks::TICK) && Self::SEES_BODIES;

    pub(crate) fn new(id: u32, timers_and_calls: Rc<TimersAndCalls>, chain: Option<Rc<Chain<F>>>) -> Self {
        // If no filter is called for request headers, none misses them.
        let sees_requests = F::CALLBACKS.contains(Callbacks::REQUEST_HEADERS);
        Self {
            core: Core::new(id, timers_and_calls),
            states: chain.as_ref().map_or_else(States::none, |chain| chain.states()),
            seen: chain.as_ref().filter(|_| !sees_requests).map_or(0, |chain| chain.len()),
            chain,
            paused: None,
            timer: None,
            request: Progress::default(),
            response: Progress::default(),
        }
    }

    /// `end_of_stream`: neither a body nor trailers follow.
    pub(crate) fn on_headers(&mut self, direction: Direction, end_of_stream: bool) -> Action {
        match direction {
            Direction::Request => self.core.request_ends = end_of_stream,
            Direction::Response => self.core.response_ends = end_of_stream,
        }
        if self.chain.is_none() {
            return without_config(direction);
        }
        if direction == Direction::Response {
            // The proxy has replied to a request that waits, as for a timeout. That request must not be resumed.
            self.paused.take_if(|paused| paused.direction == Direction::Request);
        }
        self.progress(direction).is_replied = false;
        let first = match direction {
            Direction::Request => Some(0),
            Direction::Response => self.seen.checked_sub(1),
        };
        let action = self.run(direction, first);
        self.settle();
        action
    }

    pub(crate) fn on_body(&mut self, direction: Direction, size: usize, end_of_stream: bool) -> Action {
        if self.is_stopped(direction) {
            return Action::Pause;
        }
        let Some(chain) = self.chain.clone() else { return without_config(direction) };
        let mut body = Body::new(direction, size, end_of_stream);
        let mut held = None;
        let buffered = self.find_filter(&chain, direction, |_, filter, state| {
            let flow = match direction {
                Direction::Request => filter.on_request_body(&mut state.own, &mut body),
                Direction::Response => filter.on_response_body(&mut state.own, &mut body),
            };
            match flow {
                BodyFlow::Continue => None,
                BodyFlow::Buffer => Some(()),
                BodyFlow::Hold { until } => {
                    hold(direction, state, &mut held, until);
                    None
                }
            }
        });
        self.progress(direction).kept = buffered.map(|()| body.size());
        let action = self.hold(direction, held);
        if buffered.is_some() { Action::Pause } else { action }
    }

    pub(crate) fn on_trailers(&mut self, direction: Direction) -> Action {
        if self.is_stopped(direction) {
            return Action::Pause;
        }
        let Some(chain) = self.chain.clone() else { return without_config(direction) };
        // Trailers that continue release a kept body, whose end no filter has seen.
        let Progress { has_waited, kept, .. } = *self.progress(direction);
        if Self::SEES_BODIES
            && let Some(size) = kept
            && self.on_body(direction, size, true) == Action::Pause
        {
            return Action::Pause;
        }
        let mut trailers = Trailers::new(direction, Rc::clone(&self.core.timers_and_calls));
        let mut held = None;
        let reply = self.find_filter(&chain, direction, |position, filter, state| {
            trailers.filter = position;
            let flow = match direction {
                Direction::Request => filter.on_request_trailers(&mut state.own, &mut trailers),
                Direction::Response => filter.on_response_trailers(&mut state.own, &mut trailers),
            };
            match flow {
                TrailersFlow::Continue => None,
                TrailersFlow::Hold { until } => {
                    hold(direction, state, &mut held, until);
                    None
                }
                TrailersFlow::Reply(reply) => Some(reply),
            }
        });
        if let Some(reply) = reply {
            return self.reply(direction, &reply);
        }
        if has_waited && kept.is_some() {
            // The proxy may still be resuming the stream. If the trailers continued now, it would drop the
            // kept body (seen on Envoy 1.36.4 and 1.40.0); at the next tick it does not.
            held = held.max(Some(clock::now().unwrap_or_default()));
        }
        self.hold(direction, held)
    }

    /// Holds what has arrived of a message until `until`, or as long as something in front of it is held.
    fn hold(&mut self, direction: Direction, until: Option<Nanos>) -> Action {
        if !Self::HOLDS {
            return Action::Continue;
        }
        let progress = self.progress(direction);
        progress.held = progress.held.max(until);
        let action = if progress.held.is_some() { Action::Hold } else { Action::Continue };
        self.set_timer();
        action
    }

    /// Releases what is held of a message, and tells the filters that have asked for it.
    fn release_held(&mut self, direction: Direction) {
        self.progress(direction).held = None;
        resume(direction);
        let Some(chain) = self.chain.clone() else { return };
        let timers_and_calls = Rc::clone(&self.core.timers_and_calls);
        let _none = self.find_filter(&chain, direction, |position, filter, state| -> Option<()> {
            if std::mem::take(holds(direction, state)) {
                let mut background = Background { timers_and_calls: &timers_and_calls, filter: position };
                match direction {
                    Direction::Request => filter.on_request_released(&mut state.own, &mut background),
                    Direction::Response => filter.on_response_released(&mut state.own, &mut background),
                }
            }
            None
        });
    }

    /// Ends a wait whose time has come; a second one ends with the next tick. The proxy acts after the callback, and
    /// its first act may end the stream. The caller has made this stream the effective one.
    pub(crate) fn on_deadline(&mut self, now: Nanos) {
        self.timer = None;
        let is_due = |at: Option<Nanos>| at.is_some_and(|at| at <= now);
        if Self::HOLDS && is_due(self.request.released_at()) {
            self.release_held(Direction::Request);
        } else if Self::HOLDS && is_due(self.response.released_at()) {
            self.release_held(Direction::Response);
        } else if let Some(paused) = self.paused.filter(|paused| paused.until <= now) {
            self.wake(paused.filter, Wake::Deadline);
        }
        self.set_timer();
    }

    /// The stream could not be entered, and what should have woken it is lost. Its timer fires again after [`RETRY`].
    pub(crate) fn enter_later(&mut self) {
        if !F::CALLBACKS.contains(Callbacks::TICK) {
            return;
        }
        let timers = &self.core.timers_and_calls;
        if let Some(at) = self.timer {
            timers.resumed(self.core.id, at);
        }
        let at = clock::now().unwrap_or_default().after(RETRY);
        self.timer = Some(at);
        timers.pause(self.core.id, at);
    }

    /// Moves the stream's entry among the timers to the first instant at which a wait ends.
    fn set_timer(&mut self) {
        if !F::CALLBACKS.contains(Callbacks::TICK) {
            return;
        }
        let mut next = self.paused.map(|paused| paused.until);
        if Self::HOLDS {
            let held = [self.request, self.response].into_iter().filter_map(Progress::released_at);
            next = next.into_iter().chain(held).min();
        }
        if next == self.timer {
            return;
        }
        let timers = &self.core.timers_and_calls;
        if let Some(at) = std::mem::replace(&mut self.timer, next) {
            timers.resumed(self.core.id, at);
        }
        if let Some(at) = next {
            timers.pause(self.core.id, at);
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
        let (core, state) = (&mut self.core, &mut state.own);
        self.paused = None;
        let flow = match direction {
            Direction::Request => waiting.on_request_wake(state, &mut Request { core, filter }, wake),
            Direction::Response => waiting.on_response_wake(state, &mut Response { core, filter }, wake),
        };
        let action = match self.apply(direction, filter, flow) {
            Action::Continue => self.run(direction, next(direction, filter)),
            waits => waits,
        };
        self.settle();
        if action == Action::Continue {
            resume(direction);
        }
    }

    /// Stops waiting: the stream has ended.
    pub(crate) fn stop_waiting(&mut self) {
        self.paused = None;
        self.request.held = None;
        self.response.held = None;
        self.set_timer();
    }

    /// The stream has ended.
    pub(crate) fn on_delete(&mut self) {
        self.stop_waiting();
        if let Some(chain) = self.chain.clone() {
            let timers_and_calls = Rc::clone(&self.core.timers_and_calls);
            let _none =
                self.find_filter(&chain, Direction::Request, |position, filter, state| -> Option<()> {
                    let mut background = Background { timers_and_calls: &timers_and_calls, filter: position };
                    filter.on_stream_gone(&mut state.own, &mut background);
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
            let (core, state) = (&mut self.core, &mut state.own);
            let flow = match direction {
                Direction::Request => {
                    self.seen = at + 1;
                    core.fetched.forget_changeable();
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
        mut act: impl FnMut(usize, &F, &mut State<F::Stream>) -> Option<T>,
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
                self.paused = Some(Paused { direction, filter, until });
                self.progress(direction).has_waited = true;
                Action::Pause
            }
            Flow::Reply(reply) => self.reply(direction, &reply),
        }
    }

    fn reply(&mut self, direction: Direction, reply: &Reply) -> Action {
        let progress = self.progress(direction);
        progress.is_replied = true;
        // The reply is its end.
        progress.held = None;
        self.set_timer();
        send(direction, reply);
        Action::Pause
    }

    /// Whether body and trailers must not continue: the headers wait, or were replied to. The proxy does not
    /// report either then; if it did, continuing would release the headers.
    fn is_stopped(&mut self, direction: Direction) -> bool {
        self.paused.is_some_and(|paused| paused.direction == direction) || self.progress(direction).is_replied
    }

    const fn progress(&mut self, direction: Direction) -> &mut Progress {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    /// Sets the timer, and frees what was fetched: the stream may stay open for hours, and the memory would be held that long.
    fn settle(&mut self) {
        self.set_timer();
        if self.paused.is_none() {
            self.core.release();
        } else {
            self.core.release_headers();
        }
    }
}

/// Notes that a filter holds a part, and the latest instant until which one does.
fn hold<S>(direction: Direction, state: &mut State<S>, held: &mut Option<Nanos>, until: Nanos) {
    *holds(direction, state) = true;
    *held = (*held).max(Some(until));
}

/// Whether a filter holds a part of this message.
const fn holds<S>(direction: Direction, state: &mut State<S>) -> &mut bool {
    let [request, response] = &mut state.holds;
    match direction {
        Direction::Request => request,
        Direction::Response => response,
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

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
