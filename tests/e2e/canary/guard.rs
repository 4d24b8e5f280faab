//! Automatic rollback: a variant that fails is taken out.

mod outcomes;
mod pushes;
mod trips;

use super::{HEADER, metric, setup, split, with};
use e2e::{Gateway, Versions, get};
use mesh_filters::http::{Load, Response, StatusCode, Turn, Until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// The window of all guards here.
const WINDOW: Duration = Duration::from_secs(1);

/// What the upstreams take.
const DELAY: Duration = Duration::from_millis(20);

/// A guard of v2 with a window of a second.
fn guard(extra: Value) -> Value {
    with(json!({"variant": "v2", "window": "1s", "hold": "2s", "min_requests": 20}), extra)
}

/// A split of the requests under this path, half and half, with a guard.
fn guarded(name: &str, guard: Value) -> Value {
    let path = format!("/{name}");
    split(name, [50, 50], json!({"match": {"path": {"exact": path}}, "guard": guard}))
}

async fn counted(gateway: &Gateway, split: &str, name: &str) -> u64 {
    metric(gateway, &format!("split=.={split};.;{name}")).await
}

/// A counter of v2.
async fn of_v2(gateway: &Gateway, split: &str, name: &str) -> u64 {
    metric(gateway, &format!("split=.={split};.;variant=.=v2;.;{name}")).await
}

/// The log lines of trips.
fn trips(gateway: &Gateway, split: &str) -> Vec<String> {
    let log = gateway.envoy.log();
    let start = format!("split {split}: v2 ");
    log.lines().filter(|line| line.contains(&start)).map(str::to_owned).collect()
}

/// A load of different users, about 50 requests a second on each connection, until it is stopped.
struct Users {
    is_stopped: Arc<AtomicBool>,
    sending: JoinHandle<Sent>,
}

/// What came of a load.
#[derive(Debug, Default)]
struct Sent {
    answers: u64,
    /// How long the slowest response of v1 took.
    slowest: Duration,
    by_status: BTreeMap<StatusCode, u64>,
    /// Errors of requests without a response, one for each part of the load.
    errors: Vec<String>,
}

impl Users {
    fn start(gateway: &Gateway, path: &'static str) -> Self {
        const CONNECTIONS: usize = 16;
        /// Time between checks whether to stop. Each part has new connections.
        const PART: Duration = Duration::from_millis(500);
        let load = Load {
            pause: Duration::from_millis(20),
            ..Load::http1(gateway.address, CONNECTIONS, Until::Elapsed(PART))
        };
        // When the request under way on each connection was sent, and how long the slowest response of v1 took.
        let times = Arc::new(Mutex::new(([Instant::now(); CONNECTIONS], Duration::ZERO)));
        let is_stopped = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&is_stopped);
        let sending = tokio::spawn(async move {
            let mut sent = Sent::default();
            for part in 0.. {
                if stopping.load(Ordering::SeqCst) {
                    break;
                }
                let user = move |turn: Turn| format!("user-{part}-{}-{}", turn.connection, turn.sequence);
                let (sending, seeing) = (Arc::clone(&times), Arc::clone(&times));
                let make = move |turn: Turn| {
                    sending.lock().unwrap().0[turn.connection] = Instant::now();
                    get(path, &[("x-user-id", &user(turn))])
                };
                let see = move |turn: Turn, answer: &Response| {
                    let (sent, slowest) = &mut *seeing.lock().unwrap();
                    if Versions::route(answer) == "v1" {
                        *slowest = sent[turn.connection].elapsed().max(*slowest);
                    }
                };
                let report = load.run(make, see).await.unwrap();
                sent.answers += report.answers();
                for (status, answers) in report.by_status {
                    *sent.by_status.entry(status).or_default() += answers;
                }
                sent.errors.extend(report.example);
            }
            sent.slowest = times.lock().unwrap().1;
            sent
        });
        Self { is_stopped, sending }
    }

    /// Stops, and waits for all responses. Every request has one.
    async fn stop(self) -> Sent {
        self.is_stopped.store(true, Ordering::SeqCst);
        let sent = self.sending.await.unwrap();
        assert!(sent.errors.is_empty(), "{:?}", sent.errors);
        sent
    }
}

/// Two upstreams that take 20 ms, and a gateway that routes to them.
async fn start(config: Value) -> (Versions, Gateway) {
    let versions = Versions::start(&["v1", "v2"]).await;
    for name in ["v1", "v2"] {
        versions.get(name).delay(DELAY);
    }
    let gateway = versions.by_header(setup(config), HEADER).start().await;
    (versions, gateway)
}

/// Number of requests that arrived at a version within a span of time.
fn arrived(versions: &Versions, name: &str, from: Instant, to: Instant) -> usize {
    versions.get(name).arrivals().iter().filter(|arrival| (from..to).contains(arrival)).count()
}
