//! The one crate that talks to the proxy.

pub mod callbacks;
