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
        self.host.with(|state| state.timers.remove(&root));
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
        self.host.with(|state| {
            state.streams.insert(id, stream);
            state.roots.insert(id, self.root.get());
        });
        self.enter(Phase::Create, id, |module| module.on_context_create(id, self.root.get()));
        let action = self.call("proxy_on_request_headers", Phase::RequestHeaders, id, |module| {
            module.on_request_headers(id, end_of_stream)
        });
        self.wait(id, REQUEST, action);
        self.settle();
        Stream { proxy: self, id }
    }

    /// Moves both clocks forward and fires the timer whenever it is due.
    pub fn advance(&self, time: Duration) {
        let time = u64::try_from(time.as_nanos()).unwrap();
        let end = self.host.with(|state| state.monotonic + time);
        loop {
            let fires = self.host.with(|state| {
                let first = state.timers.iter().map(|(root, (period, at))| (*at, *root, *period)).min();
                let at = first.map_or(end, |(at, ..)| at).clamp(state.monotonic, end);
                state.wall += at - state.monotonic;
                state.monotonic = at;
                let (_, root, period) = first.filter(|(due, ..)| *due <= at)?;
                state.timers.insert(root, (period, at + period));
                Some(root)
            });
            let Some(root) = fires else { break };
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

    /// Notes that headers wait, or continue.
    fn wait(&self, id: u32, direction: usize, action: u32) {
        self.host.with_stream(id, |stream| {
            stream.waiting[direction] = action != 0;
            stream.messages[direction].headers_wait = action != 0;
        });
    }

    /// Reports a part of a body and returns whether it continues.
    fn report_part(&self, id: u32, direction: usize, bytes: &[u8], is_end: bool) -> bool {
        let size = self.host.with_stream(id, |stream| {
            stream.messages[direction].arrive(bytes, is_end);
            stream.messages[direction].part.len()
        });
        let action = if direction == REQUEST {
            self.call("proxy_on_request_body", Phase::RequestBody, id, |module| {
                module.on_request_body(id, size, is_end)
            })
        } else {
            self.call("proxy_on_response_body", Phase::ResponseBody, id, |module| {
                module.on_response_body(id, size, is_end)
            })
        };
        self.host.with_stream(id, |stream| {
            stream.waiting[direction] = action != 0;
            stream.messages[direction].answered(action);
        });
        action == 0
    }

    /// Reports trailers and returns whether they continue.
    fn report_trailers(&self, id: u32, direction: usize, resumes: bool) -> bool {
        self.host.with_stream(id, |stream| stream.messages[direction].has_trailers = true);
        let action = if direction == REQUEST {
            self.call("proxy_on_request_trailers", Phase::RequestTrailers, id, |module| {
                module.on_request_trailers(id)
            })
        } else {
            self.call("proxy_on_response_trailers", Phase::ResponseTrailers, id, |module| {
                module.on_response_trailers(id)
            })
        };
        self.host.with_stream(id, |stream| {
            stream.waiting[direction] = action != 0;
            stream.messages[direction].answered_trailers(action, resumes);
        });
        action == 0
    }

    /// Continues with a message if the module has asked for it.
    fn resume(&self, id: u32, direction: usize) {
        let behind_headers = self.host.with_stream(id, |stream| {
            let message = &mut stream.messages[direction];
            if !std::mem::take(&mut message.is_released) {
                return None;
            }
            if !std::mem::take(&mut message.headers_wait) {
                message.go_on();
                return None;
            }
            let has_trailers = std::mem::take(&mut message.has_trailers);
            Some((std::mem::take(&mut message.unreported), message.body_ended, has_trailers))
        });
        let Some((body, is_end, has_trailers)) = behind_headers else { return };
        if !body.is_empty() || is_end {
            self.report_part(id, direction, &body, is_end);
        }
        if has_trailers {
            self.report_trailers(id, direction, true);
        }
    }

    /// Carries out what a callback has asked for: messages that continue, and replies, whose response passes
    /// the module if none has begun.
    fn settle(&self) {
        let ids: Vec<_> = self.host.with(|state| state.streams.keys().copied().collect());
        for id in ids {
            self.resume(id, REQUEST);
            self.resume(id, RESPONSE);
            let reply = self.host.with_stream(id, |stream| {
                if !stream.waiting[REQUEST] && stream.reply.is_none() {
                    stream.request_sent = true;
                }
                let reply = stream.reply.clone().filter(|_| stream.reply_pending);
                stream.reply_pending = false;
                reply.filter(|_| !stream.response_started)
            });
            if let Some(LocalReply { status, headers, body, .. }) = reply {
                let status = status.to_string();
                let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                let headers: Vec<_> = [(":status", status.as_str())].into_iter().chain(headers).collect();
                self.respond_to(id, &headers, body.is_empty());
                if !body.is_empty() {
                    self.part(id, RESPONSE, body.as_bytes(), true);
                }
            }
        }
    }

    /// Sends a part of a body and returns whether it continues.
    fn part(&self, id: u32, direction: usize, bytes: &[u8], is_end: bool) -> bool {
        let waits = self.host.with_stream(id, |stream| {
            let message = &mut stream.messages[direction];
            if message.headers_wait {
                message.unreported.extend_from_slice(bytes);
                message.body_ended |= is_end;
            }
            message.headers_wait
        });
        let continues = !waits && self.report_part(id, direction, bytes, is_end);
        self.settle();
        continues
    }

    /// Sends trailers and returns whether they continue.
    fn trailers(&self, id: u32, direction: usize, map: HeaderMap, trailers: &[(&str, &str)]) -> bool {
        let waits = self.host.with_stream(id, |stream| {
            stream.maps.insert(map as u32, pairs(trailers));
            let message = &mut stream.messages[direction];
            message.has_trailers = message.headers_wait;
            message.headers_wait
        });
        let continues = !waits && self.report_trailers(id, direction, false);
        self.settle();
        continues
    }

    fn respond_to(&self, id: u32, headers: &[(&str, &str)], end_of_stream: bool) {
        self.host.with_stream(id, |stream| {
            stream.response_started = true;
            stream.maps.insert(HeaderMap::Response as u32, pairs(headers));
        });
        let action = self.call("proxy_on_response_headers", Phase::ResponseHeaders, id, |module| {
            module.on_response_headers(id, end_of_stream)
        });
        self.wait(id, RESPONSE, action);
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

    /// What has become of the request, or of its last part.
    #[must_use]
    pub fn fate(&self) -> Fate {
        self.with(|stream| match stream {
            StreamState { closed: true, .. } => Fate::Closed,
            StreamState { reply: Some(_), .. } => Fate::Replied,
            StreamState { waiting: [true, _], .. } => Fate::Waiting,
            _ => Fate::Continued,
        })
    }

    /// Whether the response, or a part of it, waits.
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
        self.proxy.part(self.id, REQUEST, bytes, end_of_stream)
    }

    /// Sends a part of the response's body and returns whether it continues.
    pub fn response_body(&self, bytes: &[u8], end_of_stream: bool) -> bool {
        self.proxy.part(self.id, RESPONSE, bytes, end_of_stream)
    }

    /// The body that the proxy keeps at the moment: the request's or, with `true`, the response's.
    #[must_use]
    pub fn held_body(&self, of_response: bool) -> String {
        self.with(|stream| stream.messages[usize::from(of_response)].kept())
    }

    /// The body as far as it has been sent on: the request's or, with `true`, the response's.
    #[must_use]
    pub fn sent_body(&self, of_response: bool) -> String {
        self.with(|stream| stream.messages[usize::from(of_response)].sent())
    }

    /// Whether the end of a body, and the trailers if there are any, have been sent on: of the request or, with `true`,
    /// of the response.
    #[must_use]
    pub fn is_complete(&self, of_response: bool) -> bool {
        self.with(|stream| stream.messages[usize::from(of_response)].is_complete())
    }

    /// Sends the request's trailers and returns whether they continue.
    pub fn trailers(&self, trailers: &[(&str, &str)]) -> bool {
        self.proxy.trailers(self.id, REQUEST, HeaderMap::RequestTrailers, trailers)
    }

    /// The request's trailers, with all edits.
    #[must_use]
    pub fn request_trailers(&self) -> Vec<(String, String)> {
        self.with(|stream| text(stream.maps.get(&(HeaderMap::RequestTrailers as u32))))
    }

    /// Sends the headers of a response with a body or trailers.
    pub fn respond(&self, headers: &[(&str, &str)]) {
        self.proxy.respond_to(self.id, headers, false);
    }

    /// Sends a response that ends with its headers.
    pub fn respond_without_body(&self, headers: &[(&str, &str)]) {
        self.proxy.respond_to(self.id, headers, true);
    }

    /// Sends the response's trailers and returns whether they continue.
    pub fn response_trailers(&self, trailers: &[(&str, &str)]) -> bool {
        self.proxy.trailers(self.id, RESPONSE, HeaderMap::ResponseTrailers, trailers)
    }

    /// The response's trailers, with all edits.
    #[must_use]
    pub fn received_trailers(&self) -> Vec<(String, String)> {
        self.with(|stream| text(stream.maps.get(&(HeaderMap::ResponseTrailers as u32))))
    }

    /// Ends the stream: the response is complete, or the client has left.
    pub fn end(self) {
        let id = self.id;
        self.proxy.host.with(|state| state.streams.remove(&id));
        self.proxy.enter(Phase::Delete, id, |module| module.on_delete(id));
        self.proxy.host.with(|state| state.roots.remove(&id));
    }
}

fn pairs(headers: &[(&str, &str)]) -> Pairs {
    headers.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

fn text(pairs: Option<&Pairs>) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    pairs.into_iter().flatten().map(|(name, value)| (text(name), text(value))).collect()
}
