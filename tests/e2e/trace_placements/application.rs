//! An application that forwards nothing but the request id.

use anyhow::Context as _;
use e2e::get;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use mesh_filters::http::{self, Protocol};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Calls the next service for each request, and answers with what that one answers.
pub(super) struct Application {
    address: SocketAddr,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    next: OnceLock<SocketAddr>,
    /// The `traceparent` of the last request.
    traceparent: Mutex<Option<String>>,
}

impl Application {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(|request| call(&state, request));
                    // Errors of the client are ignored.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, state, serving }
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
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

impl Drop for Application {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn call(state: &State, request: Request<Incoming>) -> anyhow::Result<Response<Full<Bytes>>> {
    let header =
        |name| request.headers().get(name).map(|value| value.to_str().map(str::to_owned)).transpose();
    *state.traceparent.lock().unwrap() = header("traceparent")?;
    let id = header("x-request-id")?.unwrap_or_default();
    let next = *state.next.get().context("nothing to call")?;
    let answer = http::send(next, Protocol::Http1, get("/", &[("x-request-id", &id)])).await?;
    Ok(Response::new(Full::new(answer.body)))
}
