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

    /// The value that all workers share; `None` if it cannot be read. Costs 84 ns, much less than shared data.
    #[must_use]
    pub fn get(self) -> Option<u64> {
        abi::metric(self.0?).ok()
    }

    /// Adds `difference` to the value that all workers share.
    ///
    /// The value is unsigned and has no bounds: below zero it wraps to a very large number. So only what was added may
    /// be subtracted.
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

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::{Counter, Gauge};
    use crate::testing::Host;

    /// A host with a counter `c` and a gauge `g`.
    fn with_host(act: impl FnOnce(Host, Counter, Gauge)) {
        let host = Host::install();
        super::forget_all();
        act(host, Counter::define("c"), Gauge::define("g"));
        host.uninstall();
    }

    #[test]
    fn a_counter_adds_any_number_in_one_call() {
        with_host(|host, counter, _| {
            host.reset_counts();
            counter.increment();
            counter.add(41);
            assert_eq!((host.metric("c"), host.counts().as_str()), (42, "create: 2 increment_metric\n"));
        });
    }

    /// The host would refuse it.
    #[test]
    fn nothing_to_add_is_no_call() {
        with_host(|host, counter, gauge| {
            host.reset_counts();
            counter.add(0);
            gauge.add(0);
            assert_eq!(host.counts(), "");
        });
    }

    #[test]
    fn a_number_that_no_counter_holds_is_the_largest() {
        with_host(|host, counter, _| {
            counter.add(u64::MAX);
            assert_eq!(host.metric("c"), i64::MAX);
        });
    }

    #[test]
    fn a_gauge_is_set_and_changed() {
        with_host(|host, _, gauge| {
            gauge.set(7);
            gauge.add(-2);
            assert_eq!(host.metric("g"), 5);
        });
    }

    #[test]
    fn a_gauge_is_read_without_a_buffer() {
        with_host(|host, _, gauge| {
            gauge.set(7);
            host.reset_counts();
            assert_eq!((gauge.get(), host.counts().as_str()), (Some(7), "create: 1 get_metric\n"));
            gauge.add(-9);
            assert_eq!(gauge.get(), Some(u64::MAX - 1));
            host.fail("get_metric");
            assert_eq!((gauge.get(), Gauge::NONE.get()), (None, None));
        });
    }

    #[test]
    fn a_metric_is_defined_once_and_one_that_cannot_be_does_nothing() {
        with_host(|host, _, _| {
            host.reset_counts();
            Counter::define("c").increment();
            assert_eq!(host.counts(), "create: 1 increment_metric\n");
            host.fail("define_metric");
            Counter::define("other").add(3);
            Counter::NONE.increment();
            Gauge::NONE.set(3);
            assert_eq!(host.metrics(), [("c".to_owned(), 1)]);
        });
    }
}
