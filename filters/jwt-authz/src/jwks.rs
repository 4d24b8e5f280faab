//! Remote key sets: fetched once a proxy, shared by its workers, never lost to a bad answer.
//!
//! Two records in the proxy's shared data for each source: a small one that says who fetches and when
//! ([`record`]), which every worker reads at every tick, and the key set itself, which a worker reads when
//! the small one says that it is another. All of it is a function of the records, the time and the answers;
//! [`filter`](crate::filter) makes the calls.

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
