//! Routes the proxy's callbacks to the contexts that they are for.

use crate::abi::{self, Buffer};
use crate::accepted;
use crate::call::{self, CallResponse};
use crate::chain::Chain;
use crate::clock;
use crate::direction::{Action, Direction};
use crate::filter::{Configure, Filter, Wake};
use crate::logger;
use crate::plugin::{Background, Plugin};
use crate::reply::refuse;
use crate::status::Status;
use crate::stream::{Stream, enter};
use crate::timers_and_calls::{Caller, MAX_WAKES, TimersAndCalls};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::rc::Rc;

/// All contexts of a VM. Several configs may serve at once; each has a root context of its own.
///
/// A callback that comes during another one finds its context in use. Envoy does not do that; if a host
/// does, that callback has no effect and lets no request continue.
pub struct Dispatcher<F: Filter> {
    roots: RefCell<FxHashMap<u32, Root<F>>>,
    streams: RefCell<FxHashMap<u32, Stream<F>>>,
}

/// A root context: a plugin with one config.
struct Root<F> {
    timers_and_calls: Rc<TimersAndCalls>,
    chain: Option<Rc<Chain<F>>>,
}

impl<F> Clone for Root<F> {
    fn clone(&self) -> Self {
        Self { timers_and_calls: Rc::clone(&self.timers_and_calls), chain: self.chain.clone() }
    }
}

impl<F: Filter> Default for Dispatcher<F> {
    fn default() -> Self {
        Self { roots: RefCell::default(), streams: RefCell::default() }
    }
}

impl<F: Configure> Dispatcher<F> {
    /// `proxy_on_context_create`: a root context, or a stream of one.
    pub fn on_context_create(&self, id: u32, parent: u32) {
        let Ok(mut roots) = self.roots.try_borrow_mut() else { return };
        if parent == 0 {
            roots.insert(id, Root { timers_and_calls: Rc::default(), chain: None });
        } else if let Some(root) = roots.get(&parent)
            && let Ok(mut streams) = self.streams.try_borrow_mut()
        {
            // Without memory the stream stays unknown, and an unknown stream is refused.
            if streams.try_reserve(1).is_ok() {
                streams.insert(id, Stream::new(id, Rc::clone(&root.timers_and_calls), root.chain.clone()));
            }
        }
    }

    /// `proxy_on_configure`: whether the config is accepted.
    pub fn on_configure(&self, id: u32, size: usize) -> bool {
        begin_callback();
        logger::install(F::NAME);
        let Ok(mut roots) = self.roots.try_borrow_mut() else { return false };
        let Some(root) = roots.get_mut(&id) else { return false };
        let config = match size {
            0 => Ok(Vec::new()),
            size => abi::buffer(Buffer::PluginConfiguration, 0, size),
        };
        let config = match config {
            Ok(config) => config,
            Err(status) => {
                log::error!("the config cannot be read: {status}");
                return false;
            }
        };
        let plugin = Plugin::new(Rc::clone(&root.timers_and_calls));
        match F::configure(&config, &plugin) {
            Ok(filters) => {
                accepted::report(&filters, &config, &plugin);
                root.chain = Some(Rc::new(Chain::new(filters)));
                true
            }
            Err(problems) => {
                for problem in problems.iter() {
                    log::error!("config: {problem}");
                }
                false
            }
        }
    }

    /// `proxy_on_request_headers`
    pub fn on_request_headers(&self, id: u32, end_of_stream: bool) -> u32 {
        begin_callback();
        let action = self.with(id, |stream| stream.on_headers(Direction::Request, end_of_stream));
        action.unwrap_or_else(refuse).for_headers()
    }

    /// `proxy_on_request_body`
    pub fn on_request_body(&self, id: u32, size: usize, end_of_stream: bool) -> u32 {
        begin_callback();
        let action = self.with(id, |stream| stream.on_body(Direction::Request, size, end_of_stream));
        action.unwrap_or_else(refuse).for_body()
    }

    /// `proxy_on_request_trailers`
    pub fn on_request_trailers(&self, id: u32) -> u32 {
        begin_callback();
        self.with(id, |stream| stream.on_trailers(Direction::Request)).unwrap_or_else(refuse).for_trailers()
    }

    /// `proxy_on_response_headers`
    pub fn on_response_headers(&self, id: u32, end_of_stream: bool) -> u32 {
        begin_callback();
        let action = self.with(id, |stream| stream.on_headers(Direction::Response, end_of_stream));
        action.unwrap_or(Action::Continue).for_headers()
    }

    /// `proxy_on_response_body`
    pub fn on_response_body(&self, id: u32, size: usize, end_of_stream: bool) -> u32 {
        begin_callback();
        let action = self.with(id, |stream| stream.on_body(Direction::Response, size, end_of_stream));
        action.unwrap_or(Action::Continue).for_body()
    }

    /// `proxy_on_response_trailers`
    pub fn on_response_trailers(&self, id: u32) -> u32 {
        begin_callback();
        let action = self.with(id, |stream| stream.on_trailers(Direction::Response));
        action.unwrap_or(Action::Continue).for_trailers()
    }

