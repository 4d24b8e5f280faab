//! Requests that name their variant.

use super::{Gateway, check, check_counts, label};

/// Requests with a header `trusted` may name their variant, of these: v1, v2, v3, v4, v5.
fn config(top: &str) -> String {
    format!(
        r#"{{"default": "v1", "trusted_override": {{"header": "x-force", "match": {{"headers": [{{"name": "trusted", "present": true}}]}}}},
            "rules": [{{"name": "r", "match": {{"headers": [{{"name": "canary", "present": true}}]}}, "variant": "v2"}},
                      {{"name": "off", "variant": "v5", "mode": "off"}}],
            "split": {{"name": "s", "match": {{"path": {{"prefix": "/s/"}}}},
                "variants": [{{"name": "v3", "weight": 1}}, {{"name": "v4", "weight": 0}}]}}{top}}}"#
    )
}

#[test]
fn a_trusted_request_names_a_variant_of_the_config() {
    for variant in ["v1", "v2", "v3", "v4", "v5"] {
        let label = format!("override:{variant}");
        check(&config(""), &[(&format!("trusted: 1; x-force: {variant}; canary: 1"), &label, variant)]);
    }
    check(&config(""), &[("trusted: 1; x-force:  v3 ", "override:v3", "v3")]);
}

#[test]
fn another_override_is_ignored() {
    for ignored in [
        // It is not trusted.
        "x-force: v2",
        // It names no variant.
        "trusted: 1; x-force: v9",
        "trusted: 1; x-force: V2",
        "trusted: 1; x-force: v2,v2",
        "trusted: 1; x-force:  ",
        // It is there twice, in one spelling or in two.
        "trusted: 1; x-force: v2; x-force: v2",
        "trusted: 1; x-force: v2; x_force: v2",
        "trusted: 1; x_force: v3; x-force: v2",
        "trusted: 1; x-force: v2; x.force: ",
        // It is there in another spelling only.
        "trusted: 1; x_force: v2",
    ] {
        check(&config(""), &[(ignored, "default:v1", "v1")]);
        check_counts(&config(""), &[(ignored, &["decisions default v1", "override_ignored"])]);
        let with_rule = format!("{ignored}; canary: 1");
        check(&config(""), &[(&with_rule, "rule{r}:v2", "v2")]);
    }
}

#[test]
fn a_request_without_the_header_ignores_nothing() {
    check_counts(
        &config(""),
        &[("trusted: 1", &["decisions default v1"]), ("x-forced: v2", &["decisions default v1"])],
    );
}

#[test]
fn an_undecided_trust_is_none() {
    let config = r#"{"default": "v1", "trusted_override": {"header": "x-force", "match": {"path": {"prefix": "/in/"}}},
        "rules": [{"name": "r", "variant": "v2", "mode": "off"}]}"#;
    check(
        config,
        &[
            (":path: /in/a; x-force: v2", "override:v2", "v2"),
            (":path: /a/../in/; x-force: v2", "default:v1", "v1"),
            (":path: /out; x-force: v2", "default:v1", "v1"),
        ],
    );
}

#[test]
fn an_override_is_trusted_by_its_network() {
    let config = r#"{"trusted_override": {"header": "x-force", "match": {"client_ip": ["10.0.0.0/8"]}},
        "client_ip": {"trusted_hops": 1}, "default": "v1", "rules": [{"name": "r", "variant": "v2", "mode": "off"}]}"#;
    check(
        config,
        &[
            ("x-forwarded-for: 10.1.2.3; x-force: v2", "override:v2", "v2"),
            ("x-forwarded-for: 10.1.2.3, 192.0.2.1; x-force: v2", "default:v1", "v1"),
            ("x-forwarded-for: 192.0.2.1; x-force: v2", "default:v1", "v1"),
        ],
    );
    check_counts(
        config,
        &[("x-force: v2", &["decisions default v1", "override_ignored", "client_ip_fallback"])],
    );
}

/// A choice of a proxy in front is kept; that of a client is not.
#[test]
fn the_output_may_be_the_override() {
    let config = config("").replace("x-force", "x-mesh-variant");
    check(
        &config,
        &[
            ("trusted: 1; x-mesh-variant: v3", "override:v3", "v3"),
            ("x-mesh-variant: v3", "default:v1", "v1"),
            ("trusted: 1; x-mesh-variant: v9", "default:v1", "v1"),
        ],
    );
    check_counts(
        &config,
        &[
            ("trusted: 1; x-mesh-variant: v3", &["decisions override v3"]),
            ("x-mesh-variant: v3", &["decisions default v1", "override_ignored", "header_removed"]),
            (
                "trusted: 1; x_mesh_variant: v3",
                &["decisions default v1", "override_ignored", "header_removed"],
            ),
        ],
    );
}

#[test]
fn a_client_s_own_output_is_counted() {
    check_counts(
        &config(""),
        &[
            ("x-mesh-variant: v2", &["decisions default v1", "header_removed"]),
            ("X_Mesh.Variant: v2; x-mesh-variant: v1", &["decisions default v1", "header_removed"]),
            ("trusted: 1; x-force: v2; x-mesh-variant: v2", &["decisions override v2", "header_removed"]),
        ],
    );
    let without_header = config(r#", "output": {"filter_state": "v"}"#);
    check_counts(&without_header, &[("x-mesh-variant: v2", &["decisions default v1"])]);
}

/// Nothing is asked of the proxy that an override makes unnecessary.
#[test]
fn an_override_needs_no_random_number() {
    let gateway = Gateway::new(&config(""));
    assert_eq!(label(&gateway.decide("trusted: 1; x-force: v4; :path: /s/")), "override:v4");
    assert_eq!(gateway.host.borrow().asked, [0; 4]);
}
