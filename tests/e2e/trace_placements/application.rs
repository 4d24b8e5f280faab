//! An application that forwards nothing but the request id.

use anyhow::Context as _;
use e2e::{Server, get};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use mesh_filters::http::{self, Protocol};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

/// Calls the next service for each request, and answers with what that one answers.
pub(super) struct Application {
    server: Server,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    next: OnceLock<SocketAddr>,
    /// The `traceparent` of the last request.
    traceparent: Mutex<Option<String>>,
}

impl Application {
    pub(super) async fn start() -> Self {
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| call(Arc::clone(&shared), request)).await;
        Self { server, state }
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Sets where its calls go: the outbound side of its sidecar.
    pub(super) fn call(&self, next: SocketAddr) {
        self.state.next.set(next).unwrap();
    }

    /// The `traceparent` of the last request.
    pub(super) fn traceparent(&self) -> Option<String> {
        self.state.traceparent.lock().unwrap().clone()
    }
}

async fn call(state: Arc<State>, request: Request<Incoming>) -> anyhow::Result<Response<Full<Bytes>>> {
    let header =
        |name| request.headers().get(name).map(|value| value.to_str().map(str::to_owned)).transpose();
    *state.traceparent.lock().unwrap() = header("traceparent")?;
    let id = header("x-request-id")?.unwrap_or_default();
    let next = *state.next.get().context("nothing to call")?;
    let answer = http::send(next, Protocol::Http1, get("/", &[("x-request-id", &id)])).await?;
    Ok(Response::new(Full::new(answer.body)))
}
