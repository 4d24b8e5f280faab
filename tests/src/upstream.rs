//! An upstream that reports the requests that it receives.

use crate::Server;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue, TRAILER};
use hyper::{Request, Response, StatusCode};
use mesh_filters::http::Parts;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

/// Responds to every request with its headers, one per line, then an empty line and its body, then an empty line and its
/// trailers.
///
/// Request headers control the response: `x-answer: name=value`, possibly repeated, adds a header, `x-trailer:
/// name=value` a trailer (if `te` accepts trailers); `x-slow: 200` delays it by 200 milliseconds; `x-size: 100` replaces
/// its body by [`numbered`] bytes; `x-status: 503` sets its status. [`Upstream::delay`] and [`Upstream::fail`] do so for every request.
#[derive(Debug)]
pub struct Upstream {
    server: Server,
    state: Arc<State>,
}

/// The requests that have arrived, and what becomes of them.
#[derive(Debug, Default)]
struct State {
    arrivals: Mutex<Vec<Instant>>,
    /// The first lines of requests, if they are kept.
    heads: Mutex<Option<Vec<String>>>,
    whole: AtomicUsize,
    broken: AtomicUsize,
    delay_in_millis: AtomicU64,
    failing_percentage: AtomicU64,
    /// Number of responses since the percentage was set.
    answered: AtomicU64,
}

impl State {
    /// Whether the next response fails. Failures are evenly spread.
    fn fails(&self) -> bool {
        let percentage = self.failing_percentage.load(Ordering::SeqCst);
        let answered = self.answered.fetch_add(1, Ordering::SeqCst);
        (answered + 1) * percentage / 100 > answered * percentage / 100
    }
}

impl Upstream {
    /// Starts an upstream on a free port.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start() -> Self {
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| answer(Arrival::begin(&shared), request)).await;
        Self { server, state }
    }

    /// Address of the upstream.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Number of requests whose headers have arrived.
    ///
    /// # Panics
    /// If a request panicked.
    #[must_use]
    pub fn begun(&self) -> usize {
        self.state.arrivals.lock().unwrap().len()
    }

    /// When each of them arrived.
    ///
    /// # Panics
    /// If a request panicked.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Instant> {
        self.state.arrivals.lock().unwrap().clone()
    }

    /// Keeps from now on what each request begins with, as the response has it.
    ///
    /// # Panics
    /// If a request panicked.
    pub fn keep_heads(&self) {
        *self.state.heads.lock().unwrap() = Some(Vec::new());
    }

    /// What each request that was kept begins with: its first line and its headers.
    ///
    /// # Panics
    /// If a request panicked.
    #[must_use]
    pub fn heads(&self) -> Vec<String> {
        self.state.heads.lock().unwrap().clone().unwrap_or_default()
    }

    /// Delays every response from now on.
    pub fn delay(&self, delay: Duration) {
        self.state
            .delay_in_millis
            .store(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Answers this percentage of the requests from now on with 503.
    pub fn fail(&self, percentage: u64) {
        self.state.failing_percentage.store(percentage, Ordering::SeqCst);
    }

    /// Number of requests that have arrived completely.
    #[must_use]
    pub fn whole(&self) -> usize {
        self.state.whole.load(Ordering::SeqCst)
    }

    /// Number of requests that were broken off.
    #[must_use]
    pub fn broken(&self) -> usize {
        self.state.broken.load(Ordering::SeqCst)
    }
}

/// A request that is arriving. If it is dropped before its end, it counts as broken off.
struct Arrival {
    state: Arc<State>,
    whole: bool,
}

impl Arrival {
    fn begin(state: &Arc<State>) -> Self {
        state.arrivals.lock().unwrap().push(Instant::now());
        Self { state: Arc::clone(state), whole: false }
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let count = if self.whole { &self.state.whole } else { &self.state.broken };
        count.fetch_add(1, Ordering::SeqCst);
    }
}

async fn answer(mut arrival: Arrival, request: Request<Incoming>) -> Result<Response<Parts>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?;
    arrival.whole = true;
    let state = Arc::clone(&arrival.state);
    drop(arrival);
    let number = |name| head.headers.get(name).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let is_failing = state.fails();
    let delay = number("x-slow").unwrap_or_default().max(state.delay_in_millis.load(Ordering::SeqCst));
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let mut lines = format!("{} {}\n", head.method, head.uri).into_bytes();
    write_lines(&mut lines, &head.headers);
    if let Some(heads) = &mut *state.heads.lock().unwrap() {
        heads.push(String::from_utf8_lossy(&lines).into_owned());
    }
    lines.push(b'\n');
    let trailers = body.trailers().cloned();
    lines.extend_from_slice(&body.to_bytes());
    if let Some(trailers) = trailers {
        lines.extend_from_slice(b"\n\n");
        write_lines(&mut lines, &trailers);
    }
    if let Some(size) = number("x-size") {
        lines = numbered(usize::try_from(size).unwrap_or_default());
    }
    let trailers = wanted(&head.headers, "x-trailer");
    let mut response = Response::new(Parts::from(Bytes::from(lines)).trailers(trailers.clone()));
    *response.headers_mut() = wanted(&head.headers, "x-answer");
    let status = number("x-status").and_then(|status| StatusCode::from_u16(status.try_into().ok()?).ok());
    *response.status_mut() =
        if is_failing { StatusCode::SERVICE_UNAVAILABLE } else { status.unwrap_or_default() };
    for name in trailers.keys() {
        response.headers_mut().append(TRAILER, name.clone().into());
    }
    Ok(response)
}

/// A body of this size in which no part is like another, up to 4 MiB: each eight bytes are the number of the part.
#[must_use]
pub fn numbered(size: usize) -> Vec<u8> {
    const PARTS: u64 = 512 << 10;
    static ALL: LazyLock<Vec<u8>> = LazyLock::new(|| (0..PARTS).flat_map(u64::to_be_bytes).collect());
    let mut body = ALL.repeat(size / ALL.len());
    body.extend_from_slice(&ALL[..size % ALL.len()]);
    body
}

fn write_lines(lines: &mut Vec<u8>, headers: &HeaderMap) {
    for (name, value) in headers {
        lines.extend_from_slice(name.as_str().as_bytes());
        lines.extend_from_slice(b": ");
        lines.extend_from_slice(value.as_bytes());
        lines.push(b'\n');
    }
}

/// The headers that the values `name=value` of a request header ask for.
fn wanted(headers: &HeaderMap, asking: &str) -> HeaderMap {
    let mut wanted = HeaderMap::new();
    for header in headers.get_all(asking) {
        if let Some((name, value)) = header.to_str().ok().and_then(|header| header.split_once('='))
            && let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>())
        {
            wanted.append(name, value);
        }
    }
    wanted
}
