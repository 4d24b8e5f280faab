//! A load generator: each connection sends its next request when the last response is complete.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use bytes::Bytes;
use hyper::{Request, StatusCode};
use tokio::task::JoinSet;

use super::{Connection, Parts, Protocol, Response, Unanswered};

/// Pause before a broken connection is opened again, so that it is no busy loop.
const AFTER_ERROR: Duration = Duration::from_millis(5);

/// Connections on which a request is tried until one of them takes it.
const ATTEMPTS: usize = 3;

/// A request that begins later than this after its instant moves the instants behind it, so that no more requests are made up for.
const MOST_LATE: Duration = Duration::from_secs(1);

/// A load on one address.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// The address.
    pub address: SocketAddr,
    /// The protocol.
    pub protocol: Protocol,
    /// The number of connections.
    pub connections: usize,
    /// Concurrent requests per connection: 1 for HTTP/1.1.
    pub streams: usize,
    /// The end of the load.
    pub until: Until,
    /// Pause before each request but the first; zero for none.
    pub pause: Duration,
    /// Time between the instants at which a connection, or a stream of HTTP/2, begins its requests; zero for none. What begins
    /// late because of a slow response is made up for, so the rate does not depend on the responses.
    pub every: Duration,
}

/// The end of a load: no request is sent after it, and those in flight are completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// This long after its start.
    Elapsed(Duration),
    /// After this many requests on all connections.
    Requests(u64),
}

/// Identifies a request of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The connection, from 0.
    pub connection: usize,
    /// The request on this connection, from 0, in the order of sending.
    pub sequence: u64,
}

/// The result of a load.
#[derive(Clone, Debug)]
pub struct Report {
    /// Number of responses by status.
    pub by_status: BTreeMap<StatusCode, u64>,
    /// Number of requests without a response.
    pub errors: u64,
    /// One of their errors.
    pub example: Option<String>,
    /// The start, when all connections were open and no request had been sent.
    pub start: Instant,
    /// The end, after the last response.
    pub end: Instant,
}

impl Report {
    /// Number of responses with this status.
    #[must_use]
    pub fn count(&self, status: StatusCode) -> u64 {
        self.by_status.get(&status).copied().unwrap_or(0)
    }

    /// Number of responses.
    #[must_use]
    pub fn answers(&self) -> u64 {
        self.by_status.values().sum()
    }

    /// The duration.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.end.duration_since(self.start)
    }
}

impl Load {
    /// HTTP/1.1 without pauses.
    #[must_use]
    pub const fn http1(address: SocketAddr, connections: usize, until: Until) -> Self {
        Self {
            address,
            protocol: Protocol::Http1,
            connections,
            streams: 1,
            until,
            pause: Duration::ZERO,
            every: Duration::ZERO,
        }
    }

    /// HTTP/2 without pauses.
    #[must_use]
    pub const fn http2(address: SocketAddr, connections: usize, streams: usize, until: Until) -> Self {
        Self {
            address,
            protocol: Protocol::Http2,
            connections,
            streams,
            until,
            pause: Duration::ZERO,
            every: Duration::ZERO,
        }
    }

    /// Runs the load: `make` creates each request, `see` is called with each response.
    ///
    /// # Errors
    ///
    /// A connection cannot be opened at the start, or HTTP/1.1 is to have several streams. Later failures are
    /// counted, and the connection is opened again.
    pub async fn run<M, S>(self, make: M, see: S) -> anyhow::Result<Report>
    where
        M: Fn(Turn) -> Request<Bytes> + Send + Sync + 'static,
        S: Fn(Turn, &Response) + Send + Sync + 'static,
    {
        ensure!(
            self.protocol == Protocol::Http2 || self.streams == 1,
            "HTTP/1.1 has one stream a connection"
        );
        let mut open = Vec::new();
        for connection in 0..self.connections {
            let first = Connection::open(self.address, self.protocol).await?;
            let sequence = Arc::new(AtomicU64::new(0));
            let others = (1..self.streams).filter_map(|_| first.share()).collect::<Vec<_>>();
            open.extend(others.into_iter().chain([first]).map(|lane| (connection, sequence.clone(), lane)));
        }
        let start = Instant::now();
        let shared = Arc::new(Shared { load: self, make, see, begun: AtomicU64::new(0), start });
        let mut lanes = JoinSet::new();
        let count = u32::try_from(open.len())?.max(1);
        for (index, (number, sequence, connection)) in (0..).zip(open) {
            let due = start + self.every * index / count;
            let lane = Lane { shared: shared.clone(), number, sequence, connection: Some(connection), due };
            lanes.spawn(lane.run());
        }
        let mut report =
            Report { by_status: BTreeMap::new(), errors: 0, example: None, start, end: Instant::now() };
        while let Some(tally) = lanes.join_next().await {
            report.add(tally?);
        }
        report.end = Instant::now();
        Ok(report)
    }
}

