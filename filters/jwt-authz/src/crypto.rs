//! Signatures: the keys that a key set gives, and the two places that can check with them.
//!
//! The host is many times faster at RSA and ECDSA ([`in_host`] speaks to it), but has no other
//! algorithm and may be built without any: [`self_test`] finds out. [`in_vm`] has all of them.

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
