//! Counters, gauges and histograms of the proxy, shared by all its workers.
//!
//! A metric is defined once in a VM's life, also when configs come and go: the host answers a new
//! number for every definition and keeps each for ever. So a VM remembers the numbers it was
//! given. Names come from configs only, never from requests, or a client could make metrics.

use crate::abi;
use crate::log;
use rustc_hash::FxHashMap;
use std::cell::RefCell;

std::thread_local! {
    static DEFINED: RefCell<FxHashMap<(Kind, String), Option<u32>>> = RefCell::default();
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Counter = 0,
    Gauge = 1,
    Histogram = 2,
}

/// The metric's number. A host that has no metrics, or not this one, is no reason to fail: the
/// log says so once, and recording does nothing.
fn define(kind: Kind, name: &str) -> Option<u32> {
    DEFINED.with(|defined| {
        let mut defined = defined.try_borrow_mut().ok()?;
        *defined.entry((kind, name.to_owned())).or_insert_with(|| {
            abi::define_metric(kind as u32, name.as_bytes())
                .inspect_err(|status| log!(Warn, "metric `{name}` cannot be defined: {status}"))
                .ok()
        })
    })
}

/// A count that only grows.
#[derive(Clone, Copy, Debug)]
pub struct Counter(Option<u32>);

impl Counter {
    /// A counter that counts nothing.
    pub(crate) const NONE: Self = Self(None);

    /// The counter of this name; the same one if it was defined before.
    #[must_use]
    pub fn define(name: &str) -> Self {
        Self(define(Kind::Counter, name))
    }

    /// Adds one.
    pub fn increment(self) {
        if let Some(id) = self.0 {
            let _uncounted = abi::increment_metric(id, 1);
        }
    }
}

/// A value that comes and goes. The last worker to set it wins: for values that all agree on.
#[derive(Clone, Copy, Debug)]
pub struct Gauge(Option<u32>);

impl Gauge {
    /// A gauge that shows nothing.
    pub(crate) const NONE: Self = Self(None);

    /// The gauge of this name; the same one if it was defined before.
    #[must_use]
    pub fn define(name: &str) -> Self {
        Self(define(Kind::Gauge, name))
    }

    /// Sets the value.
    pub fn set(self, value: u64) {
        if let Some(id) = self.0 {
            let _unset = abi::record_metric(id, value);
        }
    }

    /// Adds to the value or takes from it, over all workers.
    pub fn add(self, difference: i64) {
        if let Some(id) = self.0.filter(|_| difference != 0) {
            let _unset = abi::increment_metric(id, difference);
        }
    }
}

/// A distribution of values.
#[derive(Clone, Copy, Debug)]
pub struct Histogram(Option<u32>);

impl Histogram {
    /// The histogram of this name; the same one if it was defined before.
    #[must_use]
    pub fn define(name: &str) -> Self {
        Self(define(Kind::Histogram, name))
    }

    /// Records one value.
    pub fn record(self, value: u64) {
        if let Some(id) = self.0 {
            let _unrecorded = abi::record_metric(id, value);
        }
    }
}
