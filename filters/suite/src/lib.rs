//! Any of the filters in one VM: a chain that is built from its config, in the config's order.
//!
//! [`config`] reads the blocks, [`filter`] builds a filter of each. What a filter does is its own matter.

pub mod config;
pub mod filter;
pub mod metric;
