//! A proxy with one module.

use super::counts::Phase;
use super::host::Host;
use super::sent::LocalReply;
use super::state::{Pairs, StreamState};
use crate::abi::HeaderMap;
use crate::callbacks::ALWAYS_EXPORTED;
use crate::dispatcher::Dispatcher;
use crate::filter::Configure;
use std::cell::Cell;
use std::time::Duration;

/// A proxy in the current thread with one module. It calls only the callbacks that the filters name, as the
/// build removes the other exports.
pub struct Proxy<F: Configure> {
    host: Host,
    dispatcher: Dispatcher<F>,
    root: Cell<u32>,
    /// The root context before, which may still serve requests.
    previous_root: Cell<u32>,
    last_id: Cell<u32>,
}

/// What has become of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It has been sent on.
    Continued,
    /// It waits in the proxy.
    Waiting,
    /// A filter has replied.
    Replied,
    /// A filter has closed the stream.
    Closed,
}

const REQUEST: usize = 0;
const RESPONSE: usize = 1;

impl<F: Configure> Proxy<F> {
    /// A proxy without a config.
    #[must_use]
    pub fn new() -> Self {
        let host = Host::install();
        crate::metrics::forget_all();
        crate::clock::forget_all();
        host.set_property(&["plugin_name"], "test");
        host.set_property(&["source", "address"], "192.0.2.1:12345");
        let [root, previous_root, last_id] = [0; 3].map(Cell::new);
        Self { host, dispatcher: Dispatcher::default(), root, previous_root, last_id }
    }

    /// A proxy with this config.
    ///
    /// # Panics
    /// If the module refuses the config.
    #[must_use]
    pub fn start(config: &str) -> Self {
        let proxy = Self::new();
        proxy.configure(config).unwrap_or_else(|log| panic!("{log:#?}"));
        proxy
    }

    /// Loads a config, as a push does: streams that began before keep the previous one.
    ///
    /// # Errors
    /// The log, if the module refuses the config. The previous one stays active.
    pub fn configure(&self, config: &str) -> Result<(), Vec<String>> {
        let root = self.next_id();
        self.host.with(|state| config.as_bytes().clone_into(&mut state.config));
        self.enter(Phase::Create, root, |module| module.on_context_create(root, 0));
        let accepted = self.enter(Phase::Configure, root, |module| module.on_configure(root, config.len()));
        if !accepted {
            return Err(self.host.log());
        }
        self.previous_root.set(self.root.replace(root));
        Ok(())
    }

    /// Removes the config before the last one, as the proxy does once no request uses it.
    pub fn remove_previous_config(&self) {
        let root = self.previous_root.take();
        self.enter(Phase::Delete, root, |module| module.on_delete(root));
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> Host {
        self.host
    }

    /// Sends a request that ends with its headers.
    pub fn request(&self, headers: &[(&str, &str)]) -> Stream<'_, F> {
        self.begin(headers, true)
    }

