//! Vectors of <https://github.com/openzipkin/b3-propagation>, "Single Header".

use super::*;
use Format::B3;

const TRACE: u128 = 0x80f1_98ee_5634_3ba8_64fe_8b2a_57d3_eff7;
const SPAN: u64 = 0xe457_b5a2_e4d8_6bd1;

#[track_caller]
fn check(value: &str, expected: Invalid) {
    check_invalid(B3, &[("b3", value)], expected);
}

#[test]
fn examples_of_the_specification() {
    let check = |value, decision| check_canonical(B3, &[("b3", value)], context(TRACE, SPAN, decision));
    check("80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90", Sampled);
    check("80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1", Sampled);
    check("80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-0", NotSampled);
    check("80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-d", Debug);
    check("80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1", Deferred);
}

#[test]
fn a_parent_may_follow_without_a_state() {
    let value = "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-05e3ac9a4f6e3b90";
    check_canonical(B3, &[("b3", value)], context(TRACE, SPAN, Deferred));
}

#[test]
fn a_state_alone_is_a_decision() {
    let check = |value, expected| check_read(B3, &[("b3", value)], Read::Decision(expected));
    check("0", NotSampled);
    check("1", Sampled);
    check("d", Debug);
}

#[test]
fn ids_of_64_bits_stay_so() {
    let expected = context(0x64fe_8b2a_57d3_eff7, SPAN, Sampled);
    check_canonical(B3, &[("b3", "64fe8b2a57d3eff7-e457b5a2e4d86bd1-1")], expected);
    let padded = "000000000000000064fe8b2a57d3eff7-e457b5a2e4d86bd1-1";
    check_written(B3, &[("b3", padded)], &[("b3", "64fe8b2a57d3eff7-e457b5a2e4d86bd1-1")]);
}

#[test]
fn states() {
    for value in ["", "2", "D", "true", "01", "-", "deny"] {
        check(value, if value == "-" { Invalid::Length } else { Invalid::Sampling });
    }
    check("64fe8b2a57d3eff7-e457b5a2e4d86bd1-", Invalid::Sampling);
    check("64fe8b2a57d3eff7-e457b5a2e4d86bd1-D", Invalid::Sampling);
    check("64fe8b2a57d3eff7-e457b5a2e4d86bd1--05e3ac9a4f6e3b90", Invalid::Sampling);
    check("64fe8b2a57d3eff7-e457b5a2e4d86bd1-true", Invalid::Sampling);
}

#[test]
fn ids_have_exact_lengths_in_lower_case() {
    check("64fe8b2a57d3eff-e457b5a2e4d86bd1-1", Invalid::Length);
    check("0f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1", Invalid::Length);
    check("080f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1", Invalid::Length);
    check("64fe8b2a57d3eff7-e457b5a2e4d86bd-1", Invalid::Length);
    check("64fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b9", Invalid::Length);
    check("64fe8b2a57d3eff7-e457b5a2e4d86bd1-1-", Invalid::Length);
    check("64FE8b2a57d3eff7-e457b5a2e4d86bd1-1", Invalid::Hex);
    check("64fe8b2a57d3eff7-E457b5a2e4d86bd1-1", Invalid::Hex);
    check("64fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05E3ac9a4f6e3b90", Invalid::Hex);
}

#[test]
fn ids_are_not_zero() {
    check("0000000000000000-e457b5a2e4d86bd1-1", Invalid::ZeroId);
    check("64fe8b2a57d3eff7-0000000000000000-1", Invalid::ZeroId);
    check("64fe8b2a57d3eff7-e457b5a2e4d86bd1-1-0000000000000000", Invalid::ZeroId);
}

#[test]
fn a_trace_needs_a_span() {
    check("64fe8b2a57d3eff7", Invalid::Incomplete);
    check("80f198ee56343ba864fe8b2a57d3eff7", Invalid::Incomplete);
    check("64fe8b2a57d3eff7-", Invalid::Length);
    check("64fe8b2a57d3eff7-1", Invalid::Length);
}

#[test]
fn nothing_follows_the_parent() {
    check("64fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90-", Invalid::Grammar);
    check("64fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90-1", Invalid::Grammar);
}
