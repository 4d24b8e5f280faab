//! End-to-end tests of single requests.

mod canary;
mod chain;
mod config_push;
mod fault;
mod harness;
mod held;
mod hostile;
mod jwt_authz;
mod module;
mod probe;
mod rate_limit;
mod readings;
mod scenarios;
mod suite_configs;
mod trace_context;
mod trace_placements;
mod trailers;
mod upstream;
