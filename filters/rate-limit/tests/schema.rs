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
use serde_json::Value;

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
        name: "rate-limit",
        schema: rate_limit::config::schema(),
        parse: |config| rate_limit::config::parse(config).map(drop),
        good: good(),
        refused: Vec::new(),
        committed: include_str!("../schema.json"),
        readme: README,
    });
}

/// What no other config has.
const REST: &str = r#"{
    "mode": false,
    "limits": [
        {
            "name": "all-parts",
            "match": {
                "hosts": ["*.example.com:*"], "methods": ["GET"], "path": {"template": "/users/{id}/**", "ignore_case": true},
                "headers": [{"name": "x-a", "regex": "a+"}], "cookies": [{"name": "s", "present": true}],
                "query": [{"name": "q", "suffix": "a"}], "client_ip": ["10.0.0.0/8"], "principal": {"in": ["a", "b"]},
                "claims": [{"claim": "a.b", "gte": 1, "lt": 5.5}, {"claim": ["a"], "in": ["a", 1, true]}],
                "any": [{"not": {"path": {"exact": "/a"}}}, {"principal": "x"}]
            },
            "key": [
                "path", {"client_ip": {"v4_prefix": 24}}, {"cookie": "s"}, {"query": "q"}, {"path": {}},
                {"claim": ["a.b"]}, {"attribute": "source.port"}, {"constant": "c"}
            ],
            "rate": {"requests": 5.0, "per": "1h30m"}
        },
        {
            "name": "more-parts", "key": [{"method": {}}, {"host": {}}, {"principal": {}}, {"header": "x-a"}],
            "rate": {"requests": 7, "per": "1s"}, "burst": 70, "cost": 7,
            "overrides": [{"key": ["GET", "a.example", "p", "v"], "rate": {"requests": 9, "per": "1s"}}]
        }
    ],
    "decision_log": "all"
}"#;
