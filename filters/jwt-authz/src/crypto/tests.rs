//! Signatures that others have made, and what holds for all.

pub(super) mod foreign;
#[cfg(not(target_arch = "wasm32"))]
mod laws;
pub(super) mod vectors;
