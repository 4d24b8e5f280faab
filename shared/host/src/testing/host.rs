//! The host of the current thread, as a test sees and prepares it.

use super::sent::SentCall;
use super::state::{State, StreamState};
use crate::abi::LogLevel;
use crate::status::Status;
use std::cell::RefCell;
use std::time::Duration;

std::thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
}

/// Asks the host of this thread. Fails with [`Status::Unimplemented`] if there is none.
pub(crate) fn with_state<T>(act: impl FnOnce(&mut State) -> Result<T, Status>) -> Result<T, Status> {
    STATE.with(|state| {
        let mut state = state.try_borrow_mut().map_err(|_| Status::Unimplemented)?;
        state.as_mut().map_or(Err(Status::Unimplemented), act)
    })
}

/// The host of the current thread. It exists as long as a [`Proxy`](super::Proxy) of the thread does.
#[derive(Clone, Copy, Debug)]
pub struct Host(());

impl Host {
    pub(crate) fn install() -> Self {
        STATE.with_borrow_mut(|state| *state = Some(State::default()));
        Self(())
    }

    pub(crate) fn uninstall(self) {
        STATE.with_borrow_mut(|state| *state = None);
    }

    pub(super) fn with<T>(self, act: impl FnOnce(&mut State) -> T) -> T {
        STATE.with_borrow_mut(|state| act(state.as_mut().expect("a proxy in this thread")))
    }

    pub(super) fn with_stream<T>(self, id: u32, act: impl FnOnce(&mut StreamState) -> T) -> T {
        self.with(|state| act(state.streams.get_mut(&id).expect("a stream that has not ended")))
    }

    /// The host calls so far: a line for each phase.
    #[must_use]
    pub fn counts(self) -> String {
        self.with(|state| state.counts.text())
    }

    /// Counts from zero.
    pub fn reset_counts(self) {
        self.with(|state| state.counts = super::counts::Counts::default());
    }

    /// Sets an attribute for all streams, such as `["source", "address"]`.
    pub fn set_property(self, path: &[&str], value: &str) {
        self.with(|state| state.properties.insert(path.join("\0").into_bytes(), value.as_bytes().to_vec()));
    }

    /// Makes a cluster known, so that calls to it can be sent.
    pub fn add_cluster(self, name: &str) {
        self.with(|state| state.clusters.insert(name.to_owned()));
    }

    /// Offers a foreign function.
    pub fn add_foreign(self, name: &str, function: impl FnMut(&[u8]) -> Result<Vec<u8>, Status> + 'static) {
        self.with(|state| state.foreign.insert(name.to_owned(), Box::new(function)));
    }

    /// Makes all calls of a host function fail, named as in [`Host::counts`].
    pub fn fail(self, function: &'static str) {
        self.with(|state| state.failing.insert(function));
    }

    /// Lets it succeed again.
    pub fn repair(self, function: &'static str) {
        self.with(|state| state.failing.remove(function));
    }

    /// The value of a counter or gauge; a histogram's last value. Zero if it was not defined.
    #[must_use]
    pub fn metric(self, name: &str) -> i64 {
        self.with(|state| {
            state.metrics.iter().filter(|(found, _)| found == name).map(|(_, value)| *value).sum()
        })
    }

    /// Names and values of the metrics that are not zero.
    #[must_use]
    pub fn metrics(self) -> Vec<(String, i64)> {
        self.with(|state| state.metrics.iter().filter(|(_, value)| *value != 0).cloned().collect())
    }

    /// The log so far, each line with its level in front: `warn ...`.
    #[must_use]
    pub fn log(self) -> Vec<String> {
        let level = |level| match level {
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
            LogLevel::Error => "error",
        };
        self.with(|state| state.log.iter().map(|(of, line)| format!("{} {line}", level(*of))).collect())
    }

    /// Lets lines of every level into the log. The default is `info`.
    pub fn log_debug(self) {
        self.with(|state| state.log_level = LogLevel::Debug as u32);
    }

    /// A record of shared data.
    #[must_use]
    pub fn shared_data(self, key: &[u8]) -> Option<Vec<u8>> {
        self.with(|state| state.shared_data.get(key).map(|(value, _)| value.clone()))
    }

    /// Calls that were sent and not answered yet.
    #[must_use]
    pub fn calls(self) -> Vec<SentCall> {
        self.with(|state| state.calls.values().cloned().collect())
    }

    /// Time until the timer fires; `None` if it is off.
    #[must_use]
    pub fn timer(self) -> Option<Duration> {
        self.with(|state| {
            let first = state.timers.values().map(|(_, at)| *at).min();
            first.map(|at| Duration::from_nanos(at.saturating_sub(state.monotonic)))
        })
    }

    /// Sets the wall clock alone, as an operator or NTP does.
    pub fn set_wall(self, since_epoch: Duration) {
        self.with(|state| state.wall = u64::try_from(since_epoch.as_nanos()).unwrap());
    }

    /// The monotonic clock.
    #[must_use]
    pub fn monotonic(self) -> Duration {
        self.with(|state| Duration::from_nanos(state.monotonic))
    }

    /// The wall clock.
    #[must_use]
    pub fn wall(self) -> Duration {
        self.with(|state| Duration::from_nanos(state.wall))
    }
}
