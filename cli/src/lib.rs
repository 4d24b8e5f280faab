//! What the command line does, for the tests and the benches to do as well.
//!
//! - [`workspace`]: where things are in the checkout;
//! - [`module`]: builds the modules that Envoy loads.

pub mod module;
pub mod workspace;
