//! The module: `dist/canary.wasm`.

mesh_host::export!(mesh_host::PolicyFilter<canary::policy::Policy>);
