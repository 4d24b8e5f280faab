//! One connection.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::parts::Parts;
use super::response::Response;

/// What is spoken on a connection, without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, the connection kept.
    Http1,
    /// HTTP/2 without an upgrade ("prior knowledge").
    Http2,
}

/// A connection on which one request follows another.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    sender: Sender,
}

#[derive(Debug)]
enum Sender {
    Http1(http1::SendRequest<Parts>),
    Http2(http2::SendRequest<Parts>),
}

impl Connection {
    /// The longest that opening a connection, and each answer, may take.
    pub const DEADLINE: Duration = Duration::from_secs(30);

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// Nobody listens, or does not speak the protocol.
    pub async fn open(address: SocketAddr, protocol: Protocol) -> anyhow::Result<Self> {
        let opened = timeout(Self::DEADLINE, Sender::open(address, protocol)).await;
        let sender = opened
            .unwrap_or_else(|late| Err(late.into()))
            .with_context(|| format!("cannot connect to {address}"))?;
        Ok(Self { address, sender })
    }

    /// A second user of the same connection; only HTTP/2 carries several requests at once.
    #[must_use]
    pub fn share(&self) -> Option<Self> {
        match &self.sender {
            Sender::Http1(_) => None,
            Sender::Http2(sender) => {
                Some(Self { address: self.address, sender: Sender::Http2(sender.clone()) })
            }
        }
    }

    /// Whether another request may be sent: not after the server has announced that it closes, as one
    /// that drains does with each answer.
    pub async fn is_open(&mut self) -> bool {
        match &mut self.sender {
            Sender::Http1(sender) => sender.ready().await.is_ok(),
            Sender::Http2(sender) => sender.ready().await.is_ok(),
        }
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// # Errors
    ///
    /// The connection breaks, or the answer takes longer than [`Connection::DEADLINE`].
    pub async fn send(&mut self, request: Request<impl Into<Parts>>) -> anyhow::Result<Response> {
        let request = request.map(Into::into);
        let answered = timeout(Self::DEADLINE, self.sender.send(self.address, request)).await;
        answered
            .unwrap_or_else(|late| Err(late.into()))
            .with_context(|| format!("no answer from {}", self.address))
    }
}

impl Sender {
    async fn open(address: SocketAddr, protocol: Protocol) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        // A request is one small write, and its answer is waited for.
        stream.set_nodelay(true)?;
        let stream = TokioIo::new(stream);
        // A connection that breaks is seen by who waits for an answer on it.
        Ok(match protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(stream).await?;
                tokio::spawn(connection);
                Self::Http1(sender)
            }
            Protocol::Http2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
                tokio::spawn(connection);
                Self::Http2(sender)
            }
        })
    }

    async fn send(&mut self, address: SocketAddr, request: Request<Parts>) -> anyhow::Result<Response> {
        let answer = match self {
            Self::Http1(sender) => {
                let request = for_http1(address, request)?;
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Self::Http2(sender) => {
                let request = for_http2(address, request)?;
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        whole(answer).await
    }
}

/// HTTP/1.1 names the host in a header and only the path in the target.
fn for_http1<B>(address: SocketAddr, mut request: Request<B>) -> anyhow::Result<Request<B>> {
    if !request.headers().contains_key(HOST) {
        let host = match request.uri().authority() {
            Some(authority) => authority.to_string(),
            None => address.to_string(),
        };
        request.headers_mut().insert(HOST, HeaderValue::try_from(host)?);
    }
    if request.uri().authority().is_some() {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = Uri::try_from(path)?;
    }
    Ok(request)
}

/// HTTP/2 names the host in the target.
fn for_http2<B>(address: SocketAddr, mut request: Request<B>) -> anyhow::Result<Request<B>> {
    let host = request.headers_mut().remove(HOST);
    let authority = match (host, request.uri().authority()) {
        (Some(host), _) => String::from_utf8(host.as_bytes().to_vec()).context("the host is not text")?,
        (None, Some(authority)) => authority.to_string(),
        (None, None) => address.to_string(),
    };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = Uri::builder().scheme("http").authority(authority).path_and_query(path).build()?;
    Ok(request)
}

async fn whole(answer: hyper::Response<Incoming>) -> anyhow::Result<Response> {
    let (head, body) = answer.into_parts();
    let body = body.collect().await.context("the answer breaks off")?;
    let trailers = body.trailers().cloned().unwrap_or_default();
    Ok(Response {
        status: head.status,
        version: head.version,
        headers: head.headers,
        body: body.to_bytes(),
        trailers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8);

    #[test]
    fn a_path_is_enough() {
        let request = || Request::get("/a?b").body(Bytes::new()).unwrap();
        let http1 = for_http1(ADDRESS, request()).unwrap();
        assert_eq!(http1.uri(), "/a?b");
        assert_eq!(http1.headers()[HOST], "127.0.0.1:8");
        assert_eq!(for_http2(ADDRESS, request()).unwrap().uri(), "http://127.0.0.1:8/a?b");
    }

    #[test]
    fn the_host_that_the_request_names_is_sent() {
        let request = || Request::get("http://there:1/a").header(HOST, "here").body(Bytes::new()).unwrap();
        let http1 = for_http1(ADDRESS, request()).unwrap();
        assert_eq!(http1.uri(), "/a");
        assert_eq!(http1.headers()[HOST], "here");
        let http2 = for_http2(ADDRESS, request()).unwrap();
        assert_eq!(http2.uri(), "http://here/a");
        assert!(!http2.headers().contains_key(HOST));
    }
}
