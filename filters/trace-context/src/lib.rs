//! Trace context: the headers by which the services of a trace know each other.
//!
//! [`format`](mod@format) reads and writes the headers of seven formats as a [`context`], [`tracestate`] judges the header that
//! accompanies `traceparent`, [`sampling`] decides on new traces, and [`baggage`] is the header for everything else that a
//! trace carries.

pub mod baggage;
pub mod context;
mod digits;
pub mod format;
mod header;
pub mod invalid;
pub mod read;
pub mod sampling;
pub mod tracestate;
