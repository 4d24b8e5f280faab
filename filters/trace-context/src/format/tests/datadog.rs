//! Vectors of Datadog's tracers: github DataDog/system-tests, `tests/parametric/test_headers_datadog.py` and
//! `test_128_bit_traceids.py`.

use super::*;
use Format::Datadog;

const TRACE_ID: (&str, &str) = ("x-datadog-trace-id", "1234567890123456789");
const PARENT: (&str, &str) = ("x-datadog-parent-id", "987654321");
const TRACE: u128 = 1_234_567_890_123_456_789;
const SPAN: u64 = 987_654_321;
const UPPER: u128 = 0x640c_fd8d_0000_0000 << 64;

#[test]
fn every_state_is_kept() {
    let check = |priority, decision| {
        let headers = [TRACE_ID, PARENT, ("x-datadog-sampling-priority", priority)];
        check_canonical(Datadog, &headers, context(TRACE, SPAN, decision));
    };
    check("-1", NotSampled);
    check("0", NotSampled);
    check("1", Sampled);
    check("2", Sampled);
    check_canonical(Datadog, &[TRACE_ID, PARENT], context(TRACE, SPAN, Deferred));
}

#[test]
fn other_priorities_are_none() {
    for priority in ["", "3", "-2", "+1", "01", "1.0", "keep"] {
        let headers = [TRACE_ID, PARENT, ("x-datadog-sampling-priority", priority)];
        check_invalid(Datadog, &headers, Invalid::Sampling);
    }
}

#[test]
fn the_upper_half_is_a_tag() {
    let check = |tags, trace| {
        let headers = [TRACE_ID, PARENT, ("x-datadog-tags", tags)];
        check_canonical(Datadog, &headers, context(trace, SPAN, Deferred));
    };
    check("_dd.p.tid=640cfd8d00000000", UPPER | TRACE);
    check("_dd.p.dm=-4,_dd.p.tid=640cfd8d00000000,_dd.p.usr.id=baz64==", UPPER | TRACE);
    check("_dd.p.dm=-4", TRACE);
    check("_dd.p.tid_other=640cfd8d00000000", TRACE);
}

#[test]
fn a_malformed_upper_half_is_dropped() {
    for tid in [
        "640cfd8d0000000",
        "640cfd8d000000000",
        "640cfd8d0000000X",
        "640CFD8D00000000",
        "",
        // It is well-formed, and says that there is none.
        "0000000000000000",
    ] {
        let tags = format!("_dd.p.dm=-4,_dd.p.tid={tid}");
        let headers = [TRACE_ID, PARENT, ("x-datadog-tags", tags.as_str())];
        check_read(Datadog, &headers, Read::Context(context(TRACE, SPAN, Deferred)));
        check_written(Datadog, &headers, &[TRACE_ID, PARENT, ("x-datadog-tags", "_dd.p.dm=-4")]);
    }
}

#[test]
fn of_several_upper_halves_the_last_counts() {
    let tags = "_dd.p.tid=1111111111111111,a=1,,_dd.p.tid=640cfd8d00000000,b=2";
    let headers = [TRACE_ID, PARENT, ("x-datadog-tags", tags)];
    check_read(Datadog, &headers, Read::Context(context(UPPER | TRACE, SPAN, Deferred)));
    check_written(
        Datadog,
        &headers,
        &[TRACE_ID, PARENT, ("x-datadog-tags", "_dd.p.tid=640cfd8d00000000,a=1,b=2")],
    );
}

#[test]
fn tags_that_may_not_stand_in_a_header_are_dropped() {
    let headers =
        [TRACE_ID, PARENT, ("x-datadog-origin", "r\u{7f}m"), ("x-datadog-tags", "a=\u{e9},b=2,c=\u{1}")];
    check_written(Datadog, &headers, &[TRACE_ID, PARENT, ("x-datadog-tags", "b=2")]);
}

