//! The module: `dist/jwt-authz.wasm`.

host::export!(jwt_authz::filter::JwtAuthz);
