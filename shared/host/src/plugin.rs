//! The plugin as a whole: what its background work may do.

use crate::call::Call;
use crate::clock;
use crate::property;
use crate::services::{Caller, Services};
use crate::status::Status;
use std::rc::Rc;
use std::time::Duration;

/// The plugin while it reads its config. It cannot call anybody: from there a call can crash Envoy.
pub struct Plugin {
    name: String,
    services: Rc<Services>,
}

impl Plugin {
    pub(crate) fn new(services: Rc<Services>) -> Self {
        let name = property::get(&["plugin_name"]).ok().flatten().unwrap_or_default();
        Self { name: String::from_utf8_lossy(&name).into_owned(), services }
    }

    /// The plugin's name as the proxy's config has it, in Istio `<namespace>.<name>`; it may be empty.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Asks for one tick after this time, in this worker.
    pub fn tick_after(&self, time: Duration) {
        self.services.tick_after(time);
    }
}

/// What a stage may do outside of any request.
pub struct Background<'a> {
    pub(crate) services: &'a Services,
    pub(crate) stage: usize,
}

impl Background<'_> {
    /// Asks for one tick after this time, in this worker.
    pub fn tick_after(&self, time: Duration) {
        self.services.tick_after(time);
    }

    /// Sends a call; the answer comes with the number that this returns.
    ///
    /// # Errors
    /// The host's status, as [`Status::BadArgument`] for a cluster that does not exist. There is no
    /// answer then.
    pub fn call(&self, call: &Call) -> Result<u32, Status> {
        self.services.call(call, Caller::Stage(self.stage))
    }

    /// Wakes a request that this stage has paused, by its number. One that has gone is no matter.
    pub fn wake(&self, stream: u32) {
        self.services.wake(stream, self.stage);
    }

    /// The monotonic clock.
    ///
    /// # Errors
    /// The host's status.
    pub fn now(&self) -> Result<mesh_policy::time::Nanos, Status> {
        clock::monotonic()
    }
}
