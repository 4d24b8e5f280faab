//! Laws of all formats and contexts.

use super::*;
use proptest::prelude::*;
use proptest::sample::select;

fn decisions() -> impl Strategy<Value = Decision> {
    select(vec![Sampled, NotSampled, Debug, Deferred])
}

/// Contexts of which the formats' special forms are as likely as the others.
fn contexts() -> impl Strategy<Value = TraceContext> {
    let half = || prop_oneof![Just(0), 1..16u64, any::<u64>()];
    (half(), half(), half(), decisions(), any::<bool>()).prop_filter_map(
        "an id is zero",
        |(upper, lower, span, decision, is_random)| {
            let trace_id = TraceId::from_halves(upper, lower)?;
            Some(TraceContext { trace_id, span_id: SpanId::new(span), decision, is_random })
        },
    )
}

fn formats() -> impl Strategy<Value = Format> {
    select(Format::ALL)
}

/// What a format can say of a context. This is the conversion table.
fn told(format: Format, context: &TraceContext, fallback: Decision) -> TraceContext {
    let decision = match (format, context.decision) {
        (Format::W3c | Format::Jaeger, Deferred) if fallback.is_sampled() => Sampled,
        (Format::W3c | Format::Jaeger, Deferred) => NotSampled,
        (Format::W3c | Format::Datadog | Format::Xray | Format::Gcp, Debug) => Sampled,
        (_, decision) => decision,
    };
    TraceContext { decision, is_random: context.is_random && format == Format::W3c, ..*context }
}

/// Headers of any formats, with any values.
fn any_requests() -> impl Strategy<Value = Headers> {
    let names: Vec<_> =
        Format::ALL.iter().flat_map(|format| format.headers()).map(HeaderName::as_str).collect();
    let value = prop_oneof![
        any::<Vec<u8>>(),
        "[0-9a-fA-F:;=/%,?dox_. \t-]{0,80}".prop_map(String::into_bytes),
        "(-1|0|1|2|true|rum|[0-9a-f]{16}|_dd.p.tid=[0-9a-f]{16},a=1)".prop_map(String::into_bytes),
        "(Root|root|Root )=1-[0-9a-f]{8}-[0-9a-f]{24}(;(Parent|PARENT)=[0-9a-f]{16})?(;(Sampled|sampled )=[01?])?(;a=1)?"
            .prop_map(String::into_bytes),
    ];
    proptest::collection::vec((select(names), value), 0..8).prop_map(Headers::from_pairs)
}

/// Headers of a format that are nearly right: as they are written, but for a byte, between others.
fn nearly_right() -> impl Strategy<Value = Headers> {
    let change = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        select(b"0189afdgA-:;,=/%? .\x80".to_vec()),
    );
    (formats(), contexts(), proptest::option::of(change), any_requests()).prop_map(
        |(format, context, change, others)| {
            let mut written: Vec<_> = write(format, &context, Sampled)
                .unwrap_or_default()
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
                .collect();
            if let Some((header, at, byte)) = change
                && !written.is_empty()
            {
                let value = &mut header.get_mut(&mut written).1;
                *at.get_mut(value) = byte;
            }
            let is_other = |name: &[u8]| !written.iter().any(|(written, _)| written.as_bytes() == name);
            let mut headers = others.filtered(is_other);
            for (name, value) in &written {
                headers.replace(name, value);
            }
            headers
        },
    )
}

fn requests() -> impl Strategy<Value = Headers> {
    prop_oneof![any_requests(), nearly_right()]
}

