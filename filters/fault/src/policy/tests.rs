//! Decisions, and what becomes of requests and responses.

mod aborts;
mod attempts;
mod bounds;
mod cohorts;
mod delays;
mod dice;
mod gateway;
mod in_flight;
mod labels;
#[cfg(not(target_arch = "wasm32"))]
mod laws;
mod markers;
mod order;
mod passing;
mod responses;
mod triggers;

use gateway::Gateway;

/// A roll that holds unless the percentage is zero, and one that holds only at 100 %.
const YES: u64 = 0;
const NO: u64 = u64::MAX;

/// What becomes of requests, as lists of headers (`name: value; name: value`). `rolls`: the random numbers that each takes,
/// all of them.
#[track_caller]
fn check(config: &str, requests: &[(&str, &[u64], &str)]) {
    let gateway = Gateway::new(config);
    for (headers, rolls, expected) in requests {
        gateway.roll(rolls);
        let found = gateway.outcome(&gateway.decide(headers));
        assert_eq!(found, *expected, "{headers}");
        assert_eq!(gateway.rolls_left(), 0, "{headers}");
    }
}

/// A config with these rules, each without its name: they are `a`, `b` and so on.
fn rules(rules: &[&str]) -> String {
    with_rules("", rules)
}

/// A config with these rules, and what else it has.
fn with_rules(top: &str, rules: &[&str]) -> String {
    let named = rules.iter().zip('a'..).map(|(fields, name)| format!(r#"{{"name": "{name}", {fields}}}"#));
    format!(r#"{{"rules": [{}]{top}}}"#, named.collect::<Vec<_>>().join(", "))
}

/// Faults of half of the requests, which take one number each.
const DELAY: &str = r#""delay": {"percentage": 50, "fixed": "5s"}"#;
const ABORT: &str = r#""abort": {"percentage": 50, "status": 503}"#;
const RESPONSE: &str = r#""response": {"percentage": 50, "status": 502}"#;
const THROTTLE: &str = r#""throttle": {"percentage": 50, "bytes_per_second": 1000}"#;

/// Faults of all requests, which take none.
const ALWAYS: &str = r#""abort": {"percentage": 100, "status": 503}"#;
