//! The module: every callback, for the host layer's tests.

mesh_host::export!(mesh_probe::Chain);
