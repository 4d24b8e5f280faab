//! What the streams of one plugin share: timers and calls under way.

use crate::abi;
use crate::call::Call;
use crate::clock;
use crate::status::Status;
use mesh_policy::time::Nanos;
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

/// Timers and calls of one root context. The host has one timer for all of it.
#[derive(Default)]
pub(crate) struct Services {
    /// Paused streams by the instant at which they wake up. A stream that goes takes its entry
    /// along, so there are never more than there are paused streams.
    paused: RefCell<BTreeSet<(Nanos, u32)>>,
    /// The instant of the next tick that a stage has asked for.
    tick: Cell<Option<Nanos>>,
    /// When the host's timer fires.
    armed: Cell<Option<Nanos>>,
    /// Calls under way. Each has a timeout, so each entry goes.
    calls: RefCell<FxHashMap<u32, (Caller, usize)>>,
    /// Streams to wake after the current callback.
    woken: Cell<Vec<(u32, usize)>>,
}

/// Who gets the answer to a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Caller {
    /// A stage, for its background work.
    Stage(usize),
    /// A stage, for one stream.
    Stream { stream: u32, stage: usize },
}

/// What the timer has fired for.
pub(crate) struct Due {
    pub(crate) streams: Vec<u32>,
    pub(crate) tick: bool,
}

impl Services {
    pub(crate) fn call(&self, call: &Call, caller: Caller) -> Result<u32, Status> {
        let sent = call.send()?;
        let mut calls = self.calls.try_borrow_mut().map_err(|_| Status::InternalFailure)?;
        calls.insert(sent.number, (caller, sent.most));
        Ok(sent.number)
    }

    /// Who made the call, and how much of the answer to read.
    pub(crate) fn answered(&self, call: u32) -> Option<(Caller, usize)> {
        self.calls.try_borrow_mut().ok()?.remove(&call)
    }

    pub(crate) fn wake(&self, stream: u32, stage: usize) {
        let mut woken = self.woken.take();
        woken.push((stream, stage));
        self.woken.set(woken);
    }

    pub(crate) fn take_woken(&self) -> Vec<(u32, usize)> {
        self.woken.take()
    }

    pub(crate) fn tick_after(&self, time: Duration) {
        let Ok(now) = clock::monotonic() else { return };
        let wanted = now.after(time);
        let next = self.tick.get().map_or(wanted, |tick| tick.min(wanted));
        self.tick.set(Some(next));
        self.arm(now);
    }

    pub(crate) fn pause(&self, stream: u32, until: Nanos) {
        if let Ok(mut paused) = self.paused.try_borrow_mut() {
            paused.insert((until, stream));
        }
        if let Ok(now) = clock::monotonic() {
            self.arm(now);
        }
    }

    pub(crate) fn resumed(&self, stream: u32, until: Nanos) {
        if let Ok(mut paused) = self.paused.try_borrow_mut() {
            paused.remove(&(until, stream));
        }
    }

    /// The timer has fired: takes out what is due.
    pub(crate) fn due(&self, now: Nanos) -> Due {
        self.armed.set(None);
        let mut streams = Vec::new();
        if let Ok(mut paused) = self.paused.try_borrow_mut() {
            while let Some(&(until, stream)) = paused.first().filter(|(until, _)| *until <= now) {
                paused.remove(&(until, stream));
                streams.push(stream);
            }
        }
        let tick = self.tick.get().is_some_and(|tick| tick <= now);
        if tick {
            self.tick.set(None);
        }
        Due { streams, tick }
    }

    /// Sets the host's timer to the next instant of interest, or stops it: an idle tick is a VM
    /// entry in every thread of the proxy.
    pub(crate) fn arm(&self, now: Nanos) {
        let at = self.next(now);
        // Never to a later instant: it would be put off for as long as requests come at a rate.
        if at.is_some() && self.armed.get().is_some_and(|armed| Some(armed) <= at) {
            return;
        }
        let period = at.map_or(0, |at| at.since(now).as_millis());
        match abi::set_tick_period(u32::try_from(period).unwrap_or(u32::MAX)) {
            Ok(()) => self.armed.set(at),
            Err(status) => {
                self.armed.set(None);
                crate::log!(Error, "the timer cannot be set: {status}");
            }
        }
    }

    /// The next instant of interest for which the timer can be set: it counts whole milliseconds, from one.
    fn next(&self, now: Nanos) -> Option<Nanos> {
        let paused = self.paused.try_borrow().ok().and_then(|paused| paused.first().map(|(until, _)| *until));
        let next = [paused, self.tick.get()].into_iter().flatten().min()?;
        let milliseconds = next.since(now).as_nanos().div_ceil(1_000_000).max(1);
        Some(now.after(Duration::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_comes_once_and_in_order() {
        let services = Services::default();
        services.pause(1, Nanos(30));
        services.pause(2, Nanos(10));
        services.pause(3, Nanos(20));
        services.resumed(3, Nanos(20));
        assert!(services.due(Nanos(9)).streams.is_empty());
        assert_eq!(services.due(Nanos(30)).streams, [2, 1]);
        assert!(services.due(Nanos(99)).streams.is_empty());
    }

    #[test]
    fn the_timer_counts_whole_milliseconds() {
        let services = Services::default();
        assert_eq!(services.next(Nanos(5)), None);
        services.pause(1, Nanos(2_500_000));
        for (now, expected) in
            [(0, 3_000_000), (600_000, 2_600_000), (2_400_000, 3_400_000), (9_000_000, 10_000_000)]
        {
            assert_eq!(services.next(Nanos(now)), Some(Nanos(expected)), "{now}");
        }
    }

    /// Requests that come more often than once a millisecond would put off the timer for ever.
    #[test]
    fn the_timer_is_not_put_off() {
        let services = Services::default();
        services.armed.set(Some(Nanos(3_000_000)));
        services.pause(1, Nanos(3_000_000));
        for (stream, now) in (2..).zip((0..9_000_000).step_by(300_000)) {
            services.pause(stream, Nanos(50_000_000));
            services.arm(Nanos(now));
            assert_eq!(services.armed.get(), Some(Nanos(3_000_000)));
        }
    }
}
