//! Remote key sets: fetched once per proxy, shared by its workers, and kept if a fetch fails.
//!
//! Each source has two records in the proxy's shared data: a small state ([`record`]) with the lease and the times of
//! fetches, which every worker reads at every tick, and the key set, which a worker reads when the state has a new
//! set number. This module is a pure function of the records, the time and the responses; [`filter`](crate::filter)
//! makes the calls.

mod answer;
mod record;
mod source;
mod tracker;
mod unused;

pub use answer::{Answered, Failure, Next, Step, read};
pub use source::Source;
pub use tracker::{Ask, Missing, Polled, Tracker};
pub use unused::Unused;

#[cfg(test)]
mod tests;
