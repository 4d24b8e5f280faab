//! The module: `dist/rate-limit.wasm`.

host::export!(rate_limit::filter::RateLimit);
