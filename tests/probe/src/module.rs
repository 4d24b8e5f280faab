//! The module of the probe filters, with every callback.

mesh_host::export!(mesh_probe::ProbeFilter);
