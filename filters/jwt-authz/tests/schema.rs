//! The description of a config: as JSON Schema, as the README's tables, and beside the reader.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is its purpose"
)]

#[path = "../../../tests/schema/laws.rs"]
mod laws;

use laws::Described;
use serde_json::{Value, json};

const README: &str = include_str!("../README.md");

/// The examples, the README's configs, and one with what these lack.
fn good() -> Vec<Value> {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap();
    let examples = folder.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    let readme = README.split("```json\n").skip(1).filter_map(|block| block.split("```").next());
    let readme = readme.filter(|block| block.starts_with('{')).map(str::to_owned);
    let all = examples.chain(readme).chain([REST.to_owned()]);
    all.map(|config| serde_json::from_str(&config).unwrap()).collect()
}

#[test]
fn the_schema_and_the_reader_agree() {
    laws::check(&Described {
        name: "jwt-authz",
        schema: jwt_authz::config::schema(),
        parse: |config| jwt_authz::config::parse(config).map(drop),
        good: good(),
        // `claims` of a match are part of the shared vocabulary; here they are a field of the rule.
        refused: vec![json!({"rules": [{"match": {"claims": [{"claim": "a", "present": true}]}}]})],
        committed: include_str!("../schema.json"),
        readme: README,
    });
}

/// What no other config has.
const REST: &str = r#"{
    "mode": false,
    "providers": [{
        "name": "p", "algorithms": ["HS256"], "from": [{"header": "x-token"}, {"cookie": "t"}, {"query": "t"}],
        "subjects": ["a", {"regex": "b+", "ignore_case": true}],
        "jwks": {"inline": {"keys": [{"kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}}
    }],
    "rules": [{
        "name": "r", "action": "deny", "token": "optional", "providers": ["p"], "mode": "off",
        "match": {
            "hosts": ["*"], "methods": ["GET"], "path": {"template": "/users/{id}/**"}, "headers": [{"name": "x", "exact": "y"}],
            "cookies": [{"name": "x", "prefix": "y"}], "query": [{"name": "x", "contains": "y"}], "client_ip": ["::1"],
            "principal": "p", "any": [{"not": {"methods": ["PUT"]}}]
        },
        "claims": [
            {"claim": "a", "equals": "B", "ignore_case": true}, {"claim": ["a"], "in": [1, true, "x"]},
            {"any": [{"all": [{"claim": "a", "gt": 1, "lte": 2}]}, {"not": {"claim": "b", "present": true}}]},
            {"claim": "a", "equals_path": "id"}, {"claim": "a", "equals_header": "x-a"},
            {"claim": "a", "equals_host": true}, {"claim": "a", "equals_host": "*.example.com:*"}
        ]
    }]
}"#;
