//! Tests on a request: the config's `match`.

pub mod cidr;
pub mod claim;
pub mod host;
pub mod method;
mod named;
mod needle;
mod path;
mod pattern;
pub mod request;
pub mod string;

pub use named::cookie_name;
