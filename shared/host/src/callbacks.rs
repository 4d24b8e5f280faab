//! The callbacks that a module implements.
//!
//! Envoy enters the VM for every callback that a module exports, even if it does nothing there, and entering
//! the VM is the main cost of a Wasm filter. So a filter names the callbacks that it implements, the binary
//! lists them in the custom section [`SECTION`], and the build removes all other `proxy_on_*` exports after
//! linking.

/// Name of the custom section with the module's [`Callbacks`] as [`Callbacks::to_bytes`].
pub const SECTION: &str = "mesh_filters.callbacks";

/// Exports that every module keeps: life cycle, allocator, version of the ABI.
pub const ALWAYS_EXPORTED: [&str; 8] = [
    "memory",
    "_initialize",
    "proxy_abi_version_0_2_1",
    "proxy_on_memory_allocate",
    "proxy_on_vm_start",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
];

/// A set of callbacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callbacks(u32);

impl Callbacks {
    /// No callbacks.
    pub const NONE: Self = Self(0);
    /// Request headers arrive.
    pub const REQUEST_HEADERS: Self = Self(1);
    /// A part of the request's body arrives. Includes the trailers: if there are any, they end the body.
    pub const REQUEST_BODY: Self = Self(1 << 1);
    /// Response headers arrive.
    pub const RESPONSE_HEADERS: Self = Self(1 << 2);
    /// A part of the response's body arrives. Includes the trailers: if there are any, they end the body.
    pub const RESPONSE_BODY: Self = Self(1 << 3);
    /// The timer fires. Required by filters that pause a message or hold a part of one.
    pub const TICK: Self = Self(1 << 4);
    /// An HTTP call is answered.
    pub const HTTP_CALL: Self = Self(1 << 5);
    /// A gRPC call is answered.
    pub const GRPC_CALL: Self = Self(1 << 6);
    /// Request trailers arrive.
    pub const REQUEST_TRAILERS: Self = Self(1 << 7);
    /// Response trailers arrive.
    pub const RESPONSE_TRAILERS: Self = Self(1 << 8);

    /// Each callback with the exports that it requires.
    const EXPORTS: [(Self, &'static [&'static str]); 9] = [
        (Self::REQUEST_HEADERS, &["proxy_on_request_headers"]),
        (Self::REQUEST_BODY, &["proxy_on_request_body", "proxy_on_request_trailers"]),
        (Self::RESPONSE_HEADERS, &["proxy_on_response_headers"]),
        (Self::RESPONSE_BODY, &["proxy_on_response_body", "proxy_on_response_trailers"]),
        (Self::TICK, &["proxy_on_tick"]),
        (Self::HTTP_CALL, &["proxy_on_http_call_response"]),
        (Self::GRPC_CALL, &["proxy_on_grpc_receive", "proxy_on_grpc_close"]),
        (Self::REQUEST_TRAILERS, &["proxy_on_request_trailers"]),
        (Self::RESPONSE_TRAILERS, &["proxy_on_response_trailers"]),
    ];

    /// The union of both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set if `is_used`, otherwise none.
    #[must_use]
    pub const fn only_if(self, is_used: bool) -> Self {
        if is_used { self } else { Self::NONE }
    }

    /// Whether every callback of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The content of [`SECTION`]: a bit set, little-endian.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 4] {
        self.0.to_le_bytes()
    }

    /// Reads the content of [`SECTION`]. Unknown bits are kept and require no export.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(u32::from_le_bytes(bytes))
    }

    /// The exports that these callbacks require besides [`ALWAYS_EXPORTED`].
    pub fn exports(self) -> impl Iterator<Item = &'static str> {
        Self::EXPORTS
            .into_iter()
            .filter(move |(callback, _)| self.contains(*callback))
            .flat_map(|(_, exports)| exports.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_survives_the_trip_through_the_binary() {
        let set = Callbacks::REQUEST_HEADERS.and(Callbacks::TICK);
        assert_eq!(Callbacks::from_bytes(set.to_bytes()), set);
        assert_eq!(set.exports().collect::<Vec<_>>(), ["proxy_on_request_headers", "proxy_on_tick"]);
    }

    /// Without the trailers a filter would not see the end of a body.
    #[test]
    fn a_body_comes_with_its_trailers() {
        for (callback, exports) in [
            (Callbacks::REQUEST_BODY, ["proxy_on_request_body", "proxy_on_request_trailers"]),
            (Callbacks::RESPONSE_BODY, ["proxy_on_response_body", "proxy_on_response_trailers"]),
        ] {
            assert_eq!(callback.exports().collect::<Vec<_>>(), exports);
        }
    }

    #[test]
    fn no_callback_needs_no_export() {
        assert_eq!(Callbacks::NONE.exports().count(), 0);
    }
}
