//! Waiting for conditions, with a deadline that only a failure reaches.

use std::time::Duration;
use tokio::time::{Instant, sleep};

const DEADLINE: Duration = Duration::from_secs(30);

/// Waits until `ask` returns true.
///
/// # Panics
/// If it does not within 30 seconds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    let deadline = Instant::now() + DEADLINE;
    while !ask().await {
        assert!(Instant::now() < deadline, "not within {DEADLINE:?}: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Tries up to so many times, until a try is not spoilt, and returns what came of that one. A try returns nothing if a busy
/// machine has spoilt it. What no busy machine causes, a try should assert.
///
/// # Panics
/// If all tries are spoilt.
pub async fn unspoilt<T>(what: &str, tries: usize, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..tries {
        if let Some(found) = attempt().await {
            return found;
        }
    }
    panic!("each of {tries} tries was spoilt: {what}");
}
