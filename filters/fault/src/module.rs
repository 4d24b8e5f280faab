//! The module: `dist/fault.wasm`.

// The filter comes with the policy.
