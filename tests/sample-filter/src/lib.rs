//! Refuses requests that lack a header, and marks the responses to the others.

pub mod config;
pub mod policy;
