//! What each format says of a context that came in another one.

use super::*;

const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
const SHORT: u128 = 0xa3ce_929d_0e0e_4736;
const SPAN: u64 = 0x00f0_67aa_0ba9_02b7;

#[track_caller]
fn check(context: TraceContext, fallback: Decision, format: Format, expected: &[(&str, &str)]) {
    let written = write(format, &context, fallback).unwrap();
    assert_eq!(pairs(&headers_of(&written)), pairs(&request(expected)));
    assert!(says(format, &headers_of(&written), &context));
}

#[test]
fn a_sampled_context() {
    let check = |format, expected: &[_]| check(context(TRACE, SPAN, Sampled), NotSampled, format, expected);
    check(Format::W3c, &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]);
    check(Format::B3, &[("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1")]);
    check(
        Format::B3Multi,
        &[
            ("x-b3-traceid", "4bf92f3577b34da6a3ce929d0e0e4736"),
            ("x-b3-spanid", "00f067aa0ba902b7"),
            ("x-b3-sampled", "1"),
        ],
    );
    check(Format::Jaeger, &[("uber-trace-id", "4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1")]);
    check(
        Format::Datadog,
        &[
            ("x-datadog-trace-id", "11803532876627986230"),
            ("x-datadog-parent-id", "67667974448284343"),
            ("x-datadog-sampling-priority", "1"),
            ("x-datadog-tags", "_dd.p.tid=4bf92f3577b34da6"),
        ],
    );
    check(
        Format::Xray,
        &[("x-amzn-trace-id", "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1")],
    );
    check(
        Format::Gcp,
        &[("x-cloud-trace-context", "4bf92f3577b34da6a3ce929d0e0e4736/67667974448284343;o=1")],
    );
}

#[test]
fn an_id_of_64_bits_is_padded_where_it_must_be() {
    let check = |format, expected: &[_]| check(context(SHORT, SPAN, NotSampled), Sampled, format, expected);
    check(Format::W3c, &[("traceparent", "00-0000000000000000a3ce929d0e0e4736-00f067aa0ba902b7-00")]);
    check(Format::B3, &[("b3", "a3ce929d0e0e4736-00f067aa0ba902b7-0")]);
    check(
        Format::B3Multi,
        &[("x-b3-traceid", "a3ce929d0e0e4736"), ("x-b3-spanid", "00f067aa0ba902b7"), ("x-b3-sampled", "0")],
    );
    check(Format::Jaeger, &[("uber-trace-id", "a3ce929d0e0e4736:00f067aa0ba902b7:0:0")]);
    check(
        Format::Datadog,
        &[
            ("x-datadog-trace-id", "11803532876627986230"),
            ("x-datadog-parent-id", "67667974448284343"),
            ("x-datadog-sampling-priority", "0"),
        ],
    );
    check(
        Format::Xray,
        &[("x-amzn-trace-id", "Root=1-00000000-00000000a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=0")],
    );
    check(
        Format::Gcp,
        &[("x-cloud-trace-context", "0000000000000000a3ce929d0e0e4736/67667974448284343;o=0")],
    );
}

#[test]
fn debug_is_sampled_where_there_is_no_debug() {
    let check = |format, expected: &[_]| check(context(SHORT, SPAN, Debug), NotSampled, format, expected);
    check(Format::W3c, &[("traceparent", "00-0000000000000000a3ce929d0e0e4736-00f067aa0ba902b7-01")]);
    check(Format::B3, &[("b3", "a3ce929d0e0e4736-00f067aa0ba902b7-d")]);
    check(
        Format::B3Multi,
        &[("x-b3-traceid", "a3ce929d0e0e4736"), ("x-b3-spanid", "00f067aa0ba902b7"), ("x-b3-flags", "1")],
    );
    check(Format::Jaeger, &[("uber-trace-id", "a3ce929d0e0e4736:00f067aa0ba902b7:0:3")]);
    check(
        Format::Datadog,
        &[
            ("x-datadog-trace-id", "11803532876627986230"),
            ("x-datadog-parent-id", "67667974448284343"),
            ("x-datadog-sampling-priority", "2"),
        ],
    );
    check(
        Format::Xray,
        &[("x-amzn-trace-id", "Root=1-00000000-00000000a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1")],
    );
    check(
        Format::Gcp,
        &[("x-cloud-trace-context", "0000000000000000a3ce929d0e0e4736/67667974448284343;o=1")],
    );
}

