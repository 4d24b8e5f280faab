//! Load tests. They run one at a time, as each needs the entire machine.

mod fault;
mod jwt_authz;
mod rate_limit;
mod soak;
mod trace_context;

use tokio::sync::{Mutex, MutexGuard};

static TURN: Mutex<()> = Mutex::const_new(());

/// Waits until no other test runs.
async fn alone() -> MutexGuard<'static, ()> {
    TURN.lock().await
}
