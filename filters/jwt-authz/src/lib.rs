//! JWT claims authorization: tokens verified against rotating key sets, rules on their claims.
//!
//! [`config`] is what a user writes, [`policy`] what follows from it, [`filter`] how it gets into a
//! proxy. Below them: [`crypto`] checks signatures, [`jwks`] keeps key sets fresh.

pub mod crypto;
