//! An application that knows nothing of traces.

use crate::Server;
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use mesh_filters::http::{self, Parts, Protocol};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

/// For each request, an application makes a GET request of its own to the same path, and answers with the body of the
/// response. Of the headers that it was sent it forwards `x-request-id` only.
///
/// `x-calls: 3` asks for three calls, one after the other; the bodies follow each other.
#[derive(Debug)]
pub struct Application {
    server: Server,
    next: Arc<OnceLock<SocketAddr>>,
}

impl Application {
    /// The one header that it forwards.
    const FORWARDED: &'static str = "x-request-id";

    /// Starts an application on a free port. It makes calls once it [knows](Application::calls) whom to call.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start() -> Self {
        let next = Arc::new(OnceLock::new());
        let shared = Arc::clone(&next);
        let server = Server::start(move |request| {
            let next = shared.get().copied();
            async move { Ok::<_, Infallible>(answer(next, &request).await) }
        });
        Self { server: server.await, next }
    }

    /// Address of the application.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Whom it calls. Only the first address counts.
    pub fn calls(&self, next: SocketAddr) {
        let _ = self.next.set(next);
    }
}

async fn answer(next: Option<SocketAddr>, request: &Request<Incoming>) -> Response<Parts> {
    match body(next, request).await {
        Ok(body) => Response::new(Parts::from(Bytes::from(body))),
        Err(error) => {
            let mut response = Response::new(Parts::from(Bytes::from(format!("{error:#}"))));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    }
}

async fn body(next: Option<SocketAddr>, request: &Request<Incoming>) -> anyhow::Result<Vec<u8>> {
    let next = next.ok_or_else(|| anyhow::anyhow!("there is nobody to call"))?;
    let calls =
        request.headers().get("x-calls").and_then(|calls| calls.to_str().ok()?.parse().ok()).unwrap_or(1);
    let mut body = Vec::new();
    for _ in 0..calls {
        let mut call = Request::get(request.uri().clone());
        for id in request.headers().get_all(Application::FORWARDED) {
            call = call.header(Application::FORWARDED, id);
        }
        let answer = http::send(next, Protocol::Http1, call.body(Bytes::new())?).await?;
        anyhow::ensure!(answer.status == StatusCode::OK, "{answer:?}");
        body.extend_from_slice(&answer.body);
    }
    Ok(body)
}
