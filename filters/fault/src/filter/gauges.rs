//! The gauges of places, in the proxy.

use crate::places::{Gauge, Gauges};
use crate::policy::{Metric, Policy};
use mesh_host::{Metrics, metrics};
use mesh_policy::metric::Metric as _;
use mesh_policy::policy::Policy as _;
use mesh_policy::scope::Scope;
use std::cell::Cell;

/// The gauges of one scope.
pub(super) struct ProxyGauges {
    scope: Scope,
    active: metrics::Gauge,
    /// Defined when it is used first. A config without `in_flight` uses it as well: for requests of another config of the
    /// plugin in this VM, and of lost VMs.
    in_flight: Cell<Option<metrics::Gauge>>,
    /// The one that was used last: mostly that of this worker.
    of_worker: Cell<Option<(u16, metrics::Gauge)>>,
}

impl ProxyGauges {
    pub(super) fn new(scope: &Scope, metrics: &Metrics<Metric>) -> Self {
        Self {
            scope: scope.clone(),
            active: metrics.gauge(Metric::Active, 0),
            in_flight: Cell::new(None),
            of_worker: Cell::new(None),
        }
    }

    fn gauge(&self, gauge: Gauge) -> metrics::Gauge {
        match gauge {
            Gauge::Active => self.active,
            Gauge::InFlight => self.in_flight(),
            Gauge::InFlightOf(slot) => self.of_worker(slot),
        }
    }

    fn in_flight(&self) -> metrics::Gauge {
        let definition = Metric::InFlight.definition();
        let define = || {
            metrics::Gauge::define(&definition.full_name(Policy::NAME, &self.scope, &[self.scope.plugin()]))
        };
        let gauge = self.in_flight.get().unwrap_or_else(define);
        self.in_flight.set(Some(gauge));
        gauge
    }

    fn of_worker(&self, slot: u16) -> metrics::Gauge {
        if let Some((_, gauge)) = self.of_worker.get().filter(|(known, _)| *known == slot) {
            return gauge;
        }
        let worker = itoa::Buffer::new().format(slot).to_owned();
        let definition = Metric::InFlightOfWorker.definition();
        let name = definition.full_name(Policy::NAME, &self.scope, &[self.scope.plugin(), &worker]);
        let gauge = metrics::Gauge::define(&name);
        self.of_worker.set(Some((slot, gauge)));
        gauge
    }
}

impl Gauges for &ProxyGauges {
    fn add(&mut self, gauge: Gauge, difference: i64) {
        self.gauge(gauge).add(difference);
    }

    fn get(&mut self, gauge: Gauge) -> Option<u64> {
        self.gauge(gauge).get()
    }
}
