//! The module: `dist/fault.wasm`.

mesh_host::export!(fault::filter::FaultFilter);
