//! The words every filter speaks: what a user writes, what a request is, what a decision may do.
//!
//! Pure. There is no proxy here, no clock and no randomness: time and dice come in as values,
//! effects go out as data, so a policy can be tested with values alone.

pub mod config;
pub mod effects;
pub mod facts;
pub mod headers;
pub mod mode;
pub mod store;
pub mod time;
