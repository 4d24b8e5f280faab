//! The gauges in which VMs count.

/// A gauge of the plugin, shared by all workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gauge {
    /// Places that are taken.
    Active,
    /// Requests in flight.
    InFlight,
    /// Requests in flight of the VM whose entry has this slot, which is less than [`SLOTS`](super::SLOTS).
    InFlightOf(u16),
}

/// The gauges of the proxy. They are zero at first, and outlive a VM.
pub trait Gauges {
    /// Adds a number to a gauge, in one step.
    fn add(&mut self, gauge: Gauge, difference: i64);

    /// The value of a gauge; `None` if the host call fails.
    fn get(&mut self, gauge: Gauge) -> Option<u64>;
}
