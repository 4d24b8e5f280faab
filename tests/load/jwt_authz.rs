//! The jwt-authz filter under load: a cache that does not grow.

mod tokens;
