//! The module: `dist/rate-limit.wasm`.

mesh_host::export!(mesh_host::PolicyFilter<rate_limit::policy::Policy>);
