//! Tests on a request, as design.md's `match` has them.

pub mod cidr;
pub mod claim;
pub mod host;
pub mod method;
mod named;
mod needle;
mod one_of;
mod path;
mod pattern;
pub mod request;
pub mod string;

pub use crate::truth;