proptest! {
    #[test]
    fn what_is_written_is_read(format in formats(), context in contexts(), fallback in decisions()) {
        let written = write(format, &context, fallback);
        prop_assert_eq!(written.is_none(), format.needs_span() && context.span_id.is_none());
        let Some(written) = written else { return Ok(()) };
        let headers = headers_of(&written);
        prop_assert_eq!(read(format, &headers), Read::Context(told(format, &context, fallback)));
        prop_assert!(says(format, &headers, &context));
        prop_assert!(written.iter().all(|(name, _)| format.headers().contains(name)));
    }

    /// What is written is canonical: read and written again, it is the same. Datadog's priority 2, which stands for debug,
    /// is so over the headers themselves.
    #[test]
    fn canonical_headers_are_written_again(format in formats(), context in contexts(), fallback in decisions()) {
        let Some(written) = write(format, &context, fallback) else { return Ok(()) };
        let headers = headers_of(&written);
        let Read::Context(found) = read(format, &headers) else { panic!("{headers:?}") };
        prop_assert_eq!(write_over(format, &headers, &found, NotSampled), Some(written.clone()));
        if format != Format::Datadog || context.decision != Debug {
            prop_assert_eq!(write(format, &found, NotSampled), Some(written));
        }
    }

    #[test]
    fn conversions_keep_the_trace_and_the_decision(
        from in formats(),
        to in formats(),
        context in contexts(),
        fallback in decisions(),
    ) {
        let Some(first) = write(from, &context, fallback) else { return Ok(()) };
        let Read::Context(found) = read(from, &headers_of(&first)) else { panic!("{first:?}") };
        let Some(second) = write_over(to, &headers_of(&first), &found, fallback) else { return Ok(()) };
        let Read::Context(last) = read(to, &headers_of(&second)) else { panic!("{second:?}") };
        prop_assert_eq!(last.trace_id, context.trace_id);
        prop_assert_eq!(last.span_id, context.span_id);
        if context.decision != Deferred {
            prop_assert_eq!(last.decision.is_sampled(), context.decision.is_sampled());
        } else if last.decision != Deferred {
            prop_assert_eq!(last.decision.is_sampled(), fallback.is_sampled());
        }
    }

    #[test]
    fn any_headers_are_judged(format in formats(), headers in requests()) {
        match read(format, &headers) {
            Read::Missing | Read::Invalid(_) => {}
            Read::Decision(_) => prop_assert!(matches!(format, Format::B3 | Format::B3Multi)),
            Read::Context(context) => {
                let is_later = format == Format::W3c
                    && !headers.first("traceparent").is_some_and(|value| value.starts_with(b"00-"));
                let xray = headers.first("x-amzn-trace-id").unwrap_or_default();
                let is_misspelt = format == Format::Xray
                    && ["root", "Root ", "PARENT", "sampled"]
                        .iter()
                        .any(|key| xray.windows(key.len()).any(|found| found == key.as_bytes()));
                prop_assert_eq!(says(format, &headers, &context), !is_later && !is_misspelt);
                // Written over themselves, they say the same.
                let Some(written) = write_over(format, &headers, &context, NotSampled) else {
                    prop_assert!(format == Format::Datadog && context.span_id.is_none());
                    return Ok(());
                };
                prop_assert_eq!(read(format, &headers_of(&written)), Read::Context(context));
                // Once written, they stay.
                let headers = headers_of(&written);
                prop_assert_eq!(write_over(format, &headers, &context, NotSampled), Some(written));
            }
        }
    }

    #[test]
    fn what_is_written_over_any_headers_is_read(
        format in formats(),
        headers in requests(),
        context in contexts(),
        fallback in decisions(),
    ) {
        if let Some(written) = write_over(format, &headers, &context, fallback) {
            let headers = headers_of(&written);
            prop_assert_eq!(read(format, &headers), Read::Context(told(format, &context, fallback)));
            prop_assert!(says(format, &headers, &context));
        }
    }

    #[test]
    fn the_headers_of_other_formats_change_nothing(format in formats(), headers in requests()) {
        let own = headers.filtered(|name| format.headers().iter().any(|own| own.as_str().as_bytes() == name));
        prop_assert_eq!(read(format, &headers), read(format, &own));
    }
}