#[test]
fn a_deferred_decision_falls_back_where_there_is_none() {
    let deferred = context(TRACE, SPAN, Deferred);
    let w3c = |flags| format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}");
    let jaeger = |flags| format!("4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:{flags}");
    for (fallback, short, long) in [(Sampled, "1", "01"), (NotSampled, "0", "00"), (Deferred, "0", "00")] {
        check(deferred, fallback, Format::W3c, &[("traceparent", &w3c(long))]);
        check(deferred, fallback, Format::Jaeger, &[("uber-trace-id", &jaeger(short))]);
        check(deferred, fallback, Format::B3, &[("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7")]);
        check(
            deferred,
            fallback,
            Format::Gcp,
            &[("x-cloud-trace-context", "4bf92f3577b34da6a3ce929d0e0e4736/67667974448284343")],
        );
    }
}

#[test]
fn no_span_is_invented() {
    let without_span = context(TRACE, 0, Sampled);
    for format in Format::ALL {
        assert_eq!(write(*format, &without_span, NotSampled).is_none(), format.needs_span(), "{format:?}");
    }
    check(
        without_span,
        NotSampled,
        Format::Xray,
        &[("x-amzn-trace-id", "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Sampled=1")],
    );
    check(
        without_span,
        NotSampled,
        Format::Gcp,
        &[("x-cloud-trace-context", "4bf92f3577b34da6a3ce929d0e0e4736/0;o=1")],
    );
}

#[test]
fn both_encodings_of_b3_and_jaeger_take_the_parent_from_each_other() {
    let single = ("b3", "a3ce929d0e0e4736-00f067aa0ba902b7-1-05e3ac9a4f6e3b90");
    let jaeger = ("uber-trace-id", "a3ce929d0e0e4736:00f067aa0ba902b7:05e3ac9a4f6e3b90:1");
    let multi = [
        ("x-b3-traceid", "a3ce929d0e0e4736"),
        ("x-b3-spanid", "00f067aa0ba902b7"),
        ("x-b3-parentspanid", "05e3ac9a4f6e3b90"),
        ("x-b3-sampled", "1"),
    ];
    let all: [(Format, &[_]); 3] =
        [(Format::B3, &[single]), (Format::B3Multi, &multi), (Format::Jaeger, &[jaeger])];
    let context = context(SHORT, SPAN, Sampled);
    for (_, given) in all {
        for (format, expected) in all {
            let written = write_over(format, &request(given), &context, NotSampled).unwrap();
            assert_eq!(pairs(&headers_of(&written)), pairs(&request(expected)));
        }
    }
    // The parent of another span is no parent of this one.
    let other = TraceContext { span_id: SpanId::new(1), ..context };
    let written = write_over(Format::B3, &request(&[single]), &other, NotSampled).unwrap();
    assert_eq!(
        pairs(&headers_of(&written)),
        pairs(&request(&[("b3", "a3ce929d0e0e4736-0000000000000001-1")]))
    );
}

#[test]
fn headers_that_differ_do_not_say_the_same() {
    let all = [
        context(TRACE, SPAN, Sampled),
        context(TRACE, SPAN, NotSampled),
        context(TRACE, SPAN + 1, Sampled),
        context(TRACE + 1, SPAN, Sampled),
        context(SHORT, SPAN, Sampled),
    ];
    for format in Format::ALL {
        for (index, one) in all.iter().enumerate() {
            let headers = headers_of(&write(*format, one, NotSampled).unwrap());
            for (other_index, other) in all.iter().enumerate() {
                assert_eq!(
                    says(*format, &headers, other),
                    index == other_index,
                    "{format:?} {one:?} {other:?}"
                );
            }
        }
        assert!(!says(*format, &Headers::EMPTY, &all[0]));
    }
    assert!(!says(Format::B3, &request(&[("b3", "1")]), &all[0]));
}
