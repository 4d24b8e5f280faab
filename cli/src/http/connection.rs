//! A client connection.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::parts::Parts;
use super::response::Response;

/// A protocol, without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 with a persistent connection.
    Http1,
    /// HTTP/2 with prior knowledge.
    Http2,
}

/// A connection that sends one request after the other.
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
    /// Maximum time to open a connection, and for each response.
    pub const DEADLINE: Duration = Duration::from_secs(30);

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// The connection is refused, or the server does not speak the protocol.
    pub async fn open(address: SocketAddr, protocol: Protocol) -> anyhow::Result<Self> {
        let opened = timeout(Self::DEADLINE, Sender::open(address, protocol)).await;
        let sender = opened
            .unwrap_or_else(|late| Err(late.into()))
            .with_context(|| format!("cannot connect to {address}"))?;
        Ok(Self { address, sender })
    }

    /// A second sender on the same connection; `None` for HTTP/1.1, which has one request at a time.
    #[must_use]
    pub fn share(&self) -> Option<Self> {
        match &self.sender {
            Sender::Http1(_) => None,
            Sender::Http2(sender) => {
                Some(Self { address: self.address, sender: Sender::Http2(sender.clone()) })
            }
        }
    }

    /// Whether another request may be sent: not after the server has announced that it closes, as a draining
    /// server does with each response.
    pub async fn is_open(&mut self) -> bool {
        match &mut self.sender {
            Sender::Http1(sender) => sender.ready().await.is_ok(),
            Sender::Http2(sender) => sender.ready().await.is_ok(),
        }
    }

    /// Sends a request and waits for the complete response.
    ///
    /// # Errors
    ///
    /// The connection breaks, or the response takes longer than [`Connection::DEADLINE`].
    pub async fn send(&mut self, request: Request<impl Into<Parts>>) -> anyhow::Result<Response> {
        self.try_send(request).await.map_err(|unanswered| unanswered.error)
    }

    /// Like [`Connection::send`], but an error has the request if nothing of it was sent, so that it may be sent on another
    /// connection.
    ///
    /// # Errors
    ///
    /// As for [`Connection::send`].
    pub async fn try_send(&mut self, request: Request<impl Into<Parts>>) -> Result<Response, Unanswered> {
        let request = request.map(Into::into);
        let answered = timeout(Self::DEADLINE, self.sender.send(self.address, request)).await;
        answered.unwrap_or_else(|late| Err(late.into())).map_err(|unanswered| Unanswered {
            error: unanswered.error.context(format!("no response from {}", self.address)),
            ..unanswered
        })
    }
}

/// Why a request has no response.
#[derive(Debug)]
pub struct Unanswered {
    /// The reason.
    pub error: anyhow::Error,
    /// The request if nothing of it was sent, as when the server has just announced that it closes the connection.
    pub unsent: Option<Box<Request<Parts>>>,
}

impl<E: Into<anyhow::Error>> From<E> for Unanswered {
    fn from(error: E) -> Self {
        Self { error: error.into(), unsent: None }
    }
}

impl Unanswered {
    fn unsent(error: hyper::Error, request: Request<Parts>) -> Self {
        Self { error: error.into(), unsent: Some(Box::new(request)) }
    }

    fn sending(mut error: TrySendError<Request<Parts>>) -> Self {
        let unsent = error.take_message().map(Box::new);
        Self { error: error.into_error().into(), unsent }
    }
}

impl Sender {
    async fn open(address: SocketAddr, protocol: Protocol) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        // A request is one small write, followed by a wait for the response.
        stream.set_nodelay(true)?;
        let stream = TokioIo::new(stream);
        // Whoever waits for a response sees that the connection breaks.
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

    async fn send(&mut self, address: SocketAddr, request: Request<Parts>) -> Result<Response, Unanswered> {
        let answer = match self {
            Self::Http1(sender) => {
                let request = for_http1(address, request)?;
                match sender.ready().await {
                    Ok(()) => sender.try_send_request(request).await,
                    Err(error) => return Err(Unanswered::unsent(error, request)),
                }
            }
            Self::Http2(sender) => {
                let request = for_http2(address, request)?;
                match sender.ready().await {
                    Ok(()) => sender.try_send_request(request).await,
                    Err(error) => return Err(Unanswered::unsent(error, request)),
                }
            }
        };
        Ok(whole(answer.map_err(Unanswered::sending)?).await?)
    }
}

/// HTTP/1.1: the host is in a header, and the target is the path.
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

/// HTTP/2: the host is in the target.
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
    let body = body.collect().await.context("the response is incomplete")?;
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
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

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

    /// A server that closes a connection when a request has come, or at once.
    async fn closing(reads: bool) -> Connection {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connection = Connection::open(listener.local_addr().unwrap(), Protocol::Http1).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            if reads {
                stream.read_u8().await.unwrap();
            }
        });
        connection
    }

    #[tokio::test]
    async fn a_request_comes_back_if_nothing_of_it_was_sent() {
        let request = || Request::get("/a").body(Bytes::new()).unwrap();
        let mut connection = closing(false).await;
        while connection.is_open().await {
            tokio::task::yield_now().await;
        }
        let unsent = connection.try_send(request()).await.unwrap_err().unsent.unwrap();
        assert_eq!(unsent.uri(), "/a");
        let sent = closing(true).await.try_send(request()).await.unwrap_err();
        assert!(sent.unsent.is_none(), "{sent:?}");
    }
}
