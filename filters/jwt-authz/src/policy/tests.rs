//! Decisions on requests, as tables.

mod answers;
mod cache;
mod expressions;
mod forwarding;
mod order;
mod places;
mod providers;
mod readings;
mod registered;
mod semantics;
mod shadow;
