//! What the README shows is true: assignments, configs, messages, routes and commands.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is its purpose"
)]

use canary::assignment::Assigner;
use canary::config::{parse, schema};
use mesh_policy::hash::Key;
use mesh_testkit::manifest::documents;
use mesh_testkit::markdown::{blocks, rows, unlisted};
use serde_json::{Value, json};
use std::process::Command;

const README: &str = include_str!("../README.md");
const DEMO: &str = include_str!("../../../envoy-configs/envoy/demo.yaml");
const ISTIO: &str = include_str!("../../../envoy-configs/istio/canary.yaml");
const SCENARIO: &str = include_str!("../../../envoy-configs/scenario.yaml");

const SPLIT: &str = "checkout-2026-11";

fn configs() -> Vec<Value> {
    blocks(README, "json").into_iter().map(|config| serde_json::from_str(config).unwrap()).collect()
}

/// The YAML block that contains this text.
fn yaml(text: &str) -> Vec<Value> {
    documents(blocks(README, "yaml").into_iter().find(|block| block.contains(text)).unwrap())
}

fn hash(variant: &str, identity: &str) -> u64 {
    let mut hasher = Key::PUBLIC.hasher();
    for part in [SPLIT, variant, identity] {
        hasher.part(part.as_bytes());
    }
    hasher.finish_halves().0
}

fn assigned(identity: &str) -> &'static str {
    let assigner = Assigner::new(SPLIT, ["v1", "v2"].into_iter());
    ["v1", "v2"][assigner.choose(&[90.0, 10.0], identity.as_bytes()).unwrap()]
}

/// The rows of the table of assignments, as the program prints them.
fn assignments() -> String {
    rows(README, "| identity | `h` of v1 | `h` of v2 | variant |\n|---|---|---|---|\n")
}

fn python(program: &str) -> String {
    let output = Command::new("python3").args(["-c", program]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_assignments_are_those_of_the_filter() {
    let rows = assignments();
    assert_eq!(rows.lines().count(), 5);
    for row in rows.lines() {
        let identity = row.split(' ').next().unwrap();
        let (v1, v2) = (hash("v1", identity), hash("v2", identity));
        assert_eq!(row, format!("{identity} {v1:016x} {v2:016x} {}", assigned(identity)));
    }
}

#[test]
fn the_program_computes_the_assignments_of_the_filter() {
    let program = blocks(README, "python")[0];
    assert_eq!(python(program), assignments());
    let more = "
for number in range(2000):
    print(assigned('s', {'a': 1, 'b': 0, 'c': 2.5}, b'user-%d' % number))
";
    let assigner = Assigner::new("s", ["a", "b", "c"].into_iter());
    let expected = (0..2000).map(|number| {
        let identity = format!("user-{number}");
        ["a\n", "b\n", "c\n"][assigner.choose(&[1.0, 0.0, 2.5], identity.as_bytes()).unwrap()]
    });
    let printed = python(&format!("{program}{more}"));
    assert_eq!(printed.strip_prefix(assignments().as_str()).unwrap(), expected.collect::<String>());
}

/// It may be copied as a list of what there is.
#[test]
fn the_whole_config_has_every_field() {
    let everything = &configs()[0];
    for (object, paths) in [
        ("Config", &[""][..]),
        ("ClientIp", &["/client_ip"]),
        ("Output", &["/output"]),
        ("TrustedOverride", &["/trusted_override"]),
        ("Rule", &["/rules/0", "/rules/1"]),
        // In the short form the rollout and the guard are beside the split.
        ("Split", &["/split", ""]),
        ("SetCookie", &["/split/assign_cookie"]),
        ("Variant", &["/split/variants/0"]),
        ("Rollout", &["/rollout"]),
        ("Step", &["/rollout/steps/0"]),
        ("Guard", &["/guard"]),
    ] {
        let schema = schema();
        let fields = schema.fields().find_map(|(name, fields)| (name == object).then_some(fields));
        for field in fields.unwrap_or_else(|| panic!("no {object}")) {
            // The long form, which is in another config.
            if field != "splits" {
                let has = |path: &&str| everything.pointer(path).unwrap().get(field).is_some();
                assert!(paths.iter().any(has), "no `{field}` in {object}");
            }
        }
    }
}

#[test]
fn the_rollout_is_the_example() {
    let mut example: Value = serde_json::from_str(include_str!("../examples/rollout.json")).unwrap();
    example.as_object_mut().unwrap().remove("$schema");
    assert!(configs().contains(&example));
}

#[test]
fn every_example_is_listed() {
    assert_eq!(unlisted(env!("CARGO_MANIFEST_DIR")), Vec::<String>::new());
}

#[test]
fn the_messages_are_those_of_the_parser() {
    let config = json!({
        "split": {"name": "s", "variants": [{"name": "v1", "weight": 90}, {"name": "v2", "weight": 10}]},
        "rollout": {
            "variant": "v2", "start": "2026-11-20 10:00",
            "steps": [{"percentage": 25, "for": "5m"}, {"percentage": 10}]
        },
        "guard": {"variant": "v3", "max_error_percentage": 5}
    });
    let problems = parse(config.to_string().as_bytes()).unwrap_err();
    let shown: String = problems.iter().map(|problem| format!("config: {problem}\n")).collect();
    assert_eq!(blocks(README, "text")[0], shown);
}

#[test]
fn the_routes_are_those_of_the_configs() {
    let demo = &documents(DEMO)[0];
    let listeners = demo["static_resources"]["listeners"].as_array().unwrap();
    let listener = listeners.iter().find(|listener| listener["name"] == "canary").unwrap();
    let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
    let routes = &manager["route_config"]["virtual_hosts"][0]["routes"];
    assert_eq!(&yaml("name: x-mesh-variant")[0]["routes"], routes);
    let manifest = documents(ISTIO);
    for shown in yaml("kind: VirtualService") {
        let resource = manifest.iter().find(|document| document["kind"] == shown["kind"]).unwrap();
        assert_eq!(shown["spec"], resource["spec"]);
        assert_eq!(shown["metadata"]["name"], resource["metadata"]["name"]);
    }
}

/// The demo runs its commands, so they do what they are shown to do.
#[test]
fn the_commands_are_those_of_the_demo() {
    let shown: Vec<_> = blocks(README, "console").into_iter().flat_map(str::lines).collect();
    let commands: Vec<_> = shown.iter().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert_eq!(commands.len(), 5);
    for command in commands {
        assert!(SCENARIO.contains(&format!("curl: \"{command}\"")), "{command}");
    }
}
