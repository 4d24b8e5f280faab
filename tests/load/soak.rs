//! All filters in one VM under mixed load, while the config changes again and again: nothing fails but what a policy refuses,
//! and no memory is lost.

mod config;
mod mix;

use crate::alone;
use config::{Which, setup};
use e2e::{Gateway, eventually, get, show};
use mesh_filters::envoy::usage::resident_bytes;
use mesh_filters::http::{Load, Report, Until};
use mix::{Mix, Tally};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// The environment variable with the duration in seconds, not counting what is spent on finding the load.
const VARIABLE: &str = "SUITE_SOAK";
const DEFAULT: Duration = Duration::from_secs(20);

/// Connections of each protocol, and streams of each connection of HTTP/2.
const HTTP1: usize = 48;
const HTTP2: usize = 8;
const STREAMS: usize = 12;

/// Share of the highest rate at which the load is sent.
const SHARE: f64 = 0.8;

/// Growth of the memory, in bytes, that does not count as a leak.
const MAX_GROWTH: u64 = 8 << 20;

fn duration() -> Duration {
    let Some(found) = std::env::var_os(VARIABLE) else { return DEFAULT };
    let seconds = found.to_str().and_then(|text| text.parse().ok()).filter(|seconds| *seconds >= 10);
    Duration::from_secs(
        seconds.unwrap_or_else(|| panic!("{VARIABLE}: found {found:?}, expected seconds, at least 10")),
    )
}

/// A proxy, and who sends requests to it.
struct Soak {
    gateway: Gateway,
    mix: Arc<Mix>,
    tally: Arc<Tally>,
    /// The version of the config, from 1.
    version: u32,
    /// Number of responses to requests that are no part of the load.
    observed: AtomicU64,
}

impl Soak {
    async fn start() -> Self {
        let gateway = setup(Which::of(1)).start().await;
        Self {
            gateway,
            mix: Arc::new(Mix::new()),
            tally: Arc::default(),
            version: 1,
            observed: AtomicU64::new(0),
        }
    }

    /// Sends the mix with both protocols for this time. `every`: see [`Load::every`].
    fn send(&self, time: Duration, every: Duration) -> impl Future<Output = Sent> + use<> {
        let address = self.gateway.address;
        let http1 = Load { every, ..Load::http1(address, HTTP1, Until::Elapsed(time)) };
        let http2 = Load { every, ..Load::http2(address, HTTP2, STREAMS, Until::Elapsed(time)) };
        let loads = [(http1, 0), (http2, HTTP1)].map(|(load, first)| {
            let (mix, seeing, tally) = (self.mix.clone(), self.mix.clone(), self.tally.clone());
            let make = move |turn| mix.request(first, turn);
            let see = move |turn, answer: &_| tally.add(&seeing.judge(first, turn, answer));
            tokio::spawn(load.run(make, see))
        });
        async move {
            let [http1, http2] = loads;
            Sent([http1.await.unwrap().unwrap(), http2.await.unwrap().unwrap()])
        }
    }

    /// Sends the mix for this time, with a push of the other config in each interval.
    async fn send_with_pushes(&mut self, time: Duration, every: Duration, interval: Duration) -> Sent {
        let begin = Instant::now();
        let sending = tokio::spawn(self.send(time, every));
        loop {
            sleep(interval).await;
            if begin.elapsed() + interval / 2 >= time {
                return sending.await.unwrap();
            }
            self.push().await;
        }
    }

    /// Pushes the other config and waits until it serves.
    async fn push(&mut self) {
        self.version += 1;
        let which = Which::of(self.version);
        self.gateway.push(&setup(which), self.version);
        eventually("the push", || async {
            let (token, rule) = (&*self.mix.observer, which.rule());
            let answer =
                self.gateway.send(get("/", &[("authorization", token), ("x-test-fault", "abort")])).await;
            self.observed.fetch_add(1, Ordering::Relaxed);
            answer.header("x-mesh-fault").as_deref() == Some(&*rule)
        })
        .await;
    }

    /// The memory when nothing is under way and nothing drains: resident, and what the proxy's allocator has given out.
    async fn memory(&self) -> [u64; 2] {
        eventually("all connections are closed", || async {
            self.gateway.stat("http.gateway.downstream_cx_active").await == 0
                && self.gateway.stat("listener_manager.total_filter_chains_draining").await == 0
        })
        .await;
        // What is freed later goes back to the system within seconds.
        sleep(Duration::from_secs(2)).await;
        let text = self.gateway.envoy.admin().get("/memory").await.unwrap();
        let memory: serde_json::Value = serde_json::from_str(&text).unwrap();
        let allocated = memory["allocated"].as_str().unwrap().parse().unwrap();
        [resident_bytes(self.gateway.envoy.pid()).unwrap(), allocated]
    }

