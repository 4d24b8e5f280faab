//! The proxy's callbacks, brought to the contexts they are for.

use crate::abi;
use crate::call;
use crate::clock;
use crate::direction::{Action, Direction};
use crate::log;
use crate::plugin::{Background, Plugin};
use crate::reply::refuse;
use crate::services::{Caller, Services};
use crate::stage::{Configure, Wake};
use crate::stages::Stages;
use crate::status::Status;
use crate::stream::{Stream, enter};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::rc::Rc;

const PLUGIN_CONFIGURATION: u32 = 7;

/// All contexts of a VM. Several configs may serve at once: each root context has its own.
///
/// A callback that comes while another one runs finds its context in use. Envoy does not do that;
/// a host that does gets no answer for that callback, and lets nothing through.
pub struct Dispatcher<S: Stages> {
    roots: RefCell<FxHashMap<u32, Root<S>>>,
    streams: RefCell<FxHashMap<u32, Stream<S>>>,
}

/// A plugin: one config.
struct Root<S> {
    services: Rc<Services>,
    stages: Option<Rc<S>>,
}

impl<S: Stages> Default for Dispatcher<S> {
    fn default() -> Self {
        Self { roots: RefCell::default(), streams: RefCell::default() }
    }
}

impl<S: Stages + Configure> Dispatcher<S> {
    /// `proxy_on_context_create`: a plugin, or a stream of one.
    pub fn on_context_create(&self, id: u32, parent: u32) {
        let Ok(mut roots) = self.roots.try_borrow_mut() else { return };
        if parent == 0 {
            roots.insert(id, Root { services: Rc::default(), stages: None });
        } else if let Some(root) = roots.get(&parent)
            && let Ok(mut streams) = self.streams.try_borrow_mut()
        {
            // Without memory the stream stays unknown, and an unknown stream is refused.
            if streams.try_reserve(1).is_ok() {
                streams.insert(id, Stream::new(id, Rc::clone(&root.services), root.stages.clone()));
            }
        }
    }

    /// `proxy_on_configure`: whether the config is good.
    pub fn on_configure(&self, id: u32, size: usize) -> bool {
        let Ok(mut roots) = self.roots.try_borrow_mut() else { return false };
        let Some(root) = roots.get_mut(&id) else { return false };
        let config = match size {
            0 => Ok(Vec::new()),
            size => abi::buffer(PLUGIN_CONFIGURATION, 0, size),
        };
        let config = match config {
            Ok(config) => config,
            Err(status) => {
                log!(Error, "the config cannot be read: {status}");
                return false;
            }
        };
        match S::configure(&config, &Plugin::new(Rc::clone(&root.services))) {
            Ok(stages) => {
                root.stages = Some(Rc::new(stages));
                true
            }
            Err(problems) => {
                for problem in problems.iter() {
                    log!(Error, "config: {problem}");
                }
                false
            }
        }
    }

    /// `proxy_on_request_headers`
    pub fn on_request_headers(&self, id: u32, last: bool) -> u32 {
        self.with(id, |stream| stream.on_request_headers(last)).unwrap_or_else(refuse).for_headers()
    }

    /// `proxy_on_request_body`
    pub fn on_request_body(&self, id: u32, size: usize, last: bool) -> u32 {
        let action = self.with(id, |stream| stream.on_body(Direction::Request, size, last));
        action.unwrap_or_else(refuse).for_parts()
    }

    /// `proxy_on_request_trailers`
    pub fn on_request_trailers(&self, id: u32) -> u32 {
        self.with(id, |stream| stream.on_trailers(Direction::Request)).unwrap_or_else(refuse).for_parts()
    }

    /// `proxy_on_response_headers`
    pub fn on_response_headers(&self, id: u32) -> u32 {
        let action = self.with(id, |stream| stream.on_headers(Direction::Response));
        action.unwrap_or(Action::Continue).for_headers()
    }

    /// `proxy_on_response_body`
    pub fn on_response_body(&self, id: u32, size: usize, last: bool) -> u32 {
        let action = self.with(id, |stream| stream.on_body(Direction::Response, size, last));
        action.unwrap_or(Action::Continue).for_parts()
    }

    /// `proxy_on_response_trailers`
    pub fn on_response_trailers(&self, id: u32) -> u32 {
        let action = self.with(id, |stream| stream.on_trailers(Direction::Response));
        action.unwrap_or(Action::Continue).for_parts()
    }

    /// `proxy_on_tick`
    pub fn on_tick(&self, id: u32) {
        let Ok(now) = clock::monotonic() else { return };
        let Some((services, stages)) = self.root(id) else { return };
        let due = services.due(now);
        // Before any stream is entered: what a stage does here is the plugin's own.
        if let Some(stages) = stages.filter(|_| due.tick) {
            for stage in 0..S::COUNT {
                stages.on_tick(stage, &mut Background { services: &services, stage });
            }
        }
        for stream in due.streams {
            self.enter(stream, |stream| stream.on_deadline(now));
        }
        self.wake_notified(&services);
        services.arm(clock::monotonic().unwrap_or(now));
    }

