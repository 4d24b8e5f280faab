//! The places of a plugin, as one config of this worker uses them.

use super::gauges::ProxyGauges;
use crate::places::{Places, RENEWAL};
use crate::policy::Metric;
use mesh_config::Problems;
use mesh_host::{Background, Metrics, SharedData, clock, random};
use mesh_policy::scope::Scope;
use mesh_policy::store::StoreError;
use mesh_policy::time::Nanos;
use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::time::Duration;

thread_local! {
    /// The places of each scope in this VM. Holds nothing of a config.
    static PLACES: Cell<Vec<(Scope, Weak<Places>)>> = const { Cell::new(Vec::new()) };
}

/// Version and prefix of the records' names.
const LAYOUT: &str = "mesh_filters.fault/places/1";

/// Time after which a new VM first removes the entries of VMs that were lost.
const FIRST_RENEWAL: Duration = Duration::from_secs(10);

/// The places of a plugin, for one of its configs.
pub(super) struct Worker {
    /// Those of this VM, for all configs of the plugin.
    places: Rc<Places>,
    gauges: ProxyGauges,
    /// Whether a tick is under way in which this VM keeps its places.
    is_ticking: Cell<bool>,
    /// Whether a config of the block asks how many requests are in flight: then those of all its routes count.
    counts_in_flight: Cell<bool>,
    /// When the config was loaded.
    since: Nanos,
}

impl Worker {
    /// `tick_after` asks for a first tick.
    ///
    /// # Errors
    /// The proxy gives no random numbers.
    pub(super) fn new(
        scope: &Scope,
        metrics: &Metrics<Metric>,
        tick_after: impl FnOnce(Duration),
    ) -> Result<Self, Problems> {
        tick_after(FIRST_RENEWAL);
        Ok(Self {
            places: places(scope)?,
            gauges: ProxyGauges::new(scope, metrics),
            is_ticking: Cell::new(false),
            counts_in_flight: Cell::new(false),
            since: clock::now().unwrap_or_default(),
        })
    }

    /// Counts requests in flight, if a config wants it.
    pub(super) fn count_in_flight_if(&self, is_wanted: bool) {
        self.counts_in_flight.set(self.counts_in_flight.get() || is_wanted);
    }

    /// Whether requests in flight are counted.
    pub(super) fn counts_in_flight(&self) -> bool {
        self.counts_in_flight.get()
    }

    /// Takes a place. Returns whether there was one.
    ///
    /// # Errors
    /// The proxy has failed.
    pub(super) fn take(
        &self,
        max: Option<u32>,
        tick_after: impl FnOnce(Duration),
    ) -> Result<bool, StoreError> {
        self.keep(tick_after);
        self.places.take(max, &mut SharedData, &mut &self.gauges)
    }

    /// Gives back a place that was taken.
    pub(super) fn give_back(&self) {
        self.places.give_back(&mut SharedData, &mut &self.gauges);
    }

    /// Counts a request that begins. Returns how many others are in flight, if that is known.
    pub(super) fn begin(&self, tick_after: impl FnOnce(Duration)) -> Option<u64> {
        self.keep(tick_after);
        self.places.begin(now_or_late(), &mut SharedData, &mut &self.gauges)
    }

    /// Counts the end of a request that has begun.
    pub(super) fn end(&self) {
        self.places.end(now_or_late(), &mut SharedData, &mut &self.gauges);
    }

    /// Keeps what this VM holds, and frees what lost VMs held.
    pub(super) fn on_tick(&self, background: &Background<'_>) {
        let is_busy = self.places.renew(&mut SharedData, &mut &self.gauges);
        self.is_ticking.set(is_busy);
        if is_busy {
            background.tick_after(RENEWAL);
        } else if let Ok(now) = background.now() {
            // An earlier tick has replaced the first one.
            let age = now.since(self.since);
            if age < FIRST_RENEWAL {
                background.tick_after(FIRST_RENEWAL.saturating_sub(age));
            }
        }
    }

    /// Sees to it that this VM keeps its places while it has any.
    fn keep(&self, tick_after: impl FnOnce(Duration)) {
        if !self.is_ticking.replace(true) {
            tick_after(RENEWAL);
        }
    }
}

/// The current time. Without a clock it is the latest one: a VM that cannot tell how old its entry is has to renew it.
fn now_or_late() -> Nanos {
    clock::now().unwrap_or(Nanos(u64::MAX))
}

/// The places of a scope in this VM.
fn places(scope: &Scope) -> Result<Rc<Places>, Problems> {
    let mut all = PLACES.take();
    all.retain(|(_, places)| places.strong_count() > 0);
    let known = all.iter().find(|(known, _)| known == scope).and_then(|(_, places)| places.upgrade());
    let places = known.map_or_else(|| new_places(scope, &mut all), Ok);
    PLACES.set(all);
    places
}

fn new_places(scope: &Scope, all: &mut Vec<(Scope, Weak<Places>)>) -> Result<Rc<Places>, Problems> {
    let owner = random::number().map_err(|status| {
        Problems::one(format!("the proxy gives no random numbers, and the filter needs them: {status}"))
    })?;
    let places = Rc::new(Places::new(scope.record_name(LAYOUT), owner));
    all.push((scope.clone(), Rc::downgrade(&places)));
    Ok(places)
}
