//! Token-bucket rate limiting, exact over all workers of a proxy, in bounded memory.
//!
//! [`config`] reads the config, [`policy`] decides on requests.

pub mod config;
pub mod policy;
pub mod quota;
mod summary;
