//! Header canary routing: rules, sticky splits, a schedule and automatic rollback.

pub mod assignment;
pub mod guard;
