//! Tests of the guard.

mod units;
