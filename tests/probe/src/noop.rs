//! The module that does nothing, to measure what any module costs.
#![cfg(target_arch = "wasm32")]

use mesh_config::Problems;
use mesh_host::{Callbacks, Configure, Plugin, Stage};

/// Does nothing when request headers arrive.
struct Noop;

impl Stage for Noop {
    const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS;
    type Stream = ();
}

impl Configure for Noop {
    fn configure(_config: &[u8], _plugin: &Plugin) -> Result<Self, Problems> {
        Ok(Self)
    }
}

mesh_host::export!(Noop);
