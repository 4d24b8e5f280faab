//! The module: `dist/trace-context.wasm`.

mesh_host::export!(mesh_host::PolicyFilter<trace_context::policy::Policy>);