    /// Sends the headers of a request with a body or trailers.
    pub fn open(&self, headers: &[(&str, &str)]) -> Stream<'_, F> {
        self.begin(headers, false)
    }

    fn begin(&self, headers: &[(&str, &str)], end_of_stream: bool) -> Stream<'_, F> {
        let id = self.next_id();
        let mut stream = StreamState::default();
        stream.maps.insert(HeaderMap::Request as u32, pairs(headers));
        self.host.with(|state| state.streams.insert(id, stream));
        self.enter(Phase::Create, id, |module| module.on_context_create(id, self.root.get()));
        let action = self.call("proxy_on_request_headers", Phase::RequestHeaders, id, |module| {
            module.on_request_headers(id, end_of_stream)
        });
        self.host.with_stream(id, |stream| stream.waiting[REQUEST] = action != 0);
        self.settle();
        Stream { proxy: self, id }
    }

    /// Moves both clocks forward and fires the timer whenever it is due.
    pub fn advance(&self, time: Duration) {
        let time = u64::try_from(time.as_nanos()).unwrap();
        let end = self.host.with(|state| state.monotonic + time);
        loop {
            let fires = self.host.with(|state| {
                let at = state.timer.map_or(end, |(_, at)| at).clamp(state.monotonic, end);
                state.wall += at - state.monotonic;
                state.monotonic = at;
                let fires = state.timer.filter(|(_, due)| *due <= at);
                if let Some((period, _)) = fires {
                    state.timer = Some((period, at + period));
                }
                fires.is_some()
            });
            if !fires {
                break;
            }
            let root = self.root.get();
            self.call("proxy_on_tick", Phase::Tick, root, |module| {
                module.on_tick(root);
                0
            });
            self.settle();
        }
    }

    /// Answers an HTTP call.
    ///
    /// # Panics
    /// If no such call was sent, or it was answered before.
    pub fn respond(&self, call_id: u32, headers: &[(&str, &str)], body: &[u8]) {
        self.host.with(|state| {
            state.calls.remove(&call_id).expect("a call that waits for its response");
            state.call_response = (pairs(headers), body.to_vec());
        });
        let root = self.root.get();
        self.call("proxy_on_http_call_response", Phase::CallResponse, root, |module| {
            module.on_http_call_response(root, call_id, body.len());
            0
        });
        self.settle();
    }

    fn next_id(&self) -> u32 {
        self.last_id.set(self.last_id.get() + 1);
        self.last_id.get()
    }

    fn enter<T>(&self, phase: Phase, context: u32, act: impl FnOnce(&Dispatcher<F>) -> T) -> T {
        self.host.with(|state| (state.phase, state.effective) = (phase, context));
        act(&self.dispatcher)
    }

    /// Calls the module if it exports this callback. Otherwise the message continues.
    fn call(&self, export: &str, phase: Phase, context: u32, act: impl FnOnce(&Dispatcher<F>) -> u32) -> u32 {
        let is_exported =
            ALWAYS_EXPORTED.contains(&export) || F::CALLBACKS.exports().any(|name| name == export);
        if is_exported { self.enter(phase, context, act) } else { 0 }
    }

    /// Carries out what a callback has asked for: requests that continue, and replies, whose response passes
    /// the module if none has begun.
    fn settle(&self) {
        let ids: Vec<_> = self.host.with(|state| state.streams.keys().copied().collect());
        for id in ids {
            let reply = self.host.with_stream(id, |stream| {
                if !stream.waiting[REQUEST] && stream.reply.is_none() {
                    stream.request_sent = true;
                }
                let reply = stream.reply.clone().filter(|_| stream.reply_pending);
                stream.reply_pending = false;
                reply.filter(|_| !stream.response_started)
            });
            if let Some(LocalReply { status, headers, .. }) = reply {
                let status = status.to_string();
                let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                self.respond_to(
                    id,
                    &[(":status", status.as_str())].into_iter().chain(headers).collect::<Vec<_>>(),
                );
            }
        }
    }

    fn respond_to(&self, id: u32, headers: &[(&str, &str)]) {
        self.host.with_stream(id, |stream| {
            stream.response_started = true;
            stream.maps.insert(HeaderMap::Response as u32, pairs(headers));
        });
        let action = self.call("proxy_on_response_headers", Phase::ResponseHeaders, id, |module| {
            module.on_response_headers(id)
        });
        self.host.with_stream(id, |stream| stream.waiting[RESPONSE] = action != 0);
        self.settle();
    }
}

impl<F: Configure> Default for Proxy<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Configure> Drop for Proxy<F> {
    fn drop(&mut self) {
        self.host.uninstall();
    }
}

/// One request and its response.
pub struct Stream<'a, F: Configure> {
    proxy: &'a Proxy<F>,
    id: u32,
}

