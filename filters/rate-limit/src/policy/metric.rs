//! What the filter counts.

mesh_policy::metrics! {
    /// The filter's metrics.
    pub enum Metric {
        /// Requests that this limit charged and did not refuse, and those that `overflow: allow` admitted.
        Allowed: Counter, "allowed" by "limit";
        /// Refusals by this limit: no tokens, no slot, or a missing key. A request that two limits refuse counts for both.
        Denied: Counter, "denied" by "limit";
        /// Refusals that were not enforced: in shadow mode, or outside `enforce_percentage`.
        ShadowDenied: Counter, "shadow_denied" by "limit";
        /// Buckets that could not be read or written, or to which tokens could not be given back.
        Error: Counter, "error" by "limit";
        /// Requests whose bucket found no slot in the table, in addition to their outcome.
        Overflow: Counter, "overflow" by "limit";
        /// Charges that were given back because another limit refused.
        GivenBack: Counter, "given_back" by "limit";
        /// Requests that lack a part of the limit's key, in addition to their outcome: nothing with `skip`, a refusal with `deny`, a charge with `shared`. If it grows as fast as traffic, the limit never charges.
        KeyMissing: Counter, "key_missing" by "limit";
        /// Requests whose `x-forwarded-for` has fewer addresses than `trusted_hops`: the config does not fit the network, or a client bypasses the proxies.
        ClientIpFallback: Counter, "client_ip_fallback";
        /// Requests that the proxy did not let the filter read; `on_error` decides their outcome.
        Unreadable: Counter, "unreadable";
    }
}
