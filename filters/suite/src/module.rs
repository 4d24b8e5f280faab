//! The module: `dist/suite.wasm`.

mesh_host::export!(suite::filter::SuiteFilter);
