//! Requests, responses and trailers, as a filter sees them.

mod core;
mod edit;
mod facts;
mod request;
mod response;
mod trailers;

pub use request::Request;
pub use response::Response;
pub use trailers::Trailers;

pub(crate) use core::Core;

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
