//! How long parts of a message are held.

use mesh_host::clock;
use mesh_policy::time::Nanos;
use std::time::Duration;

/// When the first part was held since the last release.
#[derive(Debug, Default)]
pub(crate) struct Held(Option<Nanos>);

impl Held {
    /// This many milliseconds after that.
    pub(crate) fn until(&mut self, milliseconds: u64) -> Nanos {
        let began = *self.0.get_or_insert_with(|| clock::now().unwrap_or_default());
        began.after(Duration::from_millis(milliseconds))
    }
}
