//! Tests on a request, as design.md's `match` has them.

pub mod cidr;