    /// `proxy_on_http_call_response`
    pub fn on_http_call(&self, id: u32, number: u32, body_size: usize) {
        self.on_answer(id, number, |most| call::http_answer(body_size, most));
    }

    /// `proxy_on_grpc_receive`
    pub fn on_grpc_receive(&self, id: u32, number: u32, size: usize) {
        self.on_answer(id, number, |most| call::grpc_message(size, most));
    }

    /// `proxy_on_grpc_close`
    pub fn on_grpc_close(&self, id: u32, number: u32, status: u32) {
        self.on_answer(id, number, |_| call::Answer::Grpc(Err(status)));
    }

    /// `proxy_on_delete`
    pub fn on_delete(&self, id: u32) {
        let stream = self.streams.try_borrow_mut().ok().and_then(|mut streams| streams.remove(&id));
        match stream {
            Some(mut stream) => stream.gone(),
            None => {
                if let Ok(mut roots) = self.roots.try_borrow_mut() {
                    roots.remove(&id);
                }
            }
        }
    }

    fn on_answer(&self, id: u32, number: u32, read: impl FnOnce(usize) -> call::Answer) {
        let Some((services, stages)) = self.root(id) else { return };
        let Some((caller, most)) = services.answered(number) else { return };
        // Read before another context is entered: the answer belongs to this callback.
        let answer = read(most);
        match caller {
            Caller::Stream { stream, stage } => {
                self.enter(stream, |stream| stream.wake(stage, Wake::Answer { call: number, answer }));
            }
            Caller::Stage(stage) => {
                if let Some(stages) = stages {
                    stages.on_answer(stage, &mut Background { services: &services, stage }, number, answer);
                }
            }
        }
        self.wake_notified(&services);
    }

    fn wake_notified(&self, services: &Services) {
        for (stream, stage) in services.take_woken() {
            self.enter(stream, |stream| stream.wake(stage, Wake::Notified));
        }
    }

    fn enter(&self, id: u32, act: impl FnOnce(&mut Stream<S>)) {
        // A stream whose client has gone in the meantime is unknown, here or to the host.
        self.with(id, |stream| match enter(id) {
            Ok(()) => act(stream),
            // Its end is told by `proxy_on_delete`, once.
            Err(Status::BadArgument) => stream.give_up(),
            Err(status) => log!(Error, "a paused stream cannot be entered: {status}"),
        });
    }

    fn root(&self, id: u32) -> Option<(Rc<Services>, Option<Rc<S>>)> {
        let roots = self.roots.try_borrow().ok()?;
        roots.get(&id).map(|root| (Rc::clone(&root.services), root.stages.clone()))
    }

    fn with<T>(&self, id: u32, act: impl FnOnce(&mut Stream<S>) -> T) -> Option<T> {
        self.streams.try_borrow_mut().ok()?.get_mut(&id).map(act)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Body;
    use crate::callbacks::Callbacks;
    use crate::message::{Request, Trailers};
    use crate::stage::{BodyFlow, Flow, Stage, TrailersFlow};
    use mesh_config::Problems;
    use mesh_policy::time::Nanos;

    /// Has every request wait, and would let its body and its trailers pass.
    struct Waits;

    impl Stage for Waits {
        const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS;
        type Stream = ();

        fn on_request_headers(&self, (): &mut (), _request: &mut Request<'_>) -> Flow {
            Flow::Pause { until: Nanos(1) }
        }

        fn on_request_body(&self, (): &mut (), _body: &mut Body) -> BodyFlow {
            BodyFlow::Continue
        }

        fn on_request_trailers(&self, (): &mut (), _trailers: &mut Trailers) -> TrailersFlow {
            TrailersFlow::Continue
        }
    }

    impl Configure for Waits {
        fn configure(_config: &[u8], _plugin: &Plugin) -> Result<Self, Problems> {
            Ok(Self)
        }
    }

    /// What a request is answered, and the response to it.
    #[track_caller]
    fn check(dispatcher: &Dispatcher<Waits>, id: u32, request: [u32; 3], response: [u32; 3]) {
        let answers = [
            dispatcher.on_request_headers(id, false),
            dispatcher.on_request_body(id, 1, false),
            dispatcher.on_request_trailers(id),
        ];
        assert_eq!(answers, request);
        let answers = [
            dispatcher.on_response_headers(id),
            dispatcher.on_response_body(id, 1, false),
            dispatcher.on_response_trailers(id),
        ];
        assert_eq!(answers, response);
    }

    const HELD: [u32; 3] = [4, 1, 1];

    /// Without an answer for a stream nothing of its request goes on; a reply to it does.
    #[test]
    fn a_request_that_waits_or_is_not_known_is_held_with_all_that_follows() {
        let dispatcher = Dispatcher::<Waits>::default();
        check(&dispatcher, 9, HELD, [0; 3]);
        dispatcher.on_context_create(1, 0);
        dispatcher.on_context_create(2, 1);
        check(&dispatcher, 2, HELD, [0; 3]);
        assert!(dispatcher.on_configure(1, 0));
        dispatcher.on_context_create(3, 1);
        check(&dispatcher, 3, HELD, [0; 3]);
    }
}
