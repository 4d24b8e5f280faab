//! How many streams are woken at once.
//!
//! The proxy resumes streams after the callback that has woken them. If one gets a response at once, the module is called
//! for it, and when that call has ended, the proxy resumes the next stream from within. So all of them may be on the stack,
//! which is about a megabyte: 250 to 380 are too many (seen on Envoy 1.40.0).
//!
//! The next part of the response of the first one comes when all others have been resumed, and the stack is back at that
//! first one. So more can be woken then, and need not wait for the timer, which takes a millisecond at least.

use crate::timers_and_calls::TimersAndCalls;
use std::rc::Rc;

/// Maximum number of streams that are woken in one callback.
pub(crate) const MAX_WAKES: usize = 64;

/// Maximum number of callbacks that wake streams after a tick, until the next one. Each leaves one stream on the stack.
const MAX_ROUNDS: u32 = 8;

/// The stream that the proxy resumes first of those that a callback has woken.
pub(crate) struct Outermost {
    pub(crate) stream: u32,
    pub(crate) timers_and_calls: Rc<TimersAndCalls>,
    /// How many more callbacks may wake streams.
    rounds: u32,
}

impl Outermost {
    /// The first stream that a tick has woken.
    pub(crate) const fn of_tick(stream: u32, timers_and_calls: Rc<TimersAndCalls>) -> Self {
        Self { stream, timers_and_calls, rounds: MAX_ROUNDS }
    }

    /// The first stream that is woken from within this one; `None` if that is too deep.
    pub(crate) fn within(self, stream: u32) -> Option<Self> {
        let rounds = self.rounds.saturating_sub(1);
        (rounds > 0).then_some(Self { stream, rounds, ..self })
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
