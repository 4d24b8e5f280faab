//! The module.

mesh_host::export!(mesh_host::PolicyFilter<sample_filter::policy::Policy>);
