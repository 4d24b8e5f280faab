//! Vectors of <https://www.w3.org/TR/trace-context-2/> and of its test suite, `test/test.py` in github w3c/trace-context.

use super::*;
use Format::W3c;

const TRACE: u128 = 0x1234_5678_9012_3456_7890_1234_5678_9012;
const SPAN: u64 = 0x1234_5678_9012_3456;

#[track_caller]
fn check(value: &str, expected: Invalid) {
    check_invalid(W3c, &[("traceparent", value)], expected);
}

#[test]
fn examples_of_the_specification() {
    let trace = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
    let span = 0x00f0_67aa_0ba9_02b7;
    let check =
        |value, decision| check_canonical(W3c, &[("traceparent", value)], context(trace, span, decision));
    check("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", Sampled);
    check("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", NotSampled);
}

#[test]
fn the_random_flag_is_kept() {
    let random = |decision| TraceContext { is_random: true, ..context(TRACE, SPAN, decision) };
    let check = |value, decision| check_canonical(W3c, &[("traceparent", value)], random(decision));
    check("00-12345678901234567890123456789012-1234567890123456-02", NotSampled);
    check("00-12345678901234567890123456789012-1234567890123456-03", Sampled);
}

#[test]
fn other_flags_are_ignored_and_not_written() {
    let check = |flags: &str, written: &str| {
        let value = |flags| format!("00-12345678901234567890123456789012-1234567890123456-{flags}");
        let (value, written) = (value(flags), value(written));
        check_written(W3c, &[("traceparent", &value)], &[("traceparent", &written)]);
    };
    check("ff", "03");
    check("fe", "02");
    check("fd", "01");
    check("04", "00");
}

#[test]
fn later_versions_are_sent_on_in_version_00() {
    for value in [
        "cc-12345678901234567890123456789012-1234567890123456-01",
        "cc-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
        "01-12345678901234567890123456789012-1234567890123456-01-",
        "fe-12345678901234567890123456789012-1234567890123456-01-\u{e9}",
    ] {
        let expected = context(TRACE, SPAN, Sampled);
        check_read(W3c, &[("traceparent", value)], Read::Context(expected));
        assert!(!says(W3c, &request(&[("traceparent", value)]), &expected), "{value}");
    }
    check(
        "cc-12345678901234567890123456789012-1234567890123456-01.what-the-future-will-be-like",
        Invalid::Grammar,
    );
    check("cc-12345678901234567890123456789012-1234567890123456-010", Invalid::Grammar);
    check("cc-12345678901234567890123456789012-1234567890123456-1", Invalid::Length);
    check("cc-12345678901234567890123456789012-1234567890123456", Invalid::Length);
    check("cc-00000000000000000000000000000000-1234567890123456-01", Invalid::ZeroId);
    check("cc-12345678901234567890123456789012-1234567890123456-0G", Invalid::Hex);
}

#[test]
fn versions() {
    check("ff-12345678901234567890123456789012-1234567890123456-01", Invalid::Version);
    check(".0-12345678901234567890123456789012-1234567890123456-01", Invalid::Version);
    check("0.-12345678901234567890123456789012-1234567890123456-01", Invalid::Version);
    check("CC-12345678901234567890123456789012-1234567890123456-01", Invalid::Version);
    check("000-12345678901234567890123456789012-1234567890123456-01", Invalid::Version);
    check("0000-12345678901234567890123456789012-1234567890123456-01", Invalid::Version);
    check("0-12345678901234567890123456789012-1234567890123456-01", Invalid::Version);
    check("", Invalid::Version);
    check("00", Invalid::Version);
    check("12345678901234567890123456789012", Invalid::Version);
}

#[test]
fn lengths_of_version_00() {
    check("00-12345678901234567890123456789012-1234567890123456-01.", Invalid::Length);
    check(
        "00-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
        Invalid::Length,
    );
    check("00-12345678901234567890123456789012-1234567890123456-001", Invalid::Length);
    check("00-12345678901234567890123456789012-1234567890123456-1", Invalid::Length);
    check("00-123456789012345678901234567890123-1234567890123456-01", Invalid::Length);
    check("00-1234567890123456789012345678901-1234567890123456-01", Invalid::Length);
    check("00-12345678901234567890123456789012-12345678901234567-01", Invalid::Length);
    check("00-12345678901234567890123456789012-123456789012345-01", Invalid::Length);
    check("00-", Invalid::Length);
    // The right length, with the separators elsewhere.
    check("00-123456789012345678901234567890123-123456789012345-01", Invalid::Grammar);
    check("00-12345678901234567890123456789012-12345678901234567-1", Invalid::Grammar);
    check("00-12345678901234567890123456789012-1234567890123456x01", Invalid::Grammar);
}

#[test]
fn digits_are_hexadecimal_in_lower_case() {
    check("00-.2345678901234567890123456789012-1234567890123456-01", Invalid::Hex);
    check("00-1234567890123456789012345678901.-1234567890123456-01", Invalid::Hex);
    check("00-12345678901234567890123456789012-.234567890123456-01", Invalid::Hex);
    check("00-12345678901234567890123456789012-123456789012345.-01", Invalid::Hex);
    check("00-12345678901234567890123456789012-1234567890123456-.0", Invalid::Hex);
    check("00-12345678901234567890123456789012-1234567890123456-0.", Invalid::Hex);
    check("00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", Invalid::Hex);
    check("00-4bf92f3577b34da6a3ce929d0e0e4736-00F067aa0ba902b7-01", Invalid::Hex);
    check("00-12345678901234567890123456789012-1234567890123456-0A", Invalid::Hex);
    check("00-+2345678901234567890123456789012-1234567890123456-01", Invalid::Hex);
}

#[test]
fn ids_are_not_zero() {
    check("00-00000000000000000000000000000000-1234567890123456-01", Invalid::ZeroId);
    check("00-12345678901234567890123456789012-0000000000000000-01", Invalid::ZeroId);
}

#[test]
fn spaces_around_the_value_are_no_part_of_it() {
    let value = "\t 00-12345678901234567890123456789012-1234567890123456-01 \t";
    check_read(W3c, &[("traceparent", value)], Read::Context(context(TRACE, SPAN, Sampled)));
}

#[test]
fn other_names_are_other_headers() {
    let value = "00-12345678901234567890123456789012-1234567890123456-01";
    check_read(W3c, &[("trace-parent", value), ("trace.parent", value)], Read::Missing);
    check_read(W3c, &[("TraceParent", value)], Read::Context(context(TRACE, SPAN, Sampled)));
}

#[test]
fn a_repeated_traceparent_is_no_context() {
    let headers = [
        ("traceparent", "00-12345678901234567890123456789011-1234567890123456-01"),
        ("traceparent", "00-12345678901234567890123456789012-1234567890123456-01"),
    ];
    check_invalid(W3c, &headers, Invalid::Repeated);
}
