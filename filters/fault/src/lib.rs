//! Fault injection: delays, aborts, changed responses and throttling.
//!
//! [`config`] reads the config, [`policy`] decides, and [`filter`] holds what waits. [`places`] bounds how much is held,
//! [`budget`] how many requests are faulted. [`distribution`] gives random durations.

pub mod budget;
pub mod config;
pub mod distribution;
pub mod filter;
pub mod places;
pub mod policy;
mod status;
mod summary;
pub mod throttle;
pub mod trigger;
