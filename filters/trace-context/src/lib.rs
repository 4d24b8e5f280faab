//! Trace context: the headers by which the services of a trace know each other.
//!
//! [`format`](mod@format) reads and writes the headers of seven formats as a [`context`], [`tracestate`] judges the header that
//! accompanies `traceparent`, and [`sampling`] decides on new traces.

pub mod context;
mod digits;
pub mod format;
mod header;
pub mod invalid;
pub mod read;
pub mod sampling;
pub mod tracestate;
