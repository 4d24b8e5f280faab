//! The module: every callback, for the host layer's tests.

host::export!(probe::Chain);
