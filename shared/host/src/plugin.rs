//! What a filter can do outside of streams.

use crate::call::{Call, CallError};
use crate::clock;
use crate::property;
use crate::status::Status;
use crate::timers_and_calls::{Caller, TimersAndCalls};
use mesh_policy::scope::{Block, Scope};
use mesh_policy::time::Nanos;
use std::rc::Rc;
use std::time::Duration;

/// The plugin while it reads its config. It cannot send calls: from there, a call can crash Envoy.
pub struct Plugin {
    scope: Scope,
    timers_and_calls: Rc<TimersAndCalls>,
    /// Position in the chain of the filter that ticks go to.
    filter: usize,
}

impl Plugin {
    pub(crate) fn new(timers_and_calls: Rc<TimersAndCalls>) -> Self {
        let name = property::get(&["plugin_name"]).ok().flatten().unwrap_or_default();
        let scope = Scope::of_plugin(&String::from_utf8_lossy(&name));
        Self { scope, timers_and_calls, filter: 0 }
    }

    /// The plugin for the filter at `position` of the chain: ticks that are asked for go to that filter.
    /// Without this they go to the first one.
    #[must_use]
    pub fn at(&self, position: usize) -> Self {
        Self {
            scope: self.scope.clone(),
            timers_and_calls: Rc::clone(&self.timers_and_calls),
            filter: position,
        }
    }

    /// The plugin for a block of its config. `name`: `None` if the block has the filter's name.
    #[must_use]
    pub fn with_block(mut self, name: Option<Block>) -> Self {
        self.scope = self.scope.with_block(name);
        self
    }

    /// Whose state a filter has: the plugin's, or a block's.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The plugin's name in the proxy's config, with Istio `<namespace>.<name>`. It may be empty.
    #[must_use]
    pub fn name(&self) -> &str {
        self.scope.plugin()
    }

    /// Asks for one [`Filter::on_tick`](crate::Filter::on_tick) after `time`, in this worker.
    pub fn tick_after(&self, time: Duration) {
        self.timers_and_calls.tick_after(self.filter, time);
    }
}

/// What a filter can do in a tick, and when a call is answered.
pub struct Background<'a> {
    pub(crate) timers_and_calls: &'a TimersAndCalls,
    /// Position of the filter in the chain.
    pub(crate) filter: usize,
}

impl Background<'_> {
    /// Asks for one [`Filter::on_tick`](crate::Filter::on_tick) of this filter after `time`, in this worker.
    pub fn tick_after(&self, time: Duration) {
        self.timers_and_calls.tick_after(self.filter, time);
    }

    /// Sends a call and returns its id, which comes with the response. If sending fails, there is no response.
    pub fn call(&self, call: &Call) -> Result<u32, CallError> {
        self.timers_and_calls.call(call, Caller::Background { filter: self.filter })
    }

    /// Wakes a request that this filter has paused, by its id. No effect if the stream has ended.
    pub fn wake(&self, stream: u32) {
        self.timers_and_calls.wake(stream, self.filter);
    }

    /// The monotonic clock, read once in each callback.
    pub fn now(&self) -> Result<Nanos, Status> {
        clock::now()
    }
}
