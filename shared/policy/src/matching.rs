//! Tests on a request, as design.md's `match` has them.

pub mod cidr;
pub mod claim;
pub mod host;
mod needle;
mod pattern;
pub mod string;
