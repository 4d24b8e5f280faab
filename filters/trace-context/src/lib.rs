//! Trace context: the headers by which the services of a trace know each other.
//!
//! [`correlation`] keeps the headers of inbound requests for the outbound calls that they cause.

pub mod correlation;
