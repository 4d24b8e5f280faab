//! The module: `dist/jwt-authz.wasm`.

mesh_host::export!(jwt_authz::filter::JwtAuthz);
