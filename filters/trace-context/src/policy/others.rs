//! Headers of tracers whose formats the filter does not read, by the beginnings of their names.

/// Those that name a trace, or decide on it.
const TRACES: [&str; 7] = [
    "x-ot-span-context",
    "ot-tracer-",
    "grpc-trace-bin",
    "sw8",
    "jaeger-debug-id",
    "x-client-trace-id",
    "x-datadog-",
];

/// Those that carry what applications have put there.
const BAGGAGE: [&str; 6] =
    ["ot-baggage-", "uberctx-", "jaeger-baggage", "sw8-correlation", "grpc-tags-bin", "correlation-context"];

/// Those that clients send with a format that the filter reads, beyond its context.
const WITH_FORMATS: [&str; 5] =
    ["jaeger-debug-id", "jaeger-baggage", "uberctx-", "ot-baggage-", "x-datadog-"];

/// Whether a header belongs to another tracer, in any spelling that an upstream may read as such a name.
pub(super) fn is_of_other_tracer(name: &[u8]) -> bool {
    begins_like_any(name, &TRACES) || begins_like_any(name, &BAGGAGE)
}

/// Whether a header names a trace, or decides on it, for another tracer.
pub(super) fn is_of_other_trace(name: &[u8]) -> bool {
    begins_like_any(name, &TRACES) && !begins_like_any(name, &BAGGAGE)
}

/// Whether a header comes with a format that the filter reads, and ends with its trace.
pub(super) fn comes_with_formats(name: &[u8]) -> bool {
    begins_like_any(name, &WITH_FORMATS)
}

fn begins_like_any(name: &[u8], others: &[&str]) -> bool {
    let folded = |byte: &u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'_' };
    let begins_like = |other: &&str| {
        let start = name.get(..other.len());
        start.is_some_and(|start| start.iter().map(folded).eq(other.as_bytes().iter().map(folded)))
    };
    others.iter().any(begins_like)
}

#[cfg(test)]
mod tests {
    use super::{is_of_other_trace, is_of_other_tracer};

    #[track_caller]
    fn check(names: &[&str], expected: (bool, bool)) {
        for name in names {
            let name = name.as_bytes();
            assert_eq!((is_of_other_tracer(name), is_of_other_trace(name)), expected, "{name:?}");
        }
    }

    #[test]
    fn traces_are_told_from_baggage() {
        check(&["x-ot-span-context", "ot-tracer-traceid", "OT_Tracer_SpanId"], (true, true));
        check(&["grpc-trace-bin", "sw8", "sw8-x", "jaeger-debug-id", "x_client_trace_id"], (true, true));
        check(&["x-datadog-anything"], (true, true));
        check(&["ot-baggage-user", "uberctx-user", "sw8-correlation", "SW8_Correlation"], (true, false));
        check(&["jaeger-baggage", "grpc-tags-bin", "Correlation_Context"], (true, false));
    }

    #[test]
    fn other_headers_are_of_no_tracer() {
        check(
            &["", "sw", "baggage", "traceparent", "x-mesh-variant", "my-sw8", "ot-", "x-datadog"],
            (false, false),
        );
    }
}
