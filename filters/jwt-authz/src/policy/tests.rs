//! Decisions on requests, as tables.

mod answers;
mod cache;
mod expressions;
mod forwarding;
pub(super) mod gateway;
mod laws;
mod order;
mod places;
mod providers;
mod readings;
mod registered;
mod semantics;
mod shadow;
