//! JWT claims authorization: tokens verified against rotating key sets, rules on their claims.
//!
//! [`config`] is what a user writes, [`policy`] what follows from it, [`filter`] how it gets into a
//! proxy. Below them, [`crypto`] checks signatures and [`jwks`] keeps key sets fresh.

pub mod config;
pub mod crypto;
pub mod filter;
pub mod jwks;
pub mod policy;
