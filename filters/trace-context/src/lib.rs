//! Trace context: the headers by which the services of a trace know each other.
//!
//! [`config`] reads the config, and [`policy`] decides. [`format`](mod@format) reads and writes the headers of seven formats
//! as a [`context`], [`tracestate`] judges the header that accompanies `traceparent`, [`sampling`] decides on new traces,
//! [`baggage`] is the header for everything else that a trace carries, and [`correlation`] joins inbound requests with the
//! calls that they cause.

pub mod baggage;
pub mod config;
pub mod context;
pub mod correlation;
mod digits;
pub mod format;
mod header;
pub mod invalid;
pub mod policy;
pub mod read;
pub mod sampling;
mod summary;
pub mod tracestate;
