//! What holds for single requests.

mod config_push;
mod hostile;
mod module;
mod probe;
mod rate_limit;
