//! Token-bucket rate limiting, exact over all workers of a proxy, in bounded memory.
//!
//! [`config`] is what a user writes, [`policy`] what follows from it, [`filter`] how it gets into a
//! proxy.

pub mod config;
pub mod filter;
pub mod policy;
pub mod summary;
