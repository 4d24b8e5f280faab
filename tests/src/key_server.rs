//! A key server whose behaviour can be changed while it runs.

use crate::Server;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};

/// How the server responds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// With its documents, and 404 for other paths.
    Serve,
    /// With its documents, after a delay.
    Slow(Duration),
    /// As soon as the behaviour is changed.
    Held,
    /// Never.
    Silent,
    /// With this status and an arbitrary body.
    Status(u16),
    /// With status 200 and an HTML page, like an intermediary proxy.
    Html,
    /// With half of the document, but valid framing.
    Truncated,
    /// With 10 MB of JSON.
    Huge,
    /// With an empty key set.
    Empty,
    /// With a redirect to `/elsewhere`.
    Redirect,
    /// The server does not listen.
    Refuse,
}

/// A local key server.
#[derive(Debug)]
pub struct KeyServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    listening: Option<Server>,
    /// Bound, but not listening, to reserve the port.
    held: Option<TcpSocket>,
}

#[derive(Debug)]
struct State {
    behaviour: Behaviour,
    documents: BTreeMap<String, String>,
    headers: Vec<(String, String)>,
    fetches: BTreeMap<String, u64>,
    /// `user-agent` of the last request, by path.
    agents: BTreeMap<String, String>,
}

impl KeyServer {
    /// Path of the key set.
    pub const KEYS: &str = "/.well-known/jwks.json";

    /// Path of the discovery document.
    pub const DISCOVERY: &str = "/.well-known/openid-configuration";

    /// Starts a server on a free port, with an empty key set.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let state = State {
            behaviour: Behaviour::Serve,
            documents: BTreeMap::from([(Self::KEYS.to_owned(), json!({"keys": []}).to_string())]),
            headers: Vec::new(),
            fetches: BTreeMap::new(),
            agents: BTreeMap::new(),
        };
        let mut server = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::new(Mutex::new(state)),
            listening: None,
            held: None,
        };
        server.listen(listener);
        server
    }

    /// Address of the server.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves a key set from now on.
    pub fn serve(&self, keys: &Value) {
        self.document(Self::KEYS, keys);
    }

    /// Serves a discovery document with this `jwks_uri`.
    pub fn discovery(&self, issuer: &str, jwks_uri: &str) {
        self.document(Self::DISCOVERY, &json!({"issuer": issuer, "jwks_uri": jwks_uri}));
    }

    /// Serves any document.
    pub fn document(&self, path: &str, document: &Value) {
        self.state().documents.insert(path.to_owned(), document.to_string());
    }

    /// Sets headers of the responses, such as `cache-control`.
    pub fn headers(&self, headers: &[(&str, &str)]) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.state().headers = headers.collect();
    }

    /// Number of requests for the key set, whatever the response was.
    #[must_use]
    pub fn fetches(&self) -> u64 {
        self.fetches_of(Self::KEYS)
    }

    /// Number of requests for a path.
    #[must_use]
    pub fn fetches_of(&self, path: &str) -> u64 {
        self.state().fetches.get(path).copied().unwrap_or(0)
    }

    /// `user-agent` of the last request for a path.
    #[must_use]
    pub fn user_agent(&self, path: &str) -> Option<String> {
        self.state().agents.get(path).cloned()
    }

    /// Changes the behaviour. Connections are kept, except with [`Behaviour::Refuse`].
    ///
    /// # Panics
    /// If another process has taken the port.
    pub async fn behave(&mut self, behaviour: Behaviour) {
        let refuse = behaviour == Behaviour::Refuse;
        self.state().behaviour = behaviour;
        if refuse {
            if let Some(listening) = self.listening.take() {
                listening.stop().await;
                self.held = Some(bound(self.address));
            }
        } else if let Some(held) = self.held.take() {
            self.listen(held.listen(1024).unwrap());
        }
    }

    fn listen(&mut self, listener: TcpListener) {
        let state = Arc::clone(&self.state);
        self.listening = Some(Server::of(listener, move |request| answer(Arc::clone(&state), request)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    // The address may still be in use by connections that were just closed.
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    *lock(&state).fetches.entry(path.clone()).or_default() += 1;
    while lock(&state).behaviour == Behaviour::Held {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (behaviour, document, headers) = {
        let mut state = lock(&state);
        if let Some(agent) = request.headers().get("user-agent") {
            state.agents.insert(path.clone(), String::from_utf8_lossy(agent.as_bytes()).into_owned());
        }
        (state.behaviour.clone(), state.documents.get(&path).cloned(), state.headers.clone())
    };
    match behaviour {
        Behaviour::Slow(delay) => tokio::time::sleep(delay).await,
        Behaviour::Silent => std::future::pending().await,
        _ => {}
    }
    let found = document.is_some();
    let document = document.unwrap_or_default();
    let (status, kind, body) = match behaviour {
        Behaviour::Status(status) => (status, "text/plain", format!("status {status}")),
        Behaviour::Html => (200, "text/html", "<!doctype html><title>Sign in</title>".to_owned()),
        Behaviour::Truncated => {
            (200, "application/json", document.chars().take(document.len() / 2).collect())
        }
        Behaviour::Huge => (200, "application/json", huge()),
        Behaviour::Empty => (200, "application/json", json!({"keys": []}).to_string()),
        Behaviour::Redirect => (302, "text/plain", String::new()),
        _ if found => (200, "application/json", document),
        _ => (404, "text/plain", "there is nothing here".to_owned()),
    };
    let mut response = Response::builder().status(status).header("content-type", kind);
    if behaviour == Behaviour::Redirect {
        response = response.header("location", "/elsewhere");
    }
    for (name, value) in headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::from(body)).unwrap())
}

/// 10 MB of JSON that is a key set.
fn huge() -> String {
    format!(r#"{{"keys":[],"padding":"{}"}}"#, "x".repeat(10 << 20))
}
