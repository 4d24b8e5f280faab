//! What the README says of configs is what the parser does.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is its purpose"
)]

use jwt_authz::config::{Config, parse};
use serde_json::{Value, json};

const README: &str = include_str!("../README.md");

/// Its whole configs, in their order.
fn configs() -> Vec<&'static str> {
    let blocks = README.split("```json\n").skip(1);
    blocks.filter_map(|block| block.split("```").next()).collect()
}

/// The config with everything, the smallest one, and that one with its defaults written out.
fn the_first_three() -> [Value; 3] {
    let first: Vec<_> = configs().into_iter().take(3).collect();
    let first: [&str; 3] = first.try_into().unwrap();
    first.map(|config| serde_json::from_str(config).unwrap())
}

fn problems(config: &str) -> String {
    parse(config.as_bytes()).err().map(|problems| problems.to_string()).unwrap_or_default()
}

fn good(config: &Value) -> Config {
    parse(config.to_string().as_bytes()).unwrap_or_else(|problems| panic!("{config}\n{problems}"))
}

/// The fields that the parser knows where `path` leads to, as it tells somebody who writes an unknown one.
fn known(config: &Value, path: &str) -> Vec<String> {
    let mut config = config.clone();
    config.pointer_mut(path).unwrap()["no such field"] = json!(1);
    let problems = problems(&config.to_string());
    let line = problems.lines().find(|line| line.contains("unknown field")).unwrap();
    line.split("expected").nth(1).unwrap().split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_config_is_one() {
    assert!(configs().len() > 3);
    for config in configs() {
        assert_eq!(problems(config), "", "{config}");
    }
}

#[test]
fn the_tables_name_every_field() {
    let [everything, ..] = the_first_three();
    let tables = [
        ("", ""),
        ("/client_ip", "client_ip."),
        ("/token_cache", "token_cache."),
        ("/providers/0", "providers[]."),
        ("/providers/0/claims_to_headers/0", "providers[].claims_to_headers[]."),
        ("/providers/0/jwks/remote", "providers[].jwks.remote."),
        ("/rules/0", "rules[]."),
    ];
    for (path, prefix) in tables {
        for field in known(&everything, path) {
            let is_object = everything.pointer(path).unwrap().get(&field).is_some_and(Value::is_object);
            let row = format!("\n| `{prefix}{field}");
            let named =
                README.contains(&format!("{row}` |")) || is_object && README.contains(&format!("{row}."));
            assert!(named, "no row for `{prefix}{field}`");
        }
    }
    for field in known(&everything, "/providers/0/from/0") {
        assert!(README.contains(&format!("\"{field}\": \"")), "no place with `{field}`");
    }
}

/// It may be copied as a list of what there is.
#[test]
fn the_whole_config_has_every_field() {
    let [everything, ..] = the_first_three();
    for (path, items) in [
        ("", &["/"][..]),
        ("/providers/0", &["/providers/0", "/providers/1", "/providers/2"]),
        ("/providers/0/jwks/remote", &["/providers/0/jwks/remote", "/providers/1/jwks/remote"]),
        ("/rules/0", &["/rules/0", "/rules/1", "/rules/2", "/rules/3"]),
    ] {
        for field in known(&everything, path) {
            let has =
                |item: &&str| everything.pointer(item.trim_end_matches('/')).unwrap().get(&field).is_some();
            assert!(items.iter().any(has), "no `{field}` in {path}");
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
    for (path, without) in [
        ("", &[][..]),
        ("/providers/0", &["issuer", "audiences", "subjects", "max_lifetime", "payload_header"]),
        ("/providers/0/jwks/remote", &["discovery"]),
        ("/rules/0", &["claims", "providers"]),
    ] {
        for field in known(&written_out, path) {
            let is_there = written_out.pointer(path).unwrap().get(&field).is_some();
            assert_ne!(is_there, without.contains(&field.as_str()), "`{field}` in {path}");
        }
    }
}
