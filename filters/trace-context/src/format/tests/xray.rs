//! Vectors of <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader> and
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html>.

use super::*;
use Format::Xray;

const TRACE: u128 = 0x5759_e988_bd86_2e3f_e1be_46a9_9427_2793;
const SPAN: u64 = 0x5399_5c3f_42cd_8ad8;

#[track_caller]
fn check(value: &str, expected: Invalid) {
    check_invalid(Xray, &[("x-amzn-trace-id", value)], expected);
}

#[test]
fn examples_of_the_documentation() {
    let check = |value, expected| check_canonical(Xray, &[("x-amzn-trace-id", value)], expected);
    check("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", context(TRACE, 0, Sampled));
    check(
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
        context(TRACE, SPAN, Sampled),
    );
    check(
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0",
        context(TRACE, SPAN, NotSampled),
    );
    let root = context(0x6789_1233_abcd_ef01_2345_6789_1234_5678, 0, Deferred);
    check("Root=1-67891233-abcdef012345678912345678", root);
    check("Root=1-67891233-abcdef012345678912345678;CalledFrom=app", root);
}

#[test]
fn fields_may_have_any_order() {
    let value =
        "Self=1-67891233-12456789abcdef012345678;Root=1-67891233-abcdef012345678912345678;CalledFrom=app";
    let expected =
        "Root=1-67891233-abcdef012345678912345678;Self=1-67891233-12456789abcdef012345678;CalledFrom=app";
    check_written(Xray, &[("x-amzn-trace-id", value)], &[("x-amzn-trace-id", expected)]);
    let value = "Sampled=1;Lineage=a87bd80c:1|68fd508a:5|c512fbe3:2;Parent=53995c3f42cd8ad8;Root=1-5759e988-bd862e3fe1be46a994272793";
    let expected = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a87bd80c:1|68fd508a:5|c512fbe3:2";
    check_written(Xray, &[("x-amzn-trace-id", value)], &[("x-amzn-trace-id", expected)]);
}

#[test]
fn spaces_and_empty_fields_are_ignored() {
    let value = "; Root=1-5759e988-BD862E3FE1BE46A994272793 ;\tSampled=?;;";
    let expected = "Root=1-5759e988-bd862e3fe1be46a994272793";
    check_written(Xray, &[("x-amzn-trace-id", value)], &[("x-amzn-trace-id", expected)]);
}

#[test]
fn a_question_mark_defers_the_decision() {
    let value = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=?";
    check_read(Xray, &[("x-amzn-trace-id", value)], Read::Context(context(TRACE, 0, Deferred)));
}

#[test]
fn fields_that_may_not_stand_in_a_header_are_dropped() {
    let value = "Root=1-5759e988-bd862e3fe1be46a994272793;a=\u{e9};b=2";
    let expected = "Root=1-5759e988-bd862e3fe1be46a994272793;b=2";
    check_written(Xray, &[("x-amzn-trace-id", value)], &[("x-amzn-trace-id", expected)]);
}

#[test]
fn another_trace_takes_no_fields() {
    let headers = request(&[("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;a=1")]);
    let written = write_over(Xray, &headers, &context(1, 0, Deferred), NotSampled).unwrap();
    let expected = [("x-amzn-trace-id", "Root=1-00000000-000000000000000000000001")];
    assert_eq!(pairs(&headers_of(&written)), pairs(&request(&expected)));
}

#[test]
fn a_root_is_needed() {
    check("", Invalid::Incomplete);
    check("Sampled=0", Invalid::Incomplete);
    check("Parent=53995c3f42cd8ad8;Sampled=1", Invalid::Incomplete);
    check("root=1-5759e988-bd862e3fe1be46a994272793", Invalid::Incomplete);
}

#[test]
fn roots() {
    check("Root=2-5759e988-bd862e3fe1be46a994272793", Invalid::Version);
    check("Root=", Invalid::Version);
    check("Root=5759e988bd862e3fe1be46a994272793", Invalid::Version);
    check("Root=1-", Invalid::Length);
    check("Root=1-5759e988-bd862e3fe1be46a99427279", Invalid::Length);
    check("Root=1-5759e988-bd862e3fe1be46a9942727933", Invalid::Length);
    check("Root=1-5759e9889bd862e3fe1be46a994272793", Invalid::Grammar);
    check("Root=1-5759e988-xd862e3fe1be46a994272793", Invalid::Hex);
    check("Root=1-x759e988-bd862e3fe1be46a994272793", Invalid::Hex);
    check("Root=1-00000000-000000000000000000000000", Invalid::ZeroId);
}

#[test]
fn other_fields() {
    let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
    check(&format!("{root};Parent=53995c3f42cd8ad"), Invalid::Length);
    check(&format!("{root};Parent="), Invalid::Length);
    check(&format!("{root};Parent=0000000000000000"), Invalid::ZeroId);
    check(&format!("{root};Parent=53995c3f42cd8adx"), Invalid::Hex);
    check(&format!("{root};Sampled=2"), Invalid::Sampling);
    check(&format!("{root};Sampled="), Invalid::Sampling);
    check(&format!("{root};Sampled"), Invalid::Grammar);
    check(&format!("{root};nonsense"), Invalid::Grammar);
    check(&format!("{root},{root}"), Invalid::Length);
}

#[test]
fn a_repeated_field_is_invalid() {
    let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
    check(&format!("{root};{root}"), Invalid::Repeated);
    check(&format!("{root};Parent=53995c3f42cd8ad8;Parent=53995c3f42cd8ad8"), Invalid::Repeated);
    check(&format!("{root};Sampled=1;Sampled=0"), Invalid::Repeated);
}
