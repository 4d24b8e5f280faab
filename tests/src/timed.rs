//! Measuring how long requests take, as the client sees it.

use bytes::Bytes;
use mesh_filters::http::{Load, Request, Response, Turn};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A request and its response.
#[derive(Clone, Debug)]
pub struct Timed {
    /// Which request of the load it was.
    pub turn: Turn,
    /// Before the request was sent.
    pub sent: Instant,
    /// When the response was complete.
    pub done: Instant,
    /// The response.
    pub answer: Response,
}

impl Timed {
    /// How long the response took.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.done.duration_since(self.sent)
    }
}

/// Runs a load and measures each request.
///
/// # Panics
/// If a request has no response.
pub async fn measure(
    load: Load,
    make: impl Fn(Turn) -> Request<Bytes> + Send + Sync + 'static,
) -> Vec<Timed> {
    type Key = (usize, u64);
    let key = |turn: Turn| (turn.connection, turn.sequence);
    let sent: Arc<Mutex<HashMap<Key, Instant>>> = Arc::default();
    let sending = Arc::clone(&sent);
    let all: Arc<Mutex<Vec<Timed>>> = Arc::default();
    let seen = Arc::clone(&all);
    let make = move |turn| {
        let request = make(turn);
        sending.lock().unwrap().insert(key(turn), Instant::now());
        request
    };
    let see = move |turn: Turn, answer: &Response| {
        let done = Instant::now();
        let sent = sent.lock().unwrap().remove(&key(turn)).unwrap();
        seen.lock().unwrap().push(Timed { turn, sent, done, answer: answer.clone() });
    };
    let report = load.run(make, see).await.unwrap();
    assert_eq!(report.errors, 0, "{:?}", report.example);
    std::mem::take(&mut *all.lock().unwrap())
}

/// Measures one exchange.
pub async fn timed<T>(exchange: impl Future<Output = T>) -> (Duration, T) {
    let start = Instant::now();
    let value = exchange.await;
    (start.elapsed(), value)
}

/// The duration that this percentage of the durations do not exceed.
///
/// # Panics
/// If there are none.
#[must_use]
pub fn percentile(durations: impl IntoIterator<Item = Duration>, percentage: usize) -> Duration {
    let mut sorted: Vec<_> = durations.into_iter().collect();
    sorted.sort_unstable();
    sorted[(sorted.len() * percentage).div_ceil(100).saturating_sub(1)]
}
