//! A request and a response, as a stage sees them.

mod edit;
mod facts;
mod request;
mod response;
mod trailers;

pub use request::Request;
pub use response::Response;
pub use trailers::Trailers;

pub(crate) use request::Core;
