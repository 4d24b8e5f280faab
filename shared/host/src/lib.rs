//! The only crate that talks to the proxy: Proxy-Wasm ABI 0.2.1 as stock Envoy implements it.
//!
//! A filter implements [`Filter`]: it sees messages, and says whether they continue, wait or are replied to. [`PolicyFilter`] makes
//! a filter of a policy, which gets facts and returns a verdict. [`Build`] builds a filter from a config, [`Configure`] a chain of
//! filters, and [`export!`] makes it a module. The chain handles pauses, local replies and streams that end early, once for all
//! filters.
//!
//! Nothing here panics: headers and bodies are bytes, and every host call returns a [`Result`] with the
//! [`Status`] of the host. Nothing here decides either: what a failure means is up to the filter.
//!
//! The Rust SDK is not used, because it panics on a header that is not UTF-8, on request headers in the
//! response phase and on every status it does not list.

#[doc(hidden)]
pub mod abi;
mod accepted;
mod adapter;
mod any_filter;
mod body;
pub mod call;
pub mod callbacks;
mod chain;
pub mod clock;
mod direction;
mod dispatcher;
mod export;
mod filter;
pub mod foreign;
mod logger;
mod message;
pub mod metrics;
mod pairs;
mod plugin;
pub mod property;
pub mod random;
mod reply;
mod routed;
mod shared_data;
mod status;
mod stream;
#[cfg(all(any(test, feature = "testing"), not(target_arch = "wasm32")))]
pub mod testing;
mod timers_and_calls;

pub use adapter::{Adapter, Judgement, Metrics, Pending, PolicyFilter, ProxySources};
pub use body::Body;
pub use call::{CallError, CallResponse};
pub use callbacks::Callbacks;
#[doc(hidden)]
pub use dispatcher::Dispatcher;
pub use filter::{BodyFlow, Build, Configure, Filter, Flow, TrailersFlow, Wake};
pub use message::{Request, Response, Trailers};
pub use plugin::{Background, Plugin};
pub use routed::{BuildRoute, Routed, RoutedStream};
pub use shared_data::SharedData;
pub use status::Status;
