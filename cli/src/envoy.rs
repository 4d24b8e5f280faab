//! A real Envoy: finding it, configuring it, running it, asking it.
//!
//! - [`locate`]: which binary;
//! - [`config`]: the configurations of `envoy-configs/envoy/`, with this machine's ports and paths;
//! - [`process`]: one running Envoy, stopped when it is dropped;
//! - [`admin`]: its statistics and listeners;
//! - [`usage`]: the memory and the processor time it takes.

pub mod admin;
pub mod config;
mod install;
pub mod locate;
pub mod process;
pub mod usage;

pub use admin::Admin;
pub use config::Bootstrap;
pub use locate::Binary;
pub use process::{Envoy, Launch};
