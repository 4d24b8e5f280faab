//! What holds under load. One test at a time: each wants the machine for itself.

mod exact;
mod memory;
mod push;
mod tokens;

use tokio::sync::{Mutex, MutexGuard};

static TURN: Mutex<()> = Mutex::const_new(());

/// Waits until the other tests are through.
async fn alone() -> MutexGuard<'static, ()> {
    TURN.lock().await
}
