//! What the README shows is true: requests, messages and the middleware's headers.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is its purpose"
)]

use mesh_config::Problems;
use mesh_policy::effects::Edit;
use mesh_policy::facts::Facts;
use mesh_policy::headers::Headers;
use mesh_policy::policy::{Decide as _, Environment, Setup, Sources};
use mesh_policy::scope::Scope;
use mesh_policy::time::Nanos;
use mesh_testkit::manifest::{documents, plugin_config};
use mesh_testkit::markdown::{blocks, unlisted};
use mesh_testkit::records::Alone;
use std::time::Duration;
use trace_context::config::parse;
use trace_context::policy::Policy;

const README: &str = include_str!("../README.md");

/// The ids of the README's new traces.
const RANDOM: [u64; 3] = [0x7f3c_9a1e_5b2d_4806, 0x8e41_d0c9_7a6b_3f52, 0xb7ad_6b71_6920_3331];

/// The configs of the listeners, by port.
const LISTENERS: [(&str, &str); 3] = [
    ("10004", include_str!("../examples/everything.json")),
    ("10005", include_str!("../examples/restart.json")),
    ("10006", include_str!("../examples/strip.json")),
];

#[derive(Default)]
struct Host {
    scope: Scope,
    store: Alone,
    asked: usize,
}

impl Setup for Host {
    type Store = Alone;

    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn now(&self) -> Nanos {
        self.store.now
    }

    fn random_key(&mut self) -> Result<[u8; 16], Problems> {
        Ok([1; 16])
    }

    fn store(&mut self) -> &mut Alone {
        &mut self.store
    }
}

impl Sources for Host {
    fn random(&mut self) -> Option<u64> {
        self.asked += 1;
        RANDOM.get(self.asked - 1).copied()
    }

    fn now(&mut self) -> Option<Nanos> {
        None
    }

    fn since_epoch(&mut self) -> Option<Duration> {
        None
    }
}

/// What curl prints for a request with these headers: the response's headers, and those that the upstream got, sorted.
fn answer(config: &str, path: &str, headers: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let policy = Policy::build(parse(config.as_bytes()).unwrap(), &mut Host::default()).unwrap();
    let pseudo = [(":path", path), (":method", "GET"), (":authority", "localhost")];
    let mut headers = Headers::from_pairs(pseudo.iter().chain(headers).copied());
    let facts = Facts { source: Some([192, 0, 2, 1].into()), ..Facts::of(&headers) };
    let mut store = Alone::default();
    let environment = Environment { sources: &mut Host::default(), store: &mut store };
    let verdict = policy.decide(&facts, environment);
    let (request, response) = (verdict.request, verdict.response);
    headers = edited(headers, &request);
    (shown(&edited(Headers::EMPTY, &response)), shown(&headers.filtered(|name| name[0] != b':')))
}

fn edited(mut headers: Headers, edits: &[Edit]) -> Headers {
    for edit in edits {
        match edit {
            Edit::Set(name, value) => headers.replace(name.as_str(), value.as_bytes()),
            Edit::Add(name, value) => headers.add(name, value),
            Edit::Remove(name) => drop(headers.remove(name)),
            Edit::Target(_) | Edit::Status(_) => panic!("{edit:?}"),
        }
    }
    headers
}

fn shown(headers: &Headers) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut headers: Vec<_> =
        headers.iter().map(|(name, value)| format!("{}: {}", text(name), text(value))).collect();
    headers.sort();
    headers
}

/// A sorted list of lines.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn requests_are_answered_as_shown() {
    let blocks = blocks(README, "console");
    let commands: Vec<&str> = blocks.iter().flat_map(|block| block.split("$ curl -i ").skip(1)).collect();
    assert!(commands.len() >= 10, "{}", commands.len());
    for command in commands {
        let command = command.replace("\\\n", "");
        let (request, rest) = command.split_once('\n').unwrap();
        let (arguments, url) = request.rsplit_once("http://localhost:").unwrap();
        let (port, path) = url.split_at(5);
        let headers: Vec<_> =
            arguments.split('\'').skip(1).step_by(2).map(|header| header.split_once(": ").unwrap()).collect();
        let (_, config) = LISTENERS.into_iter().find(|(listener, _)| *listener == port).unwrap();
        let (response, received) = answer(config, path, &headers);
        let (head, body) = rest.split_once("\n\n").unwrap_or((rest, ""));
        let head = head.strip_prefix("HTTP/1.1 200 OK").unwrap();
        // Of what the upstream got it answers with what is of a trace.
        let is_own = |line: &String| !line.starts_with("x-tenant: ");
        let received: Vec<_> = received.into_iter().filter(is_own).collect();
        assert_eq!((response, received), (lines(head), lines(body)), "{request}");
    }
}

#[test]
fn the_messages_are_those_of_the_parser() {
    let config = r#"{"inject": ["w3c", "b3multi"], "native_tracer": ["w3c"], "boundary": "restart",
        "generate": {"sampling_percentage": 150}, "baggage": {"alow": ["tenant"]}, "correlate": {"ttl": "1h"}}"#;
    let problems = parse(config.as_bytes()).unwrap_err().to_string();
    let shown = blocks(README, "text")[0];
    let expected: String = problems.lines().map(|line| format!("config: {line}\n")).collect();
    assert_eq!(shown, expected);
}

#[test]
fn every_example_is_listed() {
    assert_eq!(unlisted(env!("CARGO_MANIFEST_DIR")), Vec::<String>::new());
}

#[test]
fn the_whole_config_is_the_example() {
    assert_eq!(blocks(README, "json")[0], include_str!("../examples/everything.json"));
}

/// All headers that the middleware copies are carried.
#[test]
fn the_config_carries_what_the_middleware_copies() {
    let config =
        blocks(README, "json").into_iter().find(|config| config.contains("x-b3-parentspanid")).unwrap();
    let correlate = parse(config.as_bytes()).unwrap().correlate.unwrap();
    let carried: Vec<_> = [&correlate.by]
        .into_iter()
        .chain(correlate.carry.iter().flatten())
        .map(|name| name.as_str())
        .collect();
    let (_, list) = blocks(README, "go")[0].split_once("[]string{").unwrap();
    let copied: Vec<_> = list.split('}').next().unwrap().split('"').skip(1).step_by(2).collect();
    assert_eq!(copied, carried);
}

/// The sidecar's plugin, which is for both directions.
#[test]
fn the_manifest_correlates_by_the_listener_s_direction() {
    let documents = documents(include_str!("../../../envoy-configs/istio/trace-context.yaml"));
    assert_eq!(documents.len(), 2);
    for document in documents {
        let config = parse(plugin_config(&document).to_string().as_bytes()).unwrap();
        let correlate = config.correlate.unwrap();
        assert_eq!(correlate.direction, trace_context::config::Direction::Auto);
        assert!(correlate.carry.unwrap().iter().any(|name| name.as_str() == "traceparent"));
    }
}
