//! Fault injection: delays, aborts, changed responses and throttling.

pub mod budget;
pub mod distribution;
pub mod places;
pub mod trigger;
