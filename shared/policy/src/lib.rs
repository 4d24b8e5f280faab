//! The words every filter speaks: what a user writes, what a request is, what a decision may do.
//!
//! Pure. There is no proxy here, no clock and no randomness: time and roll come in as values,
//! effects go out as data, so a policy can be tested with values alone.

pub mod authority;
mod by_name;
pub mod client_ip;
pub mod cookie;
pub mod effects;
pub mod facts;
pub mod grpc;
pub mod hash;
pub mod headers;
pub mod matching;
pub mod mode;
pub mod name;
pub mod path;
pub mod percent;
pub mod preflight;
pub mod store;
pub mod summary;
pub mod time;

/// `#[test]` that runs natively and in a Wasm engine alike.
#[cfg(test)]
mod testing {
    #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
    pub(crate) use core::prelude::v1::test;
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    pub(crate) use wasm_bindgen_test::wasm_bindgen_test as test;
}
