//! Vectors of <https://github.com/openzipkin/b3-propagation>, "Multiple Headers".

use super::*;
use Format::B3Multi;

const TRACE: u128 = 0x80f1_98ee_5634_3ba8_64fe_8b2a_57d3_eff7;
const SPAN: u64 = 0xe457_b5a2_e4d8_6bd1;
const TRACE_ID: (&str, &str) = ("x-b3-traceid", "80f198ee56343ba864fe8b2a57d3eff7");
const SPAN_ID: (&str, &str) = ("x-b3-spanid", "e457b5a2e4d86bd1");
const PARENT: (&str, &str) = ("x-b3-parentspanid", "05e3ac9a4f6e3b90");

#[test]
fn examples_of_the_specification() {
    let sampled = ("x-b3-sampled", "1");
    let headers = [TRACE_ID, SPAN_ID, PARENT, sampled];
    check_canonical(B3Multi, &headers, context(TRACE, SPAN, Sampled));
    let headers = [("x-b3-traceid", "463ac35c9f6413ad48485a3953bb6124"), ("x-b3-spanid", "a2fb4a1d1a96d312")];
    let expected = context(0x463a_c35c_9f64_13ad_4848_5a39_53bb_6124, 0xa2fb_4a1d_1a96_d312, Deferred);
    check_canonical(B3Multi, &headers, expected);
}

#[test]
fn every_state_is_kept() {
    let check = |state, decision| {
        check_canonical(B3Multi, &[TRACE_ID, SPAN_ID, state], context(TRACE, SPAN, decision))
    };
    check(("x-b3-sampled", "0"), NotSampled);
    check(("x-b3-sampled", "1"), Sampled);
    check(("x-b3-flags", "1"), Debug);
}

#[test]
fn ids_of_64_bits_stay_so() {
    let short = ("x-b3-traceid", "64fe8b2a57d3eff7");
    check_canonical(B3Multi, &[short, SPAN_ID], context(0x64fe_8b2a_57d3_eff7, SPAN, Deferred));
    let padded = ("x-b3-traceid", "000000000000000064fe8b2a57d3eff7");
    check_written(B3Multi, &[padded, SPAN_ID], &[short, SPAN_ID]);
}

#[test]
fn a_state_alone_is_a_decision() {
    let check = |state, expected| check_read(B3Multi, &[state], Read::Decision(expected));
    check(("x-b3-sampled", "0"), NotSampled);
    check(("x-b3-sampled", "1"), Sampled);
    check(("x-b3-sampled", "false"), NotSampled);
    check(("x-b3-sampled", "true"), Sampled);
    check(("x-b3-flags", "1"), Debug);
}

#[test]
fn flags_other_than_debug_say_nothing() {
    for flags in ["0", "", "2", "true", "11"] {
        check_read(B3Multi, &[("x-b3-flags", flags)], Read::Missing);
    }
    let headers = [TRACE_ID, SPAN_ID, ("x-b3-sampled", "0"), ("x-b3-flags", "0")];
    check_read(B3Multi, &headers, Read::Context(context(TRACE, SPAN, NotSampled)));
}

#[test]
fn debug_implies_sampled() {
    for sampled in ["1", "0"] {
        let headers = [TRACE_ID, SPAN_ID, ("x-b3-sampled", sampled), ("x-b3-flags", "1")];
        check_read(B3Multi, &headers, Read::Context(context(TRACE, SPAN, Debug)));
        check_written(B3Multi, &headers, &[TRACE_ID, SPAN_ID, ("x-b3-flags", "1")]);
    }
}

#[test]
fn older_tracers_spell_the_state_out() {
    let headers = [TRACE_ID, SPAN_ID, ("x-b3-sampled", "true")];
    check_written(B3Multi, &headers, &[TRACE_ID, SPAN_ID, ("x-b3-sampled", "1")]);
}

#[test]
fn states() {
    for state in ["", "2", "d", "True", "-", "01"] {
        check_invalid(B3Multi, &[TRACE_ID, SPAN_ID, ("x-b3-sampled", state)], Invalid::Sampling);
        check_invalid(B3Multi, &[("x-b3-sampled", state)], Invalid::Sampling);
    }
}

#[test]
fn a_trace_and_a_span_need_each_other() {
    check_invalid(B3Multi, &[TRACE_ID], Invalid::Incomplete);
    check_invalid(B3Multi, &[SPAN_ID], Invalid::Incomplete);
    check_invalid(B3Multi, &[PARENT], Invalid::Incomplete);
    check_invalid(B3Multi, &[TRACE_ID, PARENT, ("x-b3-sampled", "1")], Invalid::Incomplete);
}

#[test]
fn ids() {
    let check = |headers: &[(&str, &str)], expected| check_invalid(B3Multi, headers, expected);
    check(&[("x-b3-traceid", "80f198ee56343ba8-64fe8b2a57d3eff"), SPAN_ID], Invalid::Hex);
    check(&[("x-b3-traceid", "80F198ee56343ba8"), SPAN_ID], Invalid::Hex);
    check(&[("x-b3-traceid", "80f198ee56343ba"), SPAN_ID], Invalid::Length);
    check(&[("x-b3-traceid", ""), SPAN_ID], Invalid::Length);
    check(&[("x-b3-traceid", "0000000000000000"), SPAN_ID], Invalid::ZeroId);
    check(&[TRACE_ID, ("x-b3-spanid", "0000000000000000")], Invalid::ZeroId);
    check(&[TRACE_ID, ("x-b3-spanid", "e457b5a2e4d86bd")], Invalid::Length);
    check(&[TRACE_ID, SPAN_ID, ("x-b3-parentspanid", "-")], Invalid::Length);
    check(&[TRACE_ID, SPAN_ID, ("x-b3-parentspanid", "")], Invalid::Length);
}
