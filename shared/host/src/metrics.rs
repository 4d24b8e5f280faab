//! Counters, gauges and histograms of the proxy, shared by all its workers.
//!
//! A VM defines each metric once, whatever configs it loads: the host returns a new id for every definition
//! and never frees one (Envoy 1.40). So the ids are kept by name. Names come from the config only; from a
//! request, a client could create any number of metrics.

use crate::abi::{self, MetricKind};
use rustc_hash::FxHashMap;
use std::cell::RefCell;

std::thread_local! {
    static DEFINED: RefCell<FxHashMap<(MetricKind, String), Option<u32>>> = RefCell::default();
}

/// The id of the metric. If it cannot be defined, that is logged once, and recording does nothing.
fn define(kind: MetricKind, name: &str) -> Option<u32> {
    DEFINED.with(|defined| {
        let mut defined = defined.try_borrow_mut().ok()?;
        *defined.entry((kind, name.to_owned())).or_insert_with(|| {
            abi::define_metric(kind, name.as_bytes())
                .inspect_err(|status| log::warn!("metric `{name}` cannot be defined: {status}"))
                .ok()
        })
    })
}

/// Forgets all ids: another in-memory host takes the place of the one that gave them.
#[cfg(all(any(test, feature = "testing"), not(target_arch = "wasm32")))]
pub(crate) fn forget_all() {
    DEFINED.with_borrow_mut(FxHashMap::clear);
}

/// A value that only increases.
#[derive(Clone, Copy, Debug)]
pub struct Counter(Option<u32>);

impl Counter {
    /// A counter that counts nothing.
    pub(crate) const NONE: Self = Self(None);

    /// The counter with this name, defined on the first call.
    #[must_use]
    pub fn define(name: &str) -> Self {
        Self(define(MetricKind::Counter, name))
    }

    /// Adds one.
    pub fn increment(self) {
        self.add(1);
    }

    /// Adds `number`. The host refuses a zero.
    pub fn add(self, number: u64) {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        if let Some(id) = self.0.filter(|_| number != 0) {
            let _uncounted = abi::increment_metric(id, number);
        }
    }
}

/// A value that goes up and down. All workers share it: the last one to set it wins.
#[derive(Clone, Copy, Debug)]
pub struct Gauge(Option<u32>);

impl Gauge {
    /// A gauge that shows nothing.
    pub(crate) const NONE: Self = Self(None);

    /// The gauge with this name, defined on the first call.
    #[must_use]
    pub fn define(name: &str) -> Self {
        Self(define(MetricKind::Gauge, name))
    }

    /// Sets the value.
    pub fn set(self, value: u64) {
        if let Some(id) = self.0 {
            let _unset = abi::record_metric(id, value);
        }
    }

    /// Adds `difference` to the value that all workers share.
    pub fn add(self, difference: i64) {
        if let Some(id) = self.0.filter(|_| difference != 0) {
            let _unset = abi::increment_metric(id, difference);
        }
    }
}

/// A distribution of recorded values.
#[derive(Clone, Copy, Debug)]
pub struct Histogram(Option<u32>);

impl Histogram {
    /// The histogram with this name, defined on the first call.
    #[must_use]
    pub fn define(name: &str) -> Self {
        Self(define(MetricKind::Histogram, name))
    }

    /// Records one value.
    pub fn record(self, value: u64) {
        if let Some(id) = self.0 {
            let _unrecorded = abi::record_metric(id, value);
        }
    }
}
