//! What the filter counts.

mesh_policy::metrics! {
    /// The filter's metrics.
    pub enum Metric {
        /// Requests that were allowed.
        Allowed: Counter, "allowed";
        /// Requests that were refused, by [reason](#every-reason).
        Denied: Counter, "denied" by "reason";
        /// Requests that would have been refused, in `mode: shadow` of the filter.
        ShadowDenied: Counter, "shadow_denied" by "reason";
        /// Requests that this rule allowed. Only for rules with `action: allow`.
        RuleAllowed: Counter, "rule_allowed" by "rule";
        /// Requests that this rule would have allowed if it, or the filter, were not in shadow mode. A rule after the deciding one is not evaluated.
        RuleShadowAllowed: Counter, "rule_shadow_allowed" by "rule";
        /// Requests that this rule denied. Only for rules with `action: deny`.
        RuleDenied: Counter, "rule_denied" by "rule";
        /// Requests that this rule would have denied if it, or the filter, were not in shadow mode.
        RuleShadowDenied: Counter, "rule_shadow_denied" by "rule";
        /// Tokens that were found in the cache.
        CacheHit: Counter, "cache_hit";
        /// Tokens that were not found in the cache.
        CacheMiss: Counter, "cache_miss";
        /// Successful fetches of the provider's key set.
        JwksFetchOk: Counter, "jwks_fetch_ok" by "provider";
        /// Failed fetches of the provider's key set.
        JwksFetchFailed: Counter, "jwks_fetch_failed" by "provider";
        /// Headers that a claim [could not be written to](#what-the-upstream-gets).
        ClaimsLeftOut: Counter, "claims_left_out";
        /// Requests whose `x-forwarded-for` has fewer addresses than `trusted_hops`.
        ClientIpFallback: Counter, "client_ip_fallback";
        /// Requests that the proxy did not let the filter read or change. Each is refused with 503, reason `error`.
        Unreadable: Counter, "unreadable";
        /// Usable keys of the provider's set.
        Keys: Gauge, "keys" by "provider";
        /// Unusable keys of the provider's set.
        KeysSkipped: Gauge, "keys_skipped" by "provider";
        /// 1 if the proxy verifies signatures of this algorithm, 0 if the VM does.
        InHost: Gauge, "in_host" by "algorithm";
    }
}
