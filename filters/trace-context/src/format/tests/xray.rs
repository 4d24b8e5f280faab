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
    check("Roo=1-5759e988-bd862e3fe1be46a994272793", Invalid::Incomplete);
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

/// AWS's SDK for Node trims keys and ignores their case, and the last one counts.
#[test]
fn a_field_is_repeated_in_any_spelling() {
    let (root, other) = ("1-5759e988-bd862e3fe1be46a994272793", "1-00000000-000000000000000000000001");
    for key in ["root", "ROOT", "Root ", "root\t", " rOOt ", "\u{a0}Root", "Root\u{3000}"] {
        check(&format!("Root={root};{key}={other}"), Invalid::Repeated);
        check(&format!("{key}={root};Root={other}"), Invalid::Repeated);
    }
    for key in ["parent", "PARENT ", "Parent\t"] {
        check(&format!("Root={root};Parent=53995c3f42cd8ad8;{key}=0000000000000001"), Invalid::Repeated);
    }
    for key in ["sampled", "SAMPLED ", "Sampled\t"] {
        check(&format!("Root={root};Sampled=0;{key}=1"), Invalid::Repeated);
    }
}

#[test]
fn keys_are_read_in_any_spelling_and_written_in_one() {
    let expected = [(
        "x-amzn-trace-id",
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;self=1;LINEAGE =a:1",
    )];
    for (root, parent, sampled) in [
        ("root", "Parent", "Sampled"),
        ("Root", "PARENT", "Sampled"),
        ("Root", "Parent", "sampled"),
        ("Root ", "Parent\t", "Sampled "),
        ("\u{a0}Root", "Parent\u{a0}", "\u{3000}sampled"),
    ] {
        let value = format!(
            "{root}=1-5759e988-bd862e3fe1be46a994272793;self=1;{parent}=53995c3f42cd8ad8;{sampled}=1;LINEAGE =a:1"
        );
        let headers = request(&[("x-amzn-trace-id", &value)]);
        let found = context(TRACE, SPAN, Sampled);
        assert_eq!(read(Xray, &headers), Read::Context(found), "{value}");
        // Not all libraries read these spellings.
        assert!(!says(Xray, &headers, &found), "{value}");
        let written = headers_of(&write_over(Xray, &headers, &found, NotSampled).unwrap());
        assert_eq!(pairs(&written), pairs(&request(&expected)), "{value}");
    }
}

/// OpenTelemetry's propagators for Java and JavaScript look at the beginning of a key only.
#[test]
fn a_key_that_begins_like_one_of_a_context_is_invalid() {
    let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
    for key in
        ["Roots", "RootCause", "root-x", "Root\u{a0}x", "ParentName", "PARENT2", "Sampled?", "sampledBy"]
    {
        check(&format!("{root};{key}=1-00000000-000000000000000000000001"), Invalid::Grammar);
        check(&format!("{key}=1;{root}"), Invalid::Grammar);
    }
    for key in ["Self", "Lineage", "CalledFrom", "MyRoot", "x-parent", "Samples", "Par", "R"] {
        let value = format!("{root};{key}=1");
        check_canonical(Xray, &[("x-amzn-trace-id", &value)], context(TRACE, 0, Deferred));
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod laws {
    use super::*;
    use proptest::prelude::*;

    type Found = (Option<String>, Option<String>, Option<String>);

    /// The root, the parent and the decision that a library takes from a value: of the fields whose key `is` it, the last.
    fn found(value: &str, is: impl Fn(&str, &str) -> bool) -> Found {
        let pairs: Vec<_> = value.split(';').filter_map(|part| part.split_once('=')).collect();
        let last = |key| {
            let of_key = |(found, field): &(&str, &str)| is(found, key).then(|| field.trim().to_lowercase());
            pairs.iter().filter_map(of_key).next_back()
        };
        (last("Root"), last("Parent"), last("Sampled"))
    }

    fn values() -> impl Strategy<Value = String> {
        let key = prop_oneof![
            3 => "(Root|Parent|Sampled)",
            2 => "[ \u{a0}]?(root|ROOT|Root|parent|Parent|sampled|SAMPLED|Sampled|Self|a)[ \t\u{a0}x]?",
        ];
        let field = (key, 1..4u8, prop::bool::weighted(0.9)).prop_map(|(key, number, fits)| {
            let field = match key.trim().to_lowercase().get(..4) {
                Some("root") => format!("1-00000000-00000000000000000000000{number}"),
                Some("pare") => format!("000000000000000{number}"),
                _ => format!("{}", number % 2),
            };
            format!("{key}={}", if fits { field } else { String::new() })
        });
        prop::collection::vec(field, 0..5).prop_map(|fields| fields.join(";"))
    }

    proptest! {
        /// What the filter reads, no library reads as something else: AWS's SDK for Node, those for Python and Java,
        /// OpenTelemetry's propagators for Java and JavaScript.
        #[test]
        fn no_library_reads_another_context(value in values()) {
            let headers = request(&[("x-amzn-trace-id", &value)]);
            let Read::Context(context) = read(Xray, &headers) else { return Ok(()) };
            let written = write(Xray, &context, NotSampled).unwrap();
            let written = String::from_utf8(written[0].1.as_bytes().to_vec()).unwrap();
            let expected = found(&written, |found, key| found == key);
            for library in [
                found(&value, |found, key| found.trim().eq_ignore_ascii_case(key)),
                found(&value, |found, key| found == key),
                found(&value, |found, key| found.trim().starts_with(key)),
            ] {
                prop_assert!(library.0.is_none() || library.0 == expected.0, "{:?}", library);
                prop_assert!(library.1.is_none() || library.1 == expected.1, "{:?}", library);
                prop_assert!(library.2.is_none() || library.2 == expected.2, "{:?}", library);
            }
        }
    }
}
