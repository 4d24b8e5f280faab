//! The result of background work, as one value.

use crate::verdict::Count;
use std::time::Duration;

/// What a policy has found outside of requests. The host layer carries it out.
#[derive(Clone, Debug)]
pub struct Report<M> {
    /// Counters to increase.
    pub counts: Vec<Count<M>>,
    /// Gauges to set.
    pub gauges: Vec<GaugeValue<M>>,
    /// Log lines at level `warn`.
    pub warnings: Vec<String>,
    /// The time until the next tick, if one is wanted.
    pub tick_after: Option<Duration>,
}

/// A gauge and what it is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaugeValue<M> {
    /// The gauge.
    pub metric: M,
    /// Index of the labels' values; 0 without a label.
    pub labels: usize,
    /// What it is set to.
    pub value: u64,
}

impl<M> Default for Report<M> {
    fn default() -> Self {
        Self { counts: Vec::new(), gauges: Vec::new(), warnings: Vec::new(), tick_after: None }
    }
}
