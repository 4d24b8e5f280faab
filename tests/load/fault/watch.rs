//! Watching the gauges of the filter.

use e2e::{Gateway, eventually};
use mesh_filters::envoy::Admin;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Reads all gauges again and again, until it is stopped.
pub(super) struct Watch {
    is_stopped: Arc<AtomicBool>,
    looks: Arc<AtomicU64>,
    watching: JoinHandle<Seen>,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) looks: u64,
    /// The largest value of each gauge.
    pub(super) most: BTreeMap<String, u64>,
}

impl Seen {
    /// The largest value of `active`.
    pub(super) fn active(&self) -> u64 {
        self.most.get("active").copied().unwrap_or_default()
    }
}

impl Watch {
    /// Every gauge may have at most this value. A negative number would be a huge one.
    pub(super) fn start(gateway: &Gateway, most: u64) -> Self {
        let admin = gateway.envoy.admin().clone();
        let is_stopped = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&is_stopped);
        let looks = Arc::<AtomicU64>::default();
        let looking = Arc::clone(&looks);
        let watching = tokio::spawn(async move {
            let mut seen = Seen::default();
            while !stopping.load(Ordering::SeqCst) {
                seen.look(&admin, most).await;
                looking.store(seen.looks, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            seen
        });
        Self { is_stopped, looks, watching }
    }

    /// Waits for a look that has begun later than this call.
    pub(super) async fn look(&self) {
        let before = self.looks.load(Ordering::SeqCst);
        // The next one may have begun before.
        eventually("a look", || async {
            self.watching.is_finished() || self.looks.load(Ordering::SeqCst) >= before + 2
        })
        .await;
    }

    /// Stops, and returns what was seen.
    pub(super) async fn stop(self) -> Seen {
        self.is_stopped.store(true, Ordering::SeqCst);
        self.watching.await.unwrap()
    }
}

impl Seen {
    async fn look(&mut self, admin: &Admin, most: u64) {
        let text =
            admin.get("/stats?type=Gauges&filter=(active|in_flight|in_flight_of_worker)$").await.unwrap();
        for line in text.lines().filter(|line| line.contains("mesh_filters.fault.")) {
            let (name, value) = line.split_once(": ").unwrap();
            let value: u64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
            assert!(value <= most, "{line}");
            let name = name.rsplit([';', '.']).next().unwrap_or_default();
            let known = self.most.entry(name.to_owned()).or_default();
            *known = value.max(*known);
        }
        self.looks += 1;
    }
}
