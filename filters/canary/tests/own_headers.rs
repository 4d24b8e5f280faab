//! What only the filter may set is removed of every request, in every spelling, in every mode.

use canary::policy::Policy;
use mesh_host::PolicyFilter;
use mesh_host::testing::{Fate, Proxy};

type CanaryProxy = Proxy<PolicyFilter<Policy>>;

const MODES: [&str; 3] = ["enforce", "shadow", "off"];

/// A config with the output header `x-mesh-variant` and the override header `x-force`, which is trusted from 10.0.0.0/8.
fn proxy(mode: &str, from: &str) -> CanaryProxy {
    let proxy = Proxy::start(&format!(
        r#"{{"mode": "{mode}", "default": "v1", "trusted_override": {{"header": "x-force", "match": {{"client_ip": ["10.0.0.0/8"]}}}},
            "rules": [{{"name": "r", "match": {{"headers": [{{"name": "canary", "present": true}}]}}, "variant": "v2"}},
                {{"name": "others", "match": {{"path": {{"exact": "/others"}}}}, "variant": "v3"}}]}}"#
    ));
    proxy.host().set_property(&["source", "address"], from);
    proxy
}

/// Whether an upstream may read this as one of the filter's headers.
fn is_own(name: &str) -> bool {
    let plain = |name: &str| name.replace(|character: char| !character.is_ascii_alphanumeric(), "-");
    ["x-mesh-variant", "x-force"].contains(&plain(name).to_ascii_lowercase().as_str())
}

/// The headers with a meaning to upstreams that are left of a request.
fn left(proxy: &CanaryProxy, headers: &[(&str, &str)]) -> Vec<(String, String)> {
    let all: Vec<_> = [(":method", "GET"), (":path", "/")].iter().chain(headers).copied().collect();
    let stream = proxy.request(&all);
    assert_eq!(stream.fate(), Fate::Continued, "{headers:?}");
    let left = stream.request_headers().into_iter().filter(|(name, _)| is_own(name)).collect();
    stream.end();
    left
}

/// Which variant the upstream is told, of a client outside of the trusted network. Nothing in shadow and off.
#[track_caller]
fn check(headers: &[(&str, &str)], variant: &str) {
    for mode in MODES {
        let expected =
            if mode == "enforce" { vec![("x-mesh-variant".to_owned(), variant.to_owned())] } else { vec![] };
        assert_eq!(left(&proxy(mode, "192.0.2.1:1000"), headers), expected, "{mode} {headers:?}");
    }
}

#[test]
fn a_client_cannot_tell_the_upstream_a_variant() {
    for spelling in ["x-mesh-variant", "x_mesh_variant", "x-mesh_variant", "x.mesh.variant", "x!mesh~variant"]
    {
        check(&[(spelling, "v2")], "v1");
        check(&[(spelling, "v2"), (spelling, "v3")], "v1");
        check(&[("x-mesh-variant", "v3"), (spelling, "v2"), ("canary", "1")], "v2");
    }
}

#[test]
fn a_client_cannot_tell_the_upstream_an_override() {
    for spelling in ["x-force", "x_force", "x.force"] {
        check(&[(spelling, "v2")], "v1");
        check(&[(spelling, "v2"), (spelling, "v2")], "v1");
    }
}

#[test]
fn other_headers_stay() {
    let proxy = proxy("enforce", "192.0.2.1:1000");
    let stream = proxy.request(&[
        (":path", "/"),
        ("x-mesh-variants", "v2"),
        ("mesh-variant", "v2"),
        ("xx-force", "v2"),
    ]);
    let names: Vec<_> = stream.request_headers().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [":path", "x-mesh-variants", "mesh-variant", "xx-force", "x-mesh-variant"]);
    stream.end();
}

/// A followed override is removed like any other.
#[test]
fn an_override_works_only_from_its_network() {
    let told = |from: &str, headers: &[(&str, &str)]| {
        let left = left(&proxy("enforce", from), headers);
        left.into_iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
    };
    assert_eq!(told("10.1.2.3:1000", &[("x-force", "v2")]), ["x-mesh-variant: v2"]);
    assert_eq!(told("192.0.2.1:1000", &[("x-force", "v2")]), ["x-mesh-variant: v1"]);
    assert_eq!(told("10.1.2.3:1000", &[("x_force", "v2")]), ["x-mesh-variant: v1"]);
    assert_eq!(told("10.1.2.3:1000", &[("x-force", "v2"), ("x_force", "v2")]), ["x-mesh-variant: v1"]);
}

#[test]
fn what_is_removed_is_counted() {
    for mode in MODES {
        let proxy = proxy(mode, "192.0.2.1:1000");
        left(&proxy, &[("x_mesh_variant", "v2")]);
        left(&proxy, &[("canary", "1")]);
        assert_eq!(proxy.host().metric("mesh_filters.canary.header_removed"), 1, "{mode}");
    }
}

/// An upstream may read trailers as headers.
#[test]
fn trailers_are_cleaned_as_well() {
    for mode in MODES {
        let proxy = proxy(mode, "10.1.2.3:1000");
        let stream = proxy.open(&[(":method", "POST"), (":path", "/")]);
        assert!(stream.body(b"body", false));
        assert!(stream.trailers(&[
            ("x-mesh-variant", "v2"),
            ("x_force", "v2"),
            ("x-end", "1"),
            ("x.mesh.variant", "v2")
        ]));
        assert_eq!(stream.request_trailers(), [("x-end".to_owned(), "1".to_owned())], "{mode}");
        stream.end();
    }
}

/// No proxy can remove a header by this name, and an upstream may read it as the filter's.
#[test]
fn a_name_that_cannot_be_removed_is_refused_in_every_mode() {
    for mode in MODES {
        let proxy = proxy(mode, "192.0.2.1:1000");
        let stream = proxy.request(&[(":path", "/"), ("x mesh variant", "v2")]);
        let reply = stream.reply().map(|reply| (reply.status, reply.details));
        assert_eq!(reply, Some((503, "canary_error".to_owned())), "{mode}");
        stream.end();
        let stream = proxy.open(&[(":path", "/")]);
        assert!(!stream.trailers(&[("x force", "v2")]), "{mode}");
        let reply = stream.reply().map(|reply| (reply.status, reply.details));
        assert_eq!(reply, Some((503, "canary_error".to_owned())), "{mode}");
        stream.end();
    }
}
