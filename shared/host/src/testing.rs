//! An in-memory proxy for native tests: it drives a module's filters and counts their host calls.
//!
//! It behaves like Envoy 1.40 where filters depend on it, but it is no proof of what Envoy does: that is
//! tested in Envoy.
//!
//! ```
//! use mesh_config::Problems;
//! use mesh_host::testing::{Fate, Proxy};
//! use mesh_host::{Callbacks, Configure, Filter, Flow, Plugin, Request};
//!
//! struct Reads;
//!
//! impl Filter for Reads {
//!     const NAME: &'static str = "reads";
//!     const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS;
//!     type Stream = ();
//!
//!     fn on_request_headers(&self, (): &mut (), request: &mut Request<'_>) -> Flow {
//!         assert_eq!(request.headers().unwrap().first(":path"), Some(b"/".as_slice()));
//!         Flow::Continue
//!     }
//! }
//!
//! impl Configure for Reads {
//!     fn configure(_: &[u8], _: &Plugin) -> Result<Vec<Self>, Problems> {
//!         Ok(vec![Self])
//!     }
//! }
//!
//! let proxy = Proxy::<Reads>::start("{}");
//! proxy.host().reset_counts();
//! let stream = proxy.request(&[(":path", "/")]);
//! assert_eq!(stream.fate(), Fate::Continued);
//! assert_eq!(proxy.host().counts(), "request headers: 1 get_header_map_pairs [1 buffer]\n");
//! ```
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "only for tests, where a panic is a failure"
)]

mod counts;
mod host;
mod message;
mod proxy;
mod sent;
mod state;

pub use host::Host;
pub use proxy::{Fate, Proxy, Stream};
pub use sent::{LocalReply, SentCall};

pub(crate) use host::with_state;