/// The shared state of all lanes.
struct Shared<M, S> {
    load: Load,
    make: M,
    see: S,
    begun: AtomicU64,
    start: Instant,
}

impl<M, S> Shared<M, S> {
    /// Counts one more request if it may be sent.
    fn begin(&self) -> bool {
        match self.load.until {
            Until::Elapsed(time) => self.start.elapsed() < time,
            Until::Requests(requests) => self.begun.fetch_add(1, Ordering::Relaxed) < requests,
        }
    }
}

/// Sends one request after the other: an HTTP/1.1 connection, or one of the streams of an HTTP/2 connection.
struct Lane<M, S> {
    shared: Arc<Shared<M, S>>,
    number: usize,
    sequence: Arc<AtomicU64>,
    connection: Option<Connection>,
    /// When the next request is to begin, if requests begin at instants.
    due: Instant,
}

/// The result of one lane.
#[derive(Default)]
struct Tally {
    by_status: BTreeMap<StatusCode, u64>,
    errors: u64,
    example: Option<String>,
}

impl<M, S> Lane<M, S>
where
    M: Fn(Turn) -> Request<Bytes>,
    S: Fn(Turn, &Response),
{
    async fn run(mut self) -> Tally {
        let mut tally = Tally::default();
        self.wait().await;
        while self.shared.begin() {
            let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
            let turn = Turn { connection: self.number, sequence };
            match self.send((self.shared.make)(turn)).await {
                Ok(answer) => {
                    *tally.by_status.entry(answer.status).or_default() += 1;
                    (self.shared.see)(turn, &answer);
                }
                Err(error) => {
                    tally.errors += 1;
                    tally.example.get_or_insert_with(|| format!("{error:#}"));
                    self.connection = None;
                    tokio::time::sleep(AFTER_ERROR).await;
                }
            }
            if !self.shared.load.pause.is_zero() {
                tokio::time::sleep(self.shared.load.pause).await;
            }
            self.wait().await;
        }
        tally
    }

    /// Waits until the next request is to begin.
    async fn wait(&mut self) {
        let every = self.shared.load.every;
        if !every.is_zero() {
            tokio::time::sleep_until(self.due.into()).await;
            self.due = self.due.max(Instant::now().checked_sub(MOST_LATE).unwrap_or(self.due)) + every;
        }
    }

    /// Sends a request. What a connection that closes did not take is sent on another one.
    async fn send(&mut self, request: Request<Bytes>) -> anyhow::Result<Response> {
        let mut request = request.map(Parts::from);
        let mut attempts = 1;
        loop {
            match self.connection().await?.try_send(request).await {
                Err(Unanswered { unsent: Some(unsent), .. }) if attempts < ATTEMPTS => request = *unsent,
                answered => return answered.map_err(|unanswered| unanswered.error),
            }
            self.connection = None;
            attempts += 1;
        }
    }

    /// The connection to send on, which is opened if there is none.
    async fn connection(&mut self) -> anyhow::Result<&mut Connection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.shared.load.address, self.shared.load.protocol).await?,
        };
        Ok(self.connection.insert(connection))
    }
}

impl Report {
    fn add(&mut self, tally: Tally) {
        for (status, count) in tally.by_status {
            *self.by_status.entry(status).or_default() += count;
        }
        self.errors += tally.errors;
        if self.example.is_none() {
            self.example = tally.example;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    const REQUESTS: u64 = 1000;

    /// A server that announces with each response that it closes the connection.
    async fn closing() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.unwrap() > 0
                    {
                    }
                    let response = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
                    stream.write_all(response).await.unwrap();
                });
            }
        });
        address
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_request_that_a_closing_connection_does_not_take_is_sent_on_another_one() {
        let load = Load::http1(closing().await, 8, Until::Requests(REQUESTS));
        let report = load.run(|_| Request::get("/").body(Bytes::new()).unwrap(), |_, _| ()).await.unwrap();
        assert_eq!((report.errors, report.answers()), (0, REQUESTS), "{:?}", report.example);
    }
}
