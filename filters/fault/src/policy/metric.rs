//! What the filter counts.

mesh_policy::metrics! {
    /// The filter's metrics.
    pub enum Metric {
        /// Faults that happened, by rule and kind: `delay`, `abort`, `response`, `throttle`. A request with a delay and an abort has two. Those that requests have asked for have the rule `trigger`.
        Faults: Counter, "faults" by "rule", "kind";
        /// Faults that a rule in shadow mode, or a filter in shadow mode, would have made.
        Shadow: Counter, "shadow" by "rule", "kind";
        /// Requests, and responses, that passed untouched because the plugin held `max_active` already.
        Overflow: Counter, "overflow" by "rule";
        /// Requests that passed untouched because the budget was spent. Only where there is one.
        OverBudget: Counter, "over_budget" by "rule";
        /// Requests that a rule was for, and that passed untouched because they had arrived with the marker.
        Marked: Counter, "marked";
        /// Requests that a rule was for, and responses to be faulted, that passed untouched because `expires_at` is past or the
        /// proxy has no clock.
        Expired: Counter, "expired";
        /// Requests that asked for a fault without the right secret, for one that is malformed or not allowed, or more than once.
        TriggerIgnored: Counter, "trigger_ignored";
        /// Requests whose `x-forwarded-for` has fewer addresses than `trusted_hops`: the config does not fit the network, or a client bypasses the proxies.
        ClientIpFallback: Counter, "client_ip_fallback";
        /// Requests and responses that passed untouched because the proxy failed: it could not be read or changed, gave no random number, or no clock.
        Failed: Counter, "failed";
        /// Requests that all plugins hold at the moment, for delays and throttles.
        Active: Gauge, "active";
        /// Requests that the plugin has in flight. Only kept where a rule has `in_flight`.
        InFlight: Gauge, "in_flight" by "plugin";
        /// Those of one worker, by the worker's slot. Only kept where a rule has `in_flight`.
        InFlightOfWorker: Gauge, "in_flight_of_worker" by "plugin", "worker";
    }
}
