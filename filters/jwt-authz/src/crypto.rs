//! Key sets, and signature checks in Envoy or in the VM.
//!
//! Envoy checks RSA and ECDSA many times faster ([`in_host`]), but supports no other algorithm, and may be built
//! without a crypto library, which [`self_test`] detects. [`in_vm`] supports all algorithms.

mod algorithm;
mod der;
pub mod in_host;
pub mod in_vm;
mod jwk;
mod key;
mod key_set;
mod protobuf;
pub mod self_test;
mod skip_reason;

#[cfg(test)]
mod tests;

pub use algorithm::Algorithm;
pub use jwk::Origin;
pub use key::{Key, Material, Secret};
pub use key_set::{KeySet, KeySetError, Skipped};
pub use skip_reason::SkipReason;
