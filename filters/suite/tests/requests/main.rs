//! Requests that pass a chain of blocks.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is its purpose"
)]

mod blocks;
mod chain;
mod host_calls;
mod routes;
