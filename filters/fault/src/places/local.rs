//! What a VM knows of itself.

use super::gauges::{Gauge, Gauges};
use super::record::Entry;
use mesh_policy::time::Nanos;
use std::time::Duration;

/// The numbers of a VM, and how much of them others can see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Local {
    /// Places that it holds.
    pub(super) held: u32,
    /// Its requests in flight.
    pub(super) in_flight: u32,
    /// Its entry in the record, as last read or written.
    pub(super) entry: Option<Entry>,
    /// How many places it has in the gauge: as many as the entry; more during a write. Never fewer, so that whoever removes
    /// the entry can subtract them.
    shown: u32,
    /// How many requests it has in the gauges; zero without an entry.
    counted: u32,
}

impl Local {
    /// Whether this VM has requests in flight, or in the gauges.
    pub(super) const fn has_requests(&self) -> bool {
        self.in_flight > 0 || self.counted > 0
    }

    /// Whether this VM holds something, or has an entry.
    pub(super) const fn holds(&self) -> bool {
        self.held > 0 || self.has_requests() || self.entry.is_some()
    }

    /// Whether this VM has an entry that was renewed in the last `time`, as far as it knows.
    pub(super) fn is_renewed(&self, now: Nanos, time: Duration) -> bool {
        self.entry.is_some_and(|entry| now.since(entry.renewed) <= time)
    }

    /// Takes over what the record says of this VM's entry.
    pub(super) fn found(&mut self, entry: Option<Entry>) {
        if let (Some(lost), None) = (self.entry, entry) {
            // The VM that removed the entry has taken its numbers from the gauges.
            self.shown = self.shown.saturating_sub(lost.held);
            self.counted = 0;
        }
        self.entry = entry;
    }

    /// Adds places to the gauge, up to the number that the entry is to have.
    pub(super) fn show(&mut self, held: u32, gauges: &mut impl Gauges) {
        if held > self.shown {
            gauges.add(Gauge::Active, i64::from(held) - i64::from(self.shown));
            self.shown = held;
        }
    }

    /// Subtracts places from the gauge that the entry does not have.
    pub(super) fn hide(&mut self, gauges: &mut impl Gauges) {
        let held = self.entry.map_or(0, |entry| entry.held);
        if self.shown > held {
            gauges.add(Gauge::Active, i64::from(held) - i64::from(self.shown));
            self.shown = held;
        }
    }

    /// Brings the gauges in line with the requests in flight. Only for a VM that is sure of its entry.
    pub(super) fn count(&mut self, gauges: &mut impl Gauges) {
        let Some(entry) = self.entry else { return };
        let difference = i64::from(self.in_flight) - i64::from(self.counted);
        self.counted = self.in_flight;
        if difference > 0 {
            gauges.add(Gauge::InFlight, difference);
            gauges.add(Gauge::InFlightOf(entry.slot), difference);
        } else {
            subtract(entry.slot, -difference, gauges);
        }
    }
}

/// Subtracts requests of a slot. The gauge of all is the first to rise and the last to fall, so it is never less than
/// those of the slots together.
pub(super) fn subtract(slot: u16, requests: i64, gauges: &mut impl Gauges) {
    if requests != 0 {
        gauges.add(Gauge::InFlightOf(slot), -requests);
        gauges.add(Gauge::InFlight, -requests);
    }
}
