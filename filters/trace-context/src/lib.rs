//! Trace context: the headers by which the services of a trace know each other.
//!
//! [`format`](mod@format) reads and writes the headers of seven formats as a [`context`].

pub mod context;
mod digits;
pub mod format;
mod header;
pub mod invalid;
pub mod read;
