//! Vectors of <https://cloud.google.com/trace/docs/trace-context#legacy-http-header>.

use super::*;
use Format::Gcp;

const TRACE: u128 = 0x1054_45aa_7843_bc8b_f206_b120_0010_0000;

#[track_caller]
fn check(value: &str, expected: Invalid) {
    check_invalid(Gcp, &[("x-cloud-trace-context", value)], expected);
}

#[test]
fn every_state_is_kept() {
    let check = |value, expected| check_canonical(Gcp, &[("x-cloud-trace-context", value)], expected);
    check("105445aa7843bc8bf206b12000100000/1;o=1", context(TRACE, 1, Sampled));
    check("105445aa7843bc8bf206b12000100000/1;o=0", context(TRACE, 1, NotSampled));
    check("105445aa7843bc8bf206b12000100000/1", context(TRACE, 1, Deferred));
    check("105445aa7843bc8bf206b12000100000/0;o=1", context(TRACE, 0, Sampled));
    check("105445aa7843bc8bf206b12000100000/18446744073709551615;o=1", context(TRACE, u64::MAX, Sampled));
}

#[test]
fn the_span_may_be_missing() {
    let check = |value, written| {
        check_written(Gcp, &[("x-cloud-trace-context", value)], &[("x-cloud-trace-context", written)]);
    };
    check("105445aa7843bc8bf206b12000100000", "105445aa7843bc8bf206b12000100000/0");
    check("105445aa7843bc8bf206b12000100000;o=1", "105445aa7843bc8bf206b12000100000/0;o=1");
    check("105445AA7843BC8BF206B12000100000/01;o=3", "105445aa7843bc8bf206b12000100000/1;o=1");
    check("105445aa7843bc8bf206b12000100000/1;o=2", "105445aa7843bc8bf206b12000100000/1;o=0");
}

#[test]
fn anything_else_is_refused() {
    check("", Invalid::Length);
    check("105445aa7843bc8bf206b1200010000/1;o=1", Invalid::Length);
    check("105445aa7843bc8bf206b120001000000/1;o=1", Invalid::Length);
    check("105445aa7843/505445aa7843;o=1", Invalid::Length);
    check("105445aa7843bc8bf206b1200010000x/1;o=1", Invalid::Hex);
    check("00000000000000000000000000000000/1;o=1", Invalid::ZeroId);
    check("105445aa7843bc8bf206b12000100000/;o=1", Invalid::Decimal);
    check("105445aa7843bc8bf206b12000100000/a;o=1", Invalid::Decimal);
    check("105445aa7843bc8bf206b12000100000/-1;o=1", Invalid::Decimal);
    check("105445aa7843bc8bf206b12000100000/18446744073709551616;o=1", Invalid::Decimal);
    check("105445aa7843bc8bf206b12000100000/1/2;o=1", Invalid::Decimal);
    check("105445aa7843bc8bf206b12000100000/1;o=", Invalid::Decimal);
    check("105445aa7843bc8bf206b12000100000/1;o=true", Invalid::Decimal);
    check("105445aa7843bc8bf206b12000100000/1;", Invalid::Grammar);
    check("105445aa7843bc8bf206b12000100000/1;1", Invalid::Grammar);
    check("105445aa7843bc8bf206b12000100000/1;o=1;o=0", Invalid::Decimal);
}
