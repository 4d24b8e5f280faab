//! Timers and outbound calls of one plugin.

use crate::abi;
use crate::call::{Call, CallError};
use crate::clock;
use crate::status::Status;
use mesh_policy::time::Nanos;
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// Maximum number of streams that are woken in one callback; the others follow with the next tick, a millisecond later.
///
/// The proxy resumes streams after the callback. If one gets a response at once, the module is called for it, and when that
/// call has ended, the proxy resumes the next stream from within. So the streams of a callback may all be on the stack, which
/// is about a megabyte: a few hundred are too many (seen on Envoy 1.40.0).
pub(crate) const MAX_WAKES: usize = 64;

/// Timers and calls of one root context, which has a single timer of the host for all of them.
#[derive(Default)]
pub(crate) struct TimersAndCalls {
    /// Streams that wait, by the time at which they wake. A stream that ends removes its entry, so there are
    /// never more than streams.
    paused: RefCell<BTreeSet<(Nanos, u32)>>,
    /// The next tick of each filter that has asked for one: its position in the chain and the time.
    ticks: RefCell<Vec<(usize, Nanos)>>,
    /// When the host's timer fires.
    armed: Cell<Option<Nanos>>,
    /// Calls under way, with the maximum number of bytes to read of the response. Each call has a timeout,
    /// so each entry is removed.
    calls: RefCell<FxHashMap<u32, (Caller, usize)>>,
    /// Streams to wake after the current callback, with the position of the filter that has paused each. A stream that ends
    /// stays until its turn, at most [`MAX_WAKES`] a tick.
    woken: RefCell<VecDeque<(u32, usize)>>,
}

/// Who gets the response to a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Caller {
    /// A filter, for its background work.
    Background { filter: usize },
    /// A filter, for one stream.
    Stream { stream: u32, filter: usize },
}

/// What is due when the timer fires.
pub(crate) struct Due {
    pub(crate) streams: Vec<u32>,
    /// Positions of the filters whose tick is due.
    pub(crate) ticks: Vec<usize>,
}

impl TimersAndCalls {
    /// Sends a call and returns its id.
    pub(crate) fn call(&self, call: &Call, caller: Caller) -> Result<u32, CallError> {
        let call_id = call.send()?;
        let mut calls =
            self.calls.try_borrow_mut().map_err(|_| CallError::Failed(Status::InternalFailure))?;
        calls.insert(call_id, (caller, call.max_body_bytes()));
        Ok(call_id)
    }

    /// Removes a call that was answered. Returns who sent it and the maximum number of bytes to read.
    pub(crate) fn take_call(&self, call_id: u32) -> Option<(Caller, usize)> {
        self.calls.try_borrow_mut().ok()?.remove(&call_id)
    }

    pub(crate) fn wake(&self, stream: u32, filter: usize) {
        if let Ok(mut woken) = self.woken.try_borrow_mut() {
            woken.push_back((stream, filter));
        }
    }

    /// Removes the next stream that is to be woken.
    pub(crate) fn take_woken(&self) -> Option<(u32, usize)> {
        self.woken.try_borrow_mut().ok()?.pop_front()
    }

    /// Whether no stream is to be woken.
    pub(crate) fn has_woken_all(&self) -> bool {
        self.woken.try_borrow().is_ok_and(|woken| woken.is_empty())
    }

    /// Asks for a tick of a filter. An earlier one that it has asked for replaces it.
    pub(crate) fn tick_after(&self, filter: usize, time: Duration) {
        let now = clock::now();
        // Without a clock it comes with the next timer that can be set.
        let wanted = now.map(|now| now.after(time)).unwrap_or_default();
        if let Ok(mut ticks) = self.ticks.try_borrow_mut() {
            match ticks.iter_mut().find(|(asking, _)| *asking == filter) {
                Some((_, at)) => *at = wanted.min(*at),
                None => ticks.push((filter, wanted)),
            }
        }
        if let Ok(now) = now {
            self.arm(now);
        }
    }

    pub(crate) fn pause(&self, stream: u32, until: Nanos) {
        if let Ok(mut paused) = self.paused.try_borrow_mut() {
            paused.insert((until, stream));
        }
        if let Ok(now) = clock::now() {
            self.arm(now);
        }
    }

    pub(crate) fn resumed(&self, stream: u32, until: Nanos) {
        if let Ok(mut paused) = self.paused.try_borrow_mut() {
            paused.remove(&(until, stream));
        }
    }

