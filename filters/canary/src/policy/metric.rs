//! What the filter counts.

mesh_policy::metrics! {
    /// The filter's metrics.
    pub enum Metric {
        /// Decisions by what decided: `rule` and `split` with their names, `fallback` with the split's, `override` and `default` with the variant (`none`: no variant); `shadow` with the name of what would have decided (parts with the same name share it).
        Decisions: Counter, "decisions" by "kind", "name";
        /// Requests that the split assigned and whose outcome is known. They are added once a second.
        Requests: Counter, "requests" by "split", "variant";
        /// Those of them that failed: a 5xx, or a gRPC status 2, 4, 12, 13, 14 or 15. An injected fault is no failure.
        Errors: Counter, "errors" by "split", "variant";
        /// Trips of the split's guard.
        Trips: Counter, "trips" by "split";
        /// 1 while the split's guard has tripped, otherwise 0; with `mode: shadow`, while it would have.
        Tripped: Gauge, "tripped" by "split";
        /// Requests that the split matched and that have no part of `sticky`.
        IdentityMissing: Counter, "identity_missing" by "split";
        /// Requests whose override was ignored: it is not trusted, is repeated, or names no variant.
        OverrideIgnored: Counter, "override_ignored";
        /// Requests with a header of the client's own in the place of the output's, which was removed.
        HeaderRemoved: Counter, "header_removed";
        /// Requests whose `x-forwarded-for` has fewer addresses than `trusted_hops`: the config does not fit the network, or a client bypasses the proxies.
        ClientIpFallback: Counter, "client_ip_fallback";
        /// Requests that the filter could not read, change or decide on. Where a header of its own could not be removed, they are refused; otherwise `on_error` decides.
        Failed: Counter, "failed";
    }
}
