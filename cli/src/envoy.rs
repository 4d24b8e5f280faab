//! A real Envoy: finding it, configuring it, running it, asking it.
//!
//! - [`binary`]: an executable and its version;
//! - [`locate`]: the executable to use;
//! - [`config`]: the configurations of `envoy-configs/envoy/`, with this machine's ports and paths;
//! - [`process`]: one running Envoy, stopped when it is dropped;
//! - [`admin`]: its statistics and listeners;
//! - [`usage`]: the memory and the processor time it takes.

pub mod admin;
pub mod binary;
pub mod config;
mod install;
pub mod locate;
pub mod process;
pub mod usage;

pub use admin::Admin;
pub use binary::Binary;
pub use config::Bootstrap;
pub use process::{Envoy, Launch};
