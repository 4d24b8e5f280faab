//! The rate-limit filter under load: limits that are exact, a table that does not grow, and config pushes.

mod exact;
mod memory;
mod push;
