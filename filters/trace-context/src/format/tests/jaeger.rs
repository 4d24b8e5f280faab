//! Vectors of <https://www.jaegertracing.io/docs/1.21/client-libraries/#propagation-format>, and of the propagators of
//! OpenTelemetry.

use super::*;
use Format::Jaeger;

const TRACE: u128 = 0x463a_c35c_9f64_13ad_4848_5a39_53bb_6124;
const SPAN: u64 = 0xa2fb_4a1d_1a96_d312;

#[track_caller]
fn check(value: &str, expected: Invalid) {
    check_invalid(Jaeger, &[("uber-trace-id", value)], expected);
}

#[test]
fn every_state_is_kept() {
    let check = |value, decision| {
        check_canonical(Jaeger, &[("uber-trace-id", value)], context(TRACE, SPAN, decision));
    };
    check("463ac35c9f6413ad48485a3953bb6124:a2fb4a1d1a96d312:0:0", NotSampled);
    check("463ac35c9f6413ad48485a3953bb6124:a2fb4a1d1a96d312:0:1", Sampled);
    check("463ac35c9f6413ad48485a3953bb6124:a2fb4a1d1a96d312:0:3", Debug);
}

#[test]
fn the_parent_and_other_flags_are_kept() {
    let check = |value, decision| {
        check_canonical(Jaeger, &[("uber-trace-id", value)], context(TRACE, SPAN, decision));
    };
    check("463ac35c9f6413ad48485a3953bb6124:a2fb4a1d1a96d312:0020000000000001:9", Sampled);
    check("463ac35c9f6413ad48485a3953bb6124:a2fb4a1d1a96d312:0:fb", Debug);
    check("463ac35c9f6413ad48485a3953bb6124:a2fb4a1d1a96d312:0:8", NotSampled);
}

#[test]
fn leading_zeros_may_be_missing() {
    let check = |value, trace, span| {
        check_read(Jaeger, &[("uber-trace-id", value)], Read::Context(context(trace, span, Sampled)));
    };
    check("1:2:0:1", 1, 2);
    check("000000000000000000000000deadbeef:00000000deadbef0:00:01", 0xdead_beef, 0xdead_bef0);
    check("10000000000000000:ffffffffffffffff:ffffffffffffffff:1", 1 << 64, u64::MAX);
    check("ABCDEF:Ab:0:1", 0xab_cdef, 0xab);
}

#[test]
fn ids_of_64_bits_stay_so() {
    let value = "48485a3953bb6124:a2fb4a1d1a96d312:0:1";
    check_canonical(Jaeger, &[("uber-trace-id", value)], context(0x4848_5a39_53bb_6124, SPAN, Sampled));
    check_written(
        Jaeger,
        &[("uber-trace-id", "1:2:3:1")],
        &[("uber-trace-id", "0000000000000001:0000000000000002:0000000000000003:1")],
    );
}

#[test]
fn colons_may_be_encoded() {
    for value in ["1%3A2%3A0%3A1", "1%3a2%3a0%3a1", "1%3A2:0%3a1"] {
        check_read(Jaeger, &[("uber-trace-id", value)], Read::Context(context(1, 2, Sampled)));
    }
    check("1%3B2%3A0%3A1", Invalid::Grammar);
    check("1%2%0%1", Invalid::Grammar);
    check("1%253A2%253A0%253A1", Invalid::Grammar);
}

#[test]
fn debug_implies_sampled() {
    check_read(Jaeger, &[("uber-trace-id", "1:2:0:2")], Read::Context(context(1, 2, Debug)));
}

#[test]
fn fields() {
    check("", Invalid::Grammar);
    check("1", Invalid::Grammar);
    check("1:2", Invalid::Grammar);
    check("1:2:0", Invalid::Grammar);
    check("1:2:0:1:", Invalid::Grammar);
    check("1:2:0:1:1", Invalid::Grammar);
    check("1:2:0:1%3A", Invalid::Grammar);
    check("1:2:0:", Invalid::Length);
    check("1:2::1", Invalid::Length);
    check("1::0:1", Invalid::Length);
    check(":2:0:1", Invalid::Length);
    check("0463ac35c9f6413ad48485a3953bb6124:2:0:1", Invalid::Length);
    check("1:0a2fb4a1d1a96d312:0:1", Invalid::Length);
    check("1:2:0a2fb4a1d1a96d312:1", Invalid::Length);
    check("1:2:0:001", Invalid::Length);
}

#[test]
fn digits() {
    check("x:2:0:1", Invalid::Hex);
    check("1:x:0:1", Invalid::Hex);
    check("1:2:x:1", Invalid::Hex);
    check("1:2:0:x", Invalid::Hex);
    check("-1:2:0:1", Invalid::Hex);
    check("0x1:2:0:1", Invalid::Hex);
}

#[test]
fn ids_are_not_zero() {
    check("0:2:0:1", Invalid::ZeroId);
    check("00000000000000000000000000000000:2:0:1", Invalid::ZeroId);
    check("1:0:0:1", Invalid::ZeroId);
}
