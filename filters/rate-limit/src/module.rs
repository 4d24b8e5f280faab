//! The module: `dist/rate-limit.wasm`.

mesh_host::export!(rate_limit::filter::RateLimit);
