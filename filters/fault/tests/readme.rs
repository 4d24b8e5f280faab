//! What the README shows is true: fates, configs, messages, routes and commands.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is its purpose"
)]

use fault::config::parse;
use fault::policy::Policy;
use mesh_policy::facts::Facts;
use mesh_policy::hash::Key;
use mesh_policy::headers::Headers;
use mesh_policy::policy::Sources;
use mesh_policy::time::Nanos;
use mesh_testkit::manifest::documents;
use mesh_testkit::markdown::{blocks, rows, unlisted};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

const README: &str = include_str!("../README.md");
const DEMO: &str = include_str!("../../../envoy-configs/envoy/demo.yaml");
const UPSTREAM: &str = include_str!("../../../envoy-configs/envoy/fault-upstream.yaml");
const SCENARIO: &str = include_str!("../../../envoy-configs/scenario.yaml");

fn configs() -> Vec<Value> {
    blocks(README, "json").into_iter().map(|config| serde_json::from_str(config).unwrap()).collect()
}

/// The first YAML block that contains this text.
fn yaml(text: &str) -> Value {
    documents(blocks(README, "yaml").into_iter().find(|block| block.contains(text)).unwrap()).remove(0)
}

/// A proxy without random numbers and clocks.
struct NoSources;

impl Sources for NoSources {
    fn random(&mut self) -> Option<u64> {
        None
    }

    fn now(&mut self) -> Option<Nanos> {
        None
    }

    fn since_epoch(&mut self) -> Option<Duration> {
        None
    }
}

/// The delay that a user's request gets.
fn delay(policy: &Policy, user: &str) -> Option<Duration> {
    let headers =
        Headers::from_pairs([(":method", "GET"), (":path", "/"), (":authority", "a"), ("x-user-id", user)]);
    let decision = policy.decide(&Facts::of(&headers), None, &mut NoSources);
    decision.outcome.ok().and_then(|fault| fault.delay)
}

/// The rows of the table of fates, as the program prints them.
fn fates() -> String {
    rows(README, "| user | roll | is delayed | length | delay |\n|---|---|---|---|---|\n")
}

#[test]
fn the_fates_are_those_of_the_filter() {
    let config =
        configs().into_iter().find(|config| config.get("cohort").is_some() && config.get("mode").is_none());
    let policy = Policy::new(parse(config.unwrap().to_string().as_bytes()).unwrap(), "fault");
    let rows = fates();
    assert_eq!(rows.lines().count(), 5);
    for row in rows.lines() {
        let [user, roll, is_delayed, length, shown] = row.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let mut hasher = Key::PUBLIC.hasher();
        for part in ["exp-1", "chaos", "delay", user] {
            hasher.part(part.as_bytes());
        }
        let halves = hasher.finish_halves();
        assert_eq!([roll, length], [format!("{:016x}", halves.0), format!("{:016x}", halves.1)], "{row}");
        let delay = delay(&policy, user);
        assert_eq!(delay.is_some(), is_delayed == "yes", "{row}");
        if let Some(delay) = delay {
            assert_eq!(format!("{:.3}ms", delay.as_secs_f64() * 1e3), shown, "{row}");
        }
    }
}

#[test]
fn the_program_computes_the_fates_of_the_filter() {
    let program = blocks(README, "python")[0];
    // The one with which the tests of the policy compare.
    assert_eq!(program, include_str!("../src/policy/tests/cohort.py"));
    let output = Command::new("python3").args(["-c", program]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), fates());
}

#[test]
fn the_configs_are_the_examples() {
    let example = |text: &str| {
        let mut example: Value = serde_json::from_str(text).unwrap();
        example.as_object_mut().unwrap().remove("$schema");
        example
    };
    assert_eq!(configs()[0], example(include_str!("../examples/everything.json")));
    assert!(configs().contains(&example(include_str!("../examples/header.json"))));
}

#[test]
fn every_example_is_listed() {
    assert_eq!(unlisted(env!("CARGO_MANIFEST_DIR")), Vec::<String>::new());
}