#[test]
fn another_context_of_the_trace_keeps_origin_and_tags() {
    let headers = request(&[
        TRACE_ID,
        PARENT,
        ("x-datadog-sampling-priority", "2"),
        ("x-datadog-origin", "rum"),
        ("x-datadog-tags", "_dd.p.dm=-4"),
    ]);
    #[track_caller]
    fn check(headers: &Headers, context: TraceContext, expected: &[(&str, &str)]) {
        let written = write_over(Datadog, headers, &context, NotSampled).unwrap();
        assert_eq!(pairs(&headers_of(&written)), pairs(&request(expected)));
    }
    // The upper half that the other format knows is added.
    check(
        &headers,
        context(UPPER | TRACE, 5, Sampled),
        &[
            TRACE_ID,
            ("x-datadog-parent-id", "5"),
            ("x-datadog-sampling-priority", "2"),
            ("x-datadog-origin", "rum"),
            ("x-datadog-tags", "_dd.p.tid=640cfd8d00000000,_dd.p.dm=-4"),
        ],
    );
    // The priority belongs to the decision.
    check(
        &headers,
        context(TRACE, SPAN, NotSampled),
        &[
            TRACE_ID,
            PARENT,
            ("x-datadog-sampling-priority", "0"),
            ("x-datadog-origin", "rum"),
            ("x-datadog-tags", "_dd.p.dm=-4"),
        ],
    );
    // Another trace takes nothing.
    check(&headers, context(1, 5, Deferred), &[("x-datadog-trace-id", "1"), ("x-datadog-parent-id", "5")]);
}

/// A trace with the same lower half is another one if both upper halves are known.
#[test]
fn a_trace_with_another_upper_half_takes_nothing() {
    #[track_caller]
    fn check(tags: &str, trace: u128, expected: &[(&str, &str)]) {
        let headers = request(&[
            TRACE_ID,
            PARENT,
            ("x-datadog-sampling-priority", "2"),
            ("x-datadog-origin", "rum"),
            ("x-datadog-tags", tags),
        ]);
        let written = write_over(Datadog, &headers, &context(trace, 5, Sampled), NotSampled).unwrap();
        let ids = [TRACE_ID, ("x-datadog-parent-id", "5")];
        assert_eq!(pairs(&headers_of(&written)), pairs(&request(&[&ids, expected].concat())), "{tags}");
    }
    let kept =
        |tags| [("x-datadog-sampling-priority", "2"), ("x-datadog-origin", "rum"), ("x-datadog-tags", tags)];
    let other = [("x-datadog-sampling-priority", "1"), ("x-datadog-tags", "_dd.p.tid=640cfd8d00000000")];
    check("_dd.p.tid=1111111111111111,a=1", UPPER | TRACE, &other);
    check("_dd.p.tid=640cfd8d00000001,a=1", UPPER | TRACE, &other);
    check("_dd.p.tid=640cfd8d00000000,a=1", UPPER | TRACE, &kept("_dd.p.tid=640cfd8d00000000,a=1"));
    // One of them has 64 bits, or an upper half that cannot be read.
    check("a=1", UPPER | TRACE, &kept("_dd.p.tid=640cfd8d00000000,a=1"));
    check("_dd.p.tid=x,a=1", UPPER | TRACE, &kept("_dd.p.tid=640cfd8d00000000,a=1"));
    check("_dd.p.tid=1111111111111111,a=1", TRACE, &kept("a=1"));
}

#[test]
fn a_trace_with_an_origin_may_have_no_span() {
    let origin = ("x-datadog-origin", "synthetics");
    let expected = Read::Context(context(TRACE, 0, Deferred));
    check_read(Datadog, &[TRACE_ID, origin], expected);
    check_read(Datadog, &[TRACE_ID, ("x-datadog-parent-id", "0"), origin], expected);
    check_invalid(Datadog, &[TRACE_ID], Invalid::Incomplete);
    check_invalid(Datadog, &[TRACE_ID, ("x-datadog-parent-id", "0")], Invalid::ZeroId);
}

#[test]
fn a_span_needs_a_trace() {
    check_invalid(Datadog, &[PARENT], Invalid::Incomplete);
    check_read(Datadog, &[("x-datadog-origin", "rum"), ("x-datadog-sampling-priority", "1")], Read::Missing);
}

#[test]
fn ids_are_decimal_numbers_of_64_bits() {
    let check = |id, expected| {
        check_invalid(Datadog, &[("x-datadog-trace-id", id), PARENT], expected);
        check_invalid(Datadog, &[TRACE_ID, ("x-datadog-parent-id", id)], expected);
    };
    check("", Invalid::Decimal);
    check("18446744073709551616", Invalid::Decimal);
    check("100000000000000000000", Invalid::Decimal);
    check("000000000000000000001", Invalid::Decimal);
    check("-1", Invalid::Decimal);
    check("+1", Invalid::Decimal);
    check("12a", Invalid::Decimal);
    check("1 2", Invalid::Decimal);
    check("0", Invalid::ZeroId);
    let max =
        [("x-datadog-trace-id", "18446744073709551615"), ("x-datadog-parent-id", "18446744073709551615")];
    check_canonical(Datadog, &max, context(u128::from(u64::MAX), u64::MAX, Deferred));
}
