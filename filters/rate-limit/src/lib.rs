//! Token-bucket rate limiting, exact over all workers of a proxy, in bounded memory.
//!
//! [`config`] is what a user writes, [`policy`] is what follows from it.

pub mod config;
pub mod policy;
pub mod quota;