impl<F: Configure> Stream<'_, F> {
    fn with<T>(&self, act: impl FnOnce(&mut StreamState) -> T) -> T {
        self.proxy.host.with_stream(self.id, act)
    }

    /// What has become of the request.
    #[must_use]
    pub fn fate(&self) -> Fate {
        self.with(|stream| match stream {
            StreamState { closed: true, .. } => Fate::Closed,
            StreamState { reply: Some(_), .. } => Fate::Replied,
            StreamState { waiting: [true, _], .. } => Fate::Waiting,
            _ => Fate::Continued,
        })
    }

    /// Whether the response waits.
    #[must_use]
    pub fn response_waits(&self) -> bool {
        self.with(|stream| stream.waiting[RESPONSE])
    }

    /// The reply of a filter.
    #[must_use]
    pub fn reply(&self) -> Option<LocalReply> {
        self.with(|stream| stream.reply.clone())
    }

    /// The request's headers, with all edits.
    #[must_use]
    pub fn request_headers(&self) -> Vec<(String, String)> {
        self.with(|stream| text(stream.maps.get(&(HeaderMap::Request as u32))))
    }

    /// The response's headers, with all edits.
    #[must_use]
    pub fn response_headers(&self) -> Vec<(String, String)> {
        self.with(|stream| text(stream.maps.get(&(HeaderMap::Response as u32))))
    }

    /// The edits of headers and trailers so far, in order: `add x-a: 1`, `replace x-a: 1`, `remove x-a`.
    #[must_use]
    pub fn edits(&self) -> Vec<String> {
        self.with(|stream| stream.edits.clone())
    }

    /// The value of filter state `wasm.<key>`.
    #[must_use]
    pub fn filter_state(&self, key: &str) -> Option<String> {
        let value = self.with(|stream| stream.filter_state.get(key.as_bytes()).cloned());
        value.map(|value| String::from_utf8_lossy(&value).into_owned())
    }

    /// Sends a part of the request's body and returns whether it continues.
    pub fn body(&self, bytes: &[u8], end_of_stream: bool) -> bool {
        self.part(REQUEST, bytes, end_of_stream)
    }

    /// Sends a part of the response's body and returns whether it continues.
    pub fn response_body(&self, bytes: &[u8], end_of_stream: bool) -> bool {
        self.part(RESPONSE, bytes, end_of_stream)
    }

    /// The body that the proxy holds at the moment: the request's or, with `true`, the response's.
    #[must_use]
    pub fn held_body(&self, of_response: bool) -> String {
        self.with(|stream| String::from_utf8_lossy(&stream.bodies[usize::from(of_response)]).into_owned())
    }

    fn part(&self, direction: usize, bytes: &[u8], end_of_stream: bool) -> bool {
        let size = self.with(|stream| {
            stream.bodies[direction].extend_from_slice(bytes);
            stream.bodies[direction].len()
        });
        let id = self.id;
        let action = if direction == REQUEST {
            self.proxy.call("proxy_on_request_body", Phase::RequestBody, id, |module| {
                module.on_request_body(id, size, end_of_stream)
            })
        } else {
            self.proxy.call("proxy_on_response_body", Phase::ResponseBody, id, |module| {
                module.on_response_body(id, size, end_of_stream)
            })
        };
        if action == 0 && !end_of_stream {
            self.with(|stream| stream.bodies[direction].clear());
        }
        self.proxy.settle();
        action == 0
    }

    /// Sends the request's trailers and returns whether they continue.
    pub fn trailers(&self, trailers: &[(&str, &str)]) -> bool {
        self.with(|stream| stream.maps.insert(HeaderMap::RequestTrailers as u32, pairs(trailers)));
        let id = self.id;
        let action = self.proxy.call("proxy_on_request_trailers", Phase::RequestTrailers, id, |module| {
            module.on_request_trailers(id)
        });
        self.with(|stream| stream.waiting[REQUEST] = action != 0);
        self.proxy.settle();
        action == 0
    }

    /// The request's trailers, with all edits.
    #[must_use]
    pub fn request_trailers(&self) -> Vec<(String, String)> {
        self.with(|stream| text(stream.maps.get(&(HeaderMap::RequestTrailers as u32))))
    }

    /// Sends the response's headers.
    pub fn respond(&self, headers: &[(&str, &str)]) {
        self.proxy.respond_to(self.id, headers);
    }

    /// Sends the response's trailers and returns whether they continue.
    pub fn response_trailers(&self, trailers: &[(&str, &str)]) -> bool {
        self.with(|stream| stream.maps.insert(HeaderMap::ResponseTrailers as u32, pairs(trailers)));
        let id = self.id;
        let action = self.proxy.call("proxy_on_response_trailers", Phase::ResponseTrailers, id, |module| {
            module.on_response_trailers(id)
        });
        self.with(|stream| stream.waiting[RESPONSE] = action != 0);
        self.proxy.settle();
        action == 0
    }

    /// Ends the stream: the response is complete, or the client has left.
    pub fn end(self) {
        let id = self.id;
        self.proxy.host.with(|state| state.streams.remove(&id));
        self.proxy.enter(Phase::Delete, id, |module| module.on_delete(id));
    }
}

fn pairs(headers: &[(&str, &str)]) -> Pairs {
    headers.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

fn text(pairs: Option<&Pairs>) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    pairs.into_iter().flatten().map(|(name, value)| (text(name), text(value))).collect()
}
