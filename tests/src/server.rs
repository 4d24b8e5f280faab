//! An HTTP/1.1 server of the tests.

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// A server that listens until it is dropped. Its connections end with it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Serves a free port; `answer` is called when the headers of a request have arrived. If it fails, the connection ends.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start<A, F, B, E>(answer: A) -> Self
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Response<B>, E>> + Send + 'static,
        B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        Self::of(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap(), answer)
    }

    /// Serves the connections of a listener.
    pub(crate) fn of<A, F, B, E>(listener: TcpListener, answer: A) -> Self
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Response<B>, E>> + Send + 'static,
        B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        let address = listener.local_addr().unwrap();
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                // Those that have ended take no memory.
                while connections.try_join_next().is_some() {}
                let _ = stream.set_nodelay(true);
                let service = service_fn(answer.clone());
                let mut http = http1::Builder::new();
                http.max_buf_size(1 << 20).max_headers(4096);
                connections.spawn(async move {
                    // Errors of the client are ignored.
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, accepting }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it. Afterwards the port is free.
    pub(crate) async fn stop(mut self) {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
