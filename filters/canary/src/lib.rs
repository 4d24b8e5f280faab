//! Header canary routing: rules, sticky splits, a schedule and automatic rollback.
//!
//! [`config`] reads the config, [`policy`] decides on requests. [`assignment`] gives identities to variants, and [`guard`]
//! takes a variant out that fails.

pub mod assignment;
pub mod config;
pub mod guard;
pub mod policy;
mod summary;
