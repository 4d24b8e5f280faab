//! What the command line does, for the tests and the benches to do as well.
//!
//! - [`workspace`]: where things are in the checkout;
//! - [`registry`]: the filters there are;
//! - [`module`]: builds the modules that Envoy loads;
//! - [`envoy`]: finds, configures, runs and asks a real Envoy;
//! - [`http`]: a client that sends any header bytes, and a load generator;
//! - [`demo`]: the filters at work, and the curl lines that show it;
//! - [`check`]: what is wrong with a config;
//! - [`schema`]: what a config may be;
//! - [`bench`]: what a filter costs.
//!
//! A test in which a request goes through a filter:
//!
//! ```no_run
//! use bytes::Bytes;
//! use mesh_filters::demo::environment;
//! use mesh_filters::envoy::{Bootstrap, Launch};
//! use mesh_filters::http::{self, Protocol, Request};
//! use mesh_filters::{registry, workspace};
//!
//! # async fn example() -> anyhow::Result<()> {
//! for module in registry::modules() {
//!     module.build()?;
//! }
//! let upstreams = environment::upstreams().await?;
//! let mut gateway = Bootstrap::load("demo")?;
//! gateway.use_free_ports();
//! gateway.set_modules(&workspace::dist());
//! for name in ["v1", "v2", "keys"] {
//!     gateway.set_cluster(name, upstreams.listener(name).await?)?;
//! }
//! let gateway = Launch::new()?.concurrency(2).start(&gateway).await?;
//!
//! let request = Request::get("/api/").header("x-api-key", "gold").body(Bytes::new())?;
//! let answer = http::send(gateway.listener("rate-limit").await?, Protocol::Http1, request).await?;
//! assert_eq!(answer.status, 200);
//! # Ok(())
//! # }
//! ```

pub mod bench;
pub mod check;
pub mod demo;
pub mod envoy;
pub mod http;
pub mod module;
pub mod registry;
pub mod schema;
pub mod workspace;
mod yaml;