    /// Removes what is due and returns it, of the streams at most [`MAX_WAKES`]. To be called when the timer has fired.
    pub(crate) fn due(&self, now: Nanos) -> Due {
        self.armed.set(None);
        let mut streams = Vec::new();
        if let Ok(mut paused) = self.paused.try_borrow_mut() {
            while streams.len() < MAX_WAKES
                && let Some(&(until, stream)) = paused.first().filter(|(until, _)| *until <= now)
            {
                paused.remove(&(until, stream));
                streams.push(stream);
            }
        }
        let mut due = Vec::new();
        if let Ok(mut ticks) = self.ticks.try_borrow_mut() {
            due.extend(ticks.iter().filter(|(_, at)| *at <= now).map(|(filter, _)| *filter));
            ticks.retain(|(_, at)| *at > now);
        }
        Due { streams, ticks: due }
    }

    /// Sets the host's timer to the next time of interest, or stops it: every tick enters the VM.
    pub(crate) fn arm(&self, now: Nanos) {
        let at = self.next(now);
        // Never to a later time: under steady traffic the timer would be postponed again and again.
        if at.is_some() && self.armed.get().is_some_and(|armed| Some(armed) <= at) {
            return;
        }
        let period = at.map_or(0, |at| at.since(now).as_millis());
        match abi::set_tick_period(u32::try_from(period).unwrap_or(u32::MAX)) {
            Ok(()) => self.armed.set(at),
            Err(status) => {
                self.armed.set(None);
                log::error!("the timer cannot be set: {status}");
            }
        }
    }

    /// The next time of interest, rounded up to what the timer can be set to: a number of milliseconds of at
    /// least one.
    fn next(&self, now: Nanos) -> Option<Nanos> {
        let paused = self.paused.try_borrow().ok().and_then(|paused| paused.first().map(|(until, _)| *until));
        let tick = self.ticks.try_borrow().ok().and_then(|ticks| ticks.iter().map(|(_, at)| *at).min());
        let woken = (!self.has_woken_all()).then_some(now);
        let next = [paused, tick, woken].into_iter().flatten().min()?;
        let milliseconds = next.since(now).as_nanos().div_ceil(1_000_000).max(1);
        Some(now.after(Duration::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_comes_once_and_in_order() {
        let timers = TimersAndCalls::default();
        timers.pause(1, Nanos(30));
        timers.pause(2, Nanos(10));
        timers.pause(3, Nanos(20));
        timers.resumed(3, Nanos(20));
        assert!(timers.due(Nanos(9)).streams.is_empty());
        assert_eq!(timers.due(Nanos(30)).streams, [2, 1]);
        assert!(timers.due(Nanos(99)).streams.is_empty());
    }

    #[test]
    fn more_than_a_stack_can_take_are_woken_in_several_ticks() {
        let timers = TimersAndCalls::default();
        let streams = 2 * u32::try_from(MAX_WAKES).unwrap() + 1;
        for stream in 1..=streams {
            timers.pause(stream, Nanos(stream.into()));
            timers.wake(stream, 0);
        }
        let ticks = [(); 4].map(|()| timers.due(Nanos(1_000)).streams);
        assert_eq!(ticks.concat(), (1..=streams).collect::<Vec<_>>());
        assert_eq!(ticks.map(|tick| tick.len()), [MAX_WAKES, MAX_WAKES, 1, 0]);
        // Those that were notified are due at once.
        assert_eq!(timers.next(Nanos(1_000)), Some(Nanos(1_001_000)));
        assert_eq!(std::iter::from_fn(|| timers.take_woken()).count(), streams as usize);
        assert_eq!(timers.next(Nanos(1_000)), None);
    }

    #[test]
    fn the_timer_counts_whole_milliseconds() {
        let timers = TimersAndCalls::default();
        assert_eq!(timers.next(Nanos(5)), None);
        timers.pause(1, Nanos(2_500_000));
        for (now, expected) in
            [(0, 3_000_000), (600_000, 2_600_000), (2_400_000, 3_400_000), (9_000_000, 10_000_000)]
        {
            assert_eq!(timers.next(Nanos(now)), Some(Nanos(expected)), "{now}");
        }
    }

    /// Requests that come more often than once a millisecond would put off the timer for ever.
    #[test]
    fn the_timer_is_not_put_off() {
        let timers = TimersAndCalls::default();
        timers.armed.set(Some(Nanos(3_000_000)));
        timers.pause(1, Nanos(3_000_000));
        for (stream, now) in (2..).zip((0..9_000_000).step_by(300_000)) {
            timers.pause(stream, Nanos(50_000_000));
            timers.arm(Nanos(now));
            assert_eq!(timers.armed.get(), Some(Nanos(3_000_000)));
        }
    }
}
