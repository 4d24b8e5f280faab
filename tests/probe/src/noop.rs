//! A module that does nothing, to measure the cost of any module.
#![cfg(target_arch = "wasm32")]

use mesh_config::Problems;
use mesh_host::{Callbacks, Configure, Filter, Plugin};

/// Does nothing when request headers arrive.
struct Noop;

impl Filter for Noop {
    const NAME: &'static str = "noop";
    const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS;
    type Stream = ();
}

impl Configure for Noop {
    fn configure(_config: &[u8], _plugin: &Plugin) -> Result<Vec<Self>, Problems> {
        Ok(vec![Self])
    }
}

mesh_host::export!(Noop);
