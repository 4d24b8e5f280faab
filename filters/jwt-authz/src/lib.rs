//! JWT authorization: verifies tokens against rotating key sets and evaluates rules on their claims.
//!
//! [`config`] reads the config, [`policy`] decides on requests, and [`filter`] connects the policy to the proxy.
//! [`crypto`] checks signatures, and [`jwks`] keeps key sets up to date.

pub mod config;
pub mod crypto;
pub mod filter;
pub mod jwks;
pub mod policy;
mod summary;
