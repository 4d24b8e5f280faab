//! A request and a response, as a stage sees them.

mod edit;
mod facts;
mod request;
mod response;

pub use request::Request;
pub use response::Response;

pub(crate) use request::Core;
