//! An upstream that says what it got.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Answers every request with its headers, a line each, and its body behind an empty line.
///
/// Request headers steer the answer: `x-answer: name=value` adds a header to it, as often as it is
/// sent; `x-slow: 200` delays it by so many milliseconds; `x-size: 100` makes its body so long.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Upstream {
    /// Begins to listen on any free port.
    ///
    /// # Panics
    /// If there is none.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(async move {
                    // A client that goes away is not our concern.
                    let mut server = http1::Builder::new();
                    server.max_buf_size(1 << 20).max_headers(4096);
                    let _ = server.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
                });
            }
        });
        Self { address, serving }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let number = |name| head.headers.get(name).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if let Some(milliseconds) = number("x-slow") {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    let mut lines = format!("{} {}\n", head.method, head.uri).into_bytes();
    for (name, value) in &head.headers {
        lines.extend_from_slice(name.as_str().as_bytes());
        lines.extend_from_slice(b": ");
        lines.extend_from_slice(value.as_bytes());
        lines.push(b'\n');
    }
    lines.push(b'\n');
    lines.extend_from_slice(&body.collect().await.map(|body| body.to_bytes()).unwrap_or_default());
    if let Some(size) = number("x-size") {
        lines = vec![b'x'; usize::try_from(size).unwrap_or_default()];
    }
    let mut response = Response::new(Full::new(Bytes::from(lines)));
    for header in head.headers.get_all("x-answer") {
        if let Some((name, value)) = header.to_str().ok().and_then(|header| header.split_once('='))
            && let (Ok(name), Ok(value)) = (name.parse::<hyper::header::HeaderName>(), value.parse())
        {
            response.headers_mut().append(name, value);
        }
    }
    Ok(response)
}
