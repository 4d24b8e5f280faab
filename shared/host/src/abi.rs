//! Proxy-Wasm ABI 0.2.1, as Envoy implements it, and the clocks of WASI.
//!
//! In a module these are the host's functions ([`calls`]); in a native build there is no host, and
//! [`stand_in`] takes their place.

#[cfg(target_arch = "wasm32")]
mod calls;
#[cfg(not(target_arch = "wasm32"))]
mod stand_in;

#[cfg(target_arch = "wasm32")]
pub(crate) use calls::*;
#[cfg(target_arch = "wasm32")]
pub use calls::{allocate, initialize};
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use stand_in::*;

/// A buffer of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Buffer {
    RequestBody = 0,
    ResponseBody = 1,
    HttpCallResponseBody = 4,
    GrpcReceive = 5,
    PluginConfiguration = 7,
}

/// A header map of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum HeaderMap {
    Request = 0,
    RequestTrailers = 1,
    Response = 2,
    ResponseTrailers = 3,
    HttpCallResponse = 6,
}

/// A direction of a stream that can be resumed or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum StreamKind {
    Request = 0,
    Response = 1,
}

/// The severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(crate) enum LogLevel {
    Debug = 1,
    Info = 2,
    Warn = 3,
    Error = 4,
}

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub(crate) enum MetricKind {
    Counter = 0,
    Gauge = 1,
    Histogram = 2,
}