    /// `proxy_on_tick`
    pub fn on_tick(&self, id: u32) {
        begin_callback();
        let Ok(now) = clock::now() else { return };
        let Some(Root { timers_and_calls, chain }) = self.root(id) else { return };
        let due = timers_and_calls.due(now);
        // Before any stream is entered: the root context is in effect.
        for filter in due.ticks {
            if let Some(ticked) = chain.as_ref().and_then(|chain| chain.get(filter)) {
                ticked.on_tick(&mut Background { timers_and_calls: &timers_and_calls, filter });
            }
        }
        let wakes = MAX_WAKES.saturating_sub(due.streams.len());
        for stream in due.streams {
            self.enter(stream, |stream| stream.on_deadline(now));
        }
        self.wake_notified(&timers_and_calls, wakes);
        timers_and_calls.arm(clock::now().unwrap_or(now));
    }

    /// `proxy_on_http_call_response`
    pub fn on_http_call_response(&self, id: u32, call_id: u32, body_size: usize) {
        self.on_call_response(id, call_id, |max_body_bytes| call::http_response(body_size, max_body_bytes));
    }

    /// `proxy_on_grpc_receive`
    pub fn on_grpc_receive(&self, id: u32, call_id: u32, size: usize) {
        self.on_call_response(id, call_id, |max_body_bytes| call::grpc_message(size, max_body_bytes));
    }

    /// `proxy_on_grpc_close`
    pub fn on_grpc_close(&self, id: u32, call_id: u32, status: u32) {
        self.on_call_response(id, call_id, |_| CallResponse::Grpc(Err(status)));
    }

    /// `proxy_on_delete`
    pub fn on_delete(&self, id: u32) {
        begin_callback();
        let stream = self.streams.try_borrow_mut().ok().and_then(|mut streams| streams.remove(&id));
        match stream {
            Some(mut stream) => stream.on_delete(),
            None => {
                let root = self.roots.try_borrow_mut().ok().and_then(|mut roots| roots.remove(&id));
                if let Some(chain) = root.and_then(|root| root.chain) {
                    chain.iter().for_each(Filter::on_config_gone);
                }
            }
        }
    }

    fn on_call_response(&self, id: u32, call_id: u32, read: impl FnOnce(usize) -> CallResponse) {
        begin_callback();
        let Some(Root { timers_and_calls, chain }) = self.root(id) else { return };
        let Some((caller, max_body_bytes)) = timers_and_calls.take_call(call_id) else { return };
        // Read before a stream is entered: the response belongs to this callback.
        let response = read(max_body_bytes);
        match caller {
            Caller::Stream { stream, filter } => {
                self.enter(stream, |stream| stream.wake(filter, Wake::CallResponse { call_id, response }));
            }
            Caller::Background { filter } => {
                if let Some(called) = chain.as_ref().and_then(|chain| chain.get(filter)) {
                    let mut background = Background { timers_and_calls: &timers_and_calls, filter };
                    called.on_call_response(&mut background, call_id, response);
                }
            }
        }
        if !self.wake_notified(&timers_and_calls, MAX_WAKES)
            && let Ok(now) = clock::now()
        {
            timers_and_calls.arm(now);
        }
    }

    /// Wakes at most `most` of the streams that were notified. Returns whether these were all.
    fn wake_notified(&self, timers_and_calls: &TimersAndCalls, most: usize) -> bool {
        for _ in 0..most {
            let Some((stream, filter)) = timers_and_calls.take_woken() else { return true };
            self.enter(stream, |stream| stream.wake(filter, Wake::Notified));
        }
        timers_and_calls.has_woken_all()
    }

    /// Makes a stream the effective one and acts on it. No effect if it has ended.
    fn enter(&self, id: u32, act: impl FnOnce(&mut Stream<F>)) {
        self.with(id, |stream| match enter(id) {
            Ok(()) => act(stream),
            // The host has ended it; `proxy_on_delete` follows.
            Err(Status::BadArgument) => stream.stop_waiting(),
            Err(status) => {
                log::error!("a paused stream cannot be entered: {status}");
                stream.enter_later();
            }
        });
    }

    fn root(&self, id: u32) -> Option<Root<F>> {
        self.roots.try_borrow().ok()?.get(&id).cloned()
    }

    fn with<T>(&self, id: u32, act: impl FnOnce(&mut Stream<F>) -> T) -> Option<T> {
        self.streams.try_borrow_mut().ok()?.get_mut(&id).map(act)
    }
}

fn begin_callback() {
    match clock::begin_callback() {
        Some(last) => logger::follow_level(last),
        None => logger::follow_level_without_clock(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Body;
    use crate::callbacks::Callbacks;
    use crate::filter::{BodyFlow, Flow, TrailersFlow};
    use crate::message::{Request, Trailers};
    use mesh_config::Problems;
    use mesh_policy::time::Nanos;

    /// Pauses every request, and would let its body and its trailers continue.
    struct Waits;

    impl Filter for Waits {
        const NAME: &'static str = "waits";
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
        fn configure(_config: &[u8], _plugin: &Plugin) -> Result<Vec<Self>, Problems> {
            Ok(vec![Self])
        }
    }

    /// `request` and `response`: what the callbacks return.
    #[track_caller]
    fn check(dispatcher: &Dispatcher<Waits>, id: u32, request: [u32; 3], response: [u32; 3]) {
        let answers = [
            dispatcher.on_request_headers(id, false),
            dispatcher.on_request_body(id, 1, false),
            dispatcher.on_request_trailers(id),
        ];
        assert_eq!(answers, request);
        let answers = [
            dispatcher.on_response_headers(id, false),
            dispatcher.on_response_body(id, 1, false),
            dispatcher.on_response_trailers(id),
        ];
        assert_eq!(answers, response);
    }

    const HELD: [u32; 3] = [4, 1, 1];

    /// A request that has no config is held, while the reply to it continues.
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
