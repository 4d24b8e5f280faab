//! Signatures made by other implementations, and properties of all signatures.

pub(super) mod foreign;
#[cfg(not(target_arch = "wasm32"))]
mod laws;
pub(super) mod vectors;
