//! Where a variant is written.

use super::Gateway;
use super::gateway::Told;
use mesh_policy::effects::Edit;

/// The edits of a message, one word and a header each.
fn edits(edits: &[Edit]) -> Vec<String> {
    let text = |edit: &Edit| match edit {
        Edit::Set(name, value) => {
            format!("set {} {}", name.as_str(), String::from_utf8_lossy(value.as_bytes()))
        }
        Edit::Add(name, _) => format!("add {}", name.as_str()),
        Edit::Remove(name) => format!("remove {}", name.as_str()),
        Edit::Target(_) => "target".to_owned(),
        Edit::Status(status) => format!("status {status}"),
    };
    edits.iter().map(text).collect()
}

/// What is written of a request that gets `v2` by a rule, and of one that has no variant. Each as the request's edits, the
/// filter state and the response's edits.
#[track_caller]
fn check(output: &str, with: (&[&str], Option<(&str, &str)>, &[&str]), without: &[&str]) {
    let gateway = Gateway::new(&format!(
        r#"{{"output": {output}, "rules": [{{"name": "r", "match": {{"headers": [{{"name": "a", "present": true}}]}}, "variant": "v2"}}]}}"#
    ));
    let verdict: Told<'_> = gateway.decide("a: 1");
    assert_eq!(
        (edits(&verdict.request).as_slice(), verdict.filter_state),
        (&with.0.iter().map(ToString::to_string).collect::<Vec<_>>()[..], with.1),
        "{output}"
    );
    assert_eq!(edits(&verdict.response), with.2, "{output}");
    let verdict = gateway.decide("b: 1");
    assert_eq!((edits(&verdict.request).len(), verdict.filter_state), (0, None), "{output}");
    assert_eq!(edits(&verdict.response), without, "{output}");
}

#[test]
fn a_variant_is_written_where_the_output_says_and_nowhere_else() {
    check(r#"{"header": "h"}"#, (&["set h v2"], None, &[]), &[]);
    check(r#"{"filter_state": "f"}"#, (&[], Some(("f", "v2")), &[]), &[]);
    check(r#"{"header": "h", "filter_state": "f"}"#, (&["set h v2"], Some(("f", "v2")), &[]), &[]);
    // Without a variant, the upstream's own response header would be taken for one.
    check(r#"{"header": "h", "response_header": "r"}"#, (&["set h v2"], None, &["set r v2"]), &["remove r"]);
    check("null", (&["set x-mesh-variant v2"], None, &[]), &[]);
}

#[test]
fn headers_of_the_filter_are_the_output_s_and_the_override_s() {
    use mesh_policy::policy::Policy as _;
    let own = |config: &str| {
        let gateway = Gateway::new(config);
        let names: Vec<_> =
            gateway.policy.own_headers().iter().map(|name| name.as_str().to_owned()).collect();
        names
    };
    assert_eq!(own(""), ["x-mesh-variant"]);
    assert_eq!(own(r#"{"output": {"filter_state": "f"}}"#), Vec::<String>::new());
    assert_eq!(own(r#"{"output": {"header": "h", "response_header": "r"}}"#), ["h"]);
    assert_eq!(own(r#"{"trusted_override": {"header": "o", "match": {}}}"#), ["x-mesh-variant", "o"]);
    assert_eq!(own(r#"{"trusted_override": {"header": "X-Mesh-Variant", "match": {}}}"#), ["x-mesh-variant"]);
    let off = r#"{"mode": "off", "output": {"filter_state": "f"}, "trusted_override": {"header": "o", "match": {}}}"#;
    assert_eq!(own(off), ["o"]);
}
