//! The README's first configs: one with every field, the smallest, and that one with its defaults written out.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is its purpose"
)]

use jwt_authz::config::{Config, parse, schema};
use mesh_testkit::markdown::blocks;
use serde_json::Value;

const README: &str = include_str!("../README.md");

/// Its whole configs, in their order.
fn configs() -> Vec<&'static str> {
    blocks(README, "json")
}

/// The config with everything, the smallest one, and that one with its defaults written out.
fn the_first_three() -> [Value; 3] {
    let first: Vec<_> = configs().into_iter().take(3).collect();
    let first: [&str; 3] = first.try_into().unwrap();
    first.map(|config| serde_json::from_str(config).unwrap())
}

fn good(config: &Value) -> Config {
    parse(config.to_string().as_bytes()).unwrap_or_else(|problems| panic!("{config}\n{problems}"))
}

/// The names of an object's fields.
fn fields(object: &str) -> Vec<String> {
    let schema = schema();
    let fields = schema.fields().find_map(|(name, fields)| (name == object).then_some(fields)).unwrap();
    fields.into_iter().map(str::to_owned).collect()
}

#[test]
fn the_tables_name_every_field() {
    let [everything, ..] = the_first_three();
    let tables = [
        ("", "Config", ""),
        ("/client_ip", "ClientIp", "client_ip."),
        ("/token_cache", "TokenCache", "token_cache."),
        ("/providers/0", "Provider", "providers[]."),
        ("/providers/0/claims_to_headers/0", "ClaimHeader", "providers[].claims_to_headers[]."),
        ("/providers/0/jwks/remote", "Remote", "providers[].jwks.remote."),
        ("/rules/0", "Rule", "rules[]."),
    ];
    for (path, object, prefix) in tables {
        for field in fields(object) {
            let is_object = everything.pointer(path).unwrap().get(&field).is_some_and(Value::is_object);
            let row = format!("\n| `{prefix}{field}");
            let named =
                README.contains(&format!("{row}` |")) || is_object && README.contains(&format!("{row}."));
            assert!(named, "no row for `{prefix}{field}`");
        }
    }
    for field in fields("TokenLocation") {
        assert!(README.contains(&format!("\"{field}\": \"")), "no place with `{field}`");
    }
}

/// It may be copied as a list of what there is.
#[test]
fn the_whole_config_has_every_field() {
    let [everything, ..] = the_first_three();
    for (object, items) in [
        ("Config", &["/"][..]),
        ("Provider", &["/providers/0", "/providers/1", "/providers/2"]),
        ("Remote", &["/providers/0/jwks/remote", "/providers/1/jwks/remote"]),
        ("Rule", &["/rules/0", "/rules/1", "/rules/2", "/rules/3"]),
    ] {
        for field in fields(object) {
            let has =
                |item: &&str| everything.pointer(item.trim_end_matches('/')).unwrap().get(&field).is_some();
            assert!(items.iter().any(has), "no `{field}` in any {object}");
        }
    }
}

#[test]
fn the_defaults_are_the_defaults() {
    let [_, smallest, written_out] = the_first_three();
    assert_eq!(format!("{:#?}", good(&smallest)), format!("{:#?}", good(&written_out)));
}

/// Nothing but what has no default is left out where they are written out.
#[test]
fn every_default_is_written_out() {
    let [_, _, written_out] = the_first_three();
    for (path, object, without) in [
        ("", "Config", &[][..]),
        ("/providers/0", "Provider", &["issuer", "audiences", "subjects", "max_lifetime", "payload_header"]),
        ("/providers/0/jwks/remote", "Remote", &["discovery"]),
        ("/rules/0", "Rule", &["claims", "providers"]),
    ] {
        for field in fields(object) {
            let is_there = written_out.pointer(path).unwrap().get(&field).is_some();
            assert_ne!(is_there, without.contains(&field.as_str()), "`{field}` in {path}");
        }
    }
}
