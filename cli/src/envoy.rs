//! Finds, configures, runs and queries a real Envoy.
//!
//! - [`binary`]: an executable and its version;
//! - [`locate`]: the executable to use;
//! - [`config`]: the configurations of `envoy-configs/envoy/`, adapted to this machine;
//! - [`process`]: a running Envoy, which stops when it is dropped;
//! - [`admin`]: its statistics and listeners;
//! - [`usage`]: its memory and processor time.

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
