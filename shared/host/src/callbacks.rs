//! Which of the proxy's callbacks a module wants to be called for.
//!
//! Envoy enters the VM for every callback that a module exports, whether or not the module does
//! anything there, and entering is the price of a Wasm filter. So a stage names the callbacks it
//! implements, the names travel in the binary (custom section [`SECTION`]), and the build removes
//! every other `proxy_on_*` export after linking.

/// The custom section that holds the module's [`Callbacks`], four bytes little-endian.
pub const SECTION: &str = "mesh_filters.callbacks";

/// Exports that every module keeps: its life cycle, the allocator the proxy calls, the ABI's mark.
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
    /// None: the module only lives.
    pub const NONE: Self = Self(0);
    /// Request headers have arrived.
    pub const REQUEST_HEADERS: Self = Self(1);
    /// A part of the request body has arrived. The trailers come with it: where there are any, no part is
    /// the last one.
    pub const REQUEST_BODY: Self = Self(1 << 1);
    /// Response headers have arrived.
    pub const RESPONSE_HEADERS: Self = Self(1 << 2);
    /// A part of the response body has arrived; likewise.
    pub const RESPONSE_BODY: Self = Self(1 << 3);
    /// The timer has fired. A stage that pauses requests or responses needs it, too: it ends their wait.
    pub const TICK: Self = Self(1 << 4);
    /// An HTTP call was answered.
    pub const HTTP_CALL: Self = Self(1 << 5);
    /// A gRPC call was answered.
    pub const GRPC_CALL: Self = Self(1 << 6);
    /// Request trailers have arrived.
    pub const REQUEST_TRAILERS: Self = Self(1 << 7);
    /// Response trailers have arrived.
    pub const RESPONSE_TRAILERS: Self = Self(1 << 8);

    /// Each callback beside the exports it needs.
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

    /// The callbacks of either set.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every callback of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The form the set has in [`SECTION`].
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 4] {
        self.0.to_le_bytes()
    }

    /// Reads [`SECTION`] back; bits without a meaning are kept and name no export.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(u32::from_le_bytes(bytes))
    }

    /// The exports these callbacks need, on top of [`ALWAYS_EXPORTED`].
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

    /// Without its trailers a stage would not see the end of a body.
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