#[test]
fn the_messages_are_those_of_the_parser() {
    let quantiles = json!({"p0": "5ms", "p50": "80ms", "p95": "20ms", "p100": "2s"});
    let config = json!({
        "rules": [
            {"name": "chaos", "delay": {"percentage": 150, "fixed": "5s"}},
            {"name": "grpc-down", "abort": {"percentage": 5}},
            {"name": "slow", "dealy": {"percentage": 5, "fixed": "1s"}},
            {
                "name": "as-measured",
                "response": {"percentage": 100, "delay": {"distribution": {"quantiles": quantiles}}}
            }
        ],
        "trigger": {"secret": "short"}
    });
    let problems = parse(config.to_string().as_bytes()).unwrap_err();
    let shown: String = problems.iter().map(|problem| format!("config: {problem}\n")).collect();
    assert_eq!(blocks(README, "text")[0], shown);
}

/// The fragment of each distribution is one.
#[test]
fn the_distributions_are_accepted() {
    let rows = README.lines().filter_map(|line| line.strip_prefix("| `{")?.split_once("}` |"));
    let distributions: Vec<Value> =
        rows.map(|(fields, _)| serde_json::from_str(&format!("{{{fields}}}")).unwrap()).collect();
    assert_eq!(distributions.len(), 5);
    for distribution in distributions {
        let delay = json!({"percentage": 1, "distribution": distribution});
        let config = json!({"rules": [{"name": "a", "delay": delay}]});
        parse(config.to_string().as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn the_virtual_service_is_the_config() {
    let service = &yaml("fixedDelay")["http"][0];
    let config: Value = serde_json::from_str(include_str!("../examples/header.json")).unwrap();
    let rule = &config["rules"][0];
    let [header] = rule["match"]["headers"].as_array().unwrap().as_slice() else { panic!("one header") };
    let name = header["name"].as_str().unwrap();
    assert_eq!(service["match"][0]["headers"][name]["exact"], header["exact"]);
    let fault = &service["fault"];
    assert_eq!(fault["delay"]["fixedDelay"], rule["delay"]["fixed"]);
    assert_eq!(fault["abort"]["httpStatus"], rule["abort"]["status"]);
    for kind in ["delay", "abort"] {
        assert_eq!(fault[kind]["percentage"]["value"], rule[kind]["percentage"]);
    }
}

#[test]
fn the_parts_of_envoy_s_config_are_those_of_the_files() {
    let demo = &documents(DEMO)[0];
    let listeners = demo["static_resources"]["listeners"].as_array().unwrap();
    let listener = listeners.iter().find(|listener| listener["name"] == "fault").unwrap();
    let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
    let field = "early_header_mutation_extensions";
    assert_eq!(yaml(field)[field], manager[field]);

    let options = "/typed_extension_protocol_options/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let mut file =
        documents(UPSTREAM)[0]["static_resources"]["clusters"][0].pointer(options).unwrap().clone();
    let mut shown = yaml("upstream_codec").pointer(options).unwrap().clone();
    for options in [&mut file, &mut shown] {
        options["http_filters"][0]["typed_config"].take();
    }
    assert_eq!(shown, file);
}

/// The demo runs its commands, so they do what they are shown to do.
#[test]
fn the_commands_are_those_of_the_demo() {
    let shown: Vec<_> = blocks(README, "console").into_iter().flat_map(str::lines).collect();
    let commands: Vec<_> = shown.iter().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert_eq!(commands.len(), 8);
    for command in commands {
        assert!(SCENARIO.contains(&format!("curl: \"{command}\"")), "{command}");
    }
}

/// Links into the README from the fields' documentation, which other tests do not follow.
#[test]
fn every_link_within_the_page_has_its_heading() {
    let headings: Vec<_> = README
        .lines()
        .filter_map(|line| Some(line.strip_prefix('#')?.trim_start_matches('#').trim()))
        .collect();
    let anchor = |heading: &str| {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars()
            .filter(|character| character.is_alphanumeric() || "-_".contains(*character))
            .collect::<String>()
    };
    let anchors: Vec<_> = headings.into_iter().map(anchor).collect();
    for link in README.split("](#").skip(1) {
        let link = link.split(')').next().unwrap();
        assert!(anchors.iter().any(|anchor| anchor == link), "{link}");
    }
}