    /// Asserts that the proxy has answered what it has received, and that the clients have got the answers.
    ///
    /// When a connection of HTTP/2 drains, the client (hyper) may give up a request that it is just about to send or has just sent
    /// on it, and says so by an error. The proxy may have received and answered it.
    async fn assert_answered(&self, answers: u64, errors: &[Errors<'_>]) {
        let count = async |name: &str| self.gateway.stat(&format!("http.gateway.downstream_{name}")).await;
        let given_up = errors.iter().map(|(count, _)| count).sum::<u64>();
        show(&format!("{answers} requests were answered, the clients gave up {given_up}: {errors:?}"));
        let received = count("rq_total").await;
        assert!(
            (answers..=answers + given_up).contains(&received),
            "{received} received, {answers} answered"
        );
        assert!(received - count("rq_completed").await <= given_up);
        assert!(count("rq_rx_reset").await <= given_up);
        for end in ["rq_tx_reset", "cx_destroy_local_active_rq", "cx_destroy_remote_active_rq"] {
            assert_eq!(count(end).await, 0, "{end}");
        }
        assert!(
            given_up <= HTTP2 as u64 * u64::from(self.version),
            "more than one for each connection and push"
        );
    }
}

/// Requests of a phase that were not answered, and an example.
type Errors<'a> = (u64, Option<&'a str>);

/// The reports of both protocols.
struct Sent([Report; 2]);

impl Sent {
    fn answers(&self) -> u64 {
        self.0.iter().map(Report::answers).sum()
    }

    fn errors(&self) -> Errors<'_> {
        let example = self.0.iter().find_map(|report| report.example.as_deref());
        (self.0.iter().map(|report| report.errors).sum(), example)
    }

    fn rate(&self) -> f64 {
        self.0.iter().map(|report| report.answers() as f64 / report.elapsed().as_secs_f64()).sum()
    }
}

/// `SUITE_SOAK=600` sends the load for ten minutes, with a push every ten seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mixed_load_with_pushes_fails_no_request_and_loses_no_memory() {
    let _turn = alone().await;
    let time = duration();
    let first = Duration::from_secs(60).min(time / 3);
    let interval = Duration::from_secs(10).min(time / 10);
    let mut soak = Soak::start().await;
    let begin = Instant::now();

    // The highest rate, pushes included: each connection sends its next request at once.
    let highest = soak.send_with_pushes(2 * interval, Duration::ZERO, interval).await;
    let wanted = SHARE * highest.rate();
    let every = Duration::from_secs_f64((HTTP1 + HTTP2 * STREAMS) as f64 / wanted);

    let tried = soak.version;
    let warm = soak.send_with_pushes(first, every, interval).await;
    let before = soak.memory().await;
    let sent = soak.send_with_pushes(time - first, every, interval).await;
    let after = soak.memory().await;

    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    show(&format!(
        "{:.0} requests a second, {:.0} % of the most, {} pushes in {} s; resident {:.1} MiB after {} s, then {:+.1} MiB; \
         allocated {:.1} MiB, then {:+.1} MiB\n{}",
        sent.rate(),
        100.0 * SHARE * sent.rate() / wanted,
        soak.version - tried,
        time.as_secs(),
        mebibytes(before[0]),
        first.as_secs(),
        mebibytes(after[0]) - mebibytes(before[0]),
        mebibytes(before[1]),
        mebibytes(after[1]) - mebibytes(before[1]),
        soak.tally,
    ));
    soak.tally.assert_as_asked(begin.elapsed());
    let phases = [highest, warm, sent];
    let answers = phases.iter().map(Sent::answers).sum::<u64>() + soak.observed.load(Ordering::Relaxed);
    let errors: Vec<_> = phases.iter().map(Sent::errors).filter(|(count, _)| *count > 0).collect();
    soak.assert_answered(answers, &errors).await;
    for (before, after) in before.into_iter().zip(after) {
        assert!(after < before + MAX_GROWTH, "{before} grew to {after}");
    }
    assert_eq!(soak.gateway.stat("listener_manager.lds.update_rejected").await, 0);
    let stats = soak.gateway.envoy.admin().stats().await.unwrap();
    let trouble = stats.beginning("wasmcustom.mesh_filters.").filter(|(name, value)| {
        *value > 0 && ["error", "failed", "overflow", "trips"].iter().any(|end| name.ends_with(end))
    });
    assert_eq!(trouble.collect::<Vec<_>>(), []);
    soak.gateway.assert_no_trap().await;
}
