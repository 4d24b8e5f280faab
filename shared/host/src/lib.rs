//! The one crate that talks to the proxy: Proxy-Wasm ABI 0.2.1 as stock Envoy implements it.
//!
//! A filter implements [`Stage`]: it gets facts and returns effects. A [`Stages`] is a chain of them;
//! [`export!`] makes a module of a chain. Pausing, resuming, local replies and "the stream has gone"
//! are handled here, once.
//!
//! Nothing here panics, and nothing here decides: bytes are bytes, every status is a [`Result`], and
//! what a failure means is for the filter to say.
//!
//! The raw calls are our own rather than the Rust SDK's: the SDK panics on a header that is not
//! UTF-8, on request headers in the response phase and on every status it does not list.

#[doc(hidden)]
pub mod abi;
mod adapter;
mod body;
pub mod call;
pub mod callbacks;
pub mod clock;
mod direction;
mod dispatcher;
mod export;
pub mod foreign;
pub mod log;
mod message;
pub mod metrics;
mod pairs;
mod plugin;
pub mod property;
pub mod random;
mod reply;
mod services;
mod shared_data;
mod stage;
mod stages;
mod status;
mod stream;

pub use adapter::{Adapter, Judgement, Metrics, PolicyFilter, ResponseEdits};
pub use body::Body;
pub use call::Answer;
pub use callbacks::Callbacks;
#[doc(hidden)]
pub use dispatcher::Dispatcher;
pub use message::{Request, Response, Trailers};
pub use plugin::{Background, Plugin};
pub use shared_data::SharedData;
pub use stage::{BodyFlow, Configure, Flow, Stage, TrailersFlow, Wake};
pub use stages::Stages;
pub use status::Status;
