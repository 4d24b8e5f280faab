//! What the filter counts.

use crate::format::{Format, Invalid};
use mesh_policy::verdict::Count;

mesh_policy::metrics! {
    /// The filter's metrics.
    pub enum Metric {
        /// Requests whose trace was read, by the format that it was read from.
        Extracted: Counter, "extracted" by "format";
        /// Requests that have begun a trace.
        Generated: Counter, "generated";
        /// Headers that are no context of their format, by format and reason. They are removed.
        Invalid: Counter, "invalid" by "format", "reason";
        /// Contexts that were written in another format.
        Converted: Counter, "converted" by "from", "to";
        /// Contexts that name another trace than the one that is used, and decisions without ids that disagree with it, by their format. They are removed.
        Conflict: Counter, "conflict" by "format";
        /// Members of baggage that were dropped, by reason: `not_allowed`, `malformed`, `too_many`, `too_large`, `replaced`.
        BaggageDropped: Counter, "baggage_dropped" by "reason";
        /// Outbound requests that were looked up, by result: `hit` or `miss`.
        Correlated: Counter, "correlated" by "result";
        /// Entries that gave way to newer ones before they expired.
        Evicted: Counter, "evicted";
        /// Values and entries that were too large to be stored.
        TooLarge: Counter, "too_large";
        /// Requests that could not be correlated since the proxy does not say in which direction they go.
        NoDirection: Counter, "no_direction";
        /// Requests whose `x-forwarded-for` has fewer addresses than `trusted_hops`: the config does not fit the network, or a client bypasses the proxies.
        ClientIpFallback: Counter, "client_ip_fallback";
        /// Requests that the proxy failed to hand over, to change, or to give random numbers or shared data for. They pass, see [failures](#failures).
        Failed: Counter, "failed";
    }
}

/// Counts something. Each counter is named once.
pub(super) fn add(counts: &mut Vec<Count<Metric>>, added: Count<Metric>) {
    let is_same = |count: &&mut Count<Metric>| count.metric == added.metric && count.labels == added.labels;
    match counts.iter_mut().find(is_same) {
        Some(count) => count.number = count.number.saturating_add(added.number),
        None => counts.push(added),
    }
}

/// Counts an invalid context.
pub(super) const fn invalid_count(format: Format, invalid: Invalid) -> Count<Metric> {
    Count::labelled(Metric::Invalid, format as usize * Invalid::ALL.len() + invalid as usize)
}
