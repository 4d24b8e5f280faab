//! Delays of responses, and since when they count.

use super::{at_rest, faults, logged, marked, rule, rules, setup};
use e2e::{get, show, timed};
use mesh_filters::http::{Protocol, send};
use serde_json::json;
use std::time::Duration;

const MILLISECOND: Duration = Duration::from_millis(1);

/// How late a response may be.
const LATE: Duration = Duration::from_millis(15);

/// Each case is tried until it is in time, since the machine may be busy with something else.
const TRIES: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_upstreams_time_counts_from_the_request_on() {
    let delay = |counted_from: &str, fixed: &str| {
        let delay = json!({"fixed": fixed, "counted_from": counted_from});
        json!({"response": {"percentage": 100, "delay": delay}})
    };
    let config = rules(json!([
        rule("request", delay("request", "500ms")),
        rule("response", delay("response", "200ms")),
        rule("default", json!({"response": {"percentage": 100, "delay": {"fixed": "200ms"}}})),
    ]));
    let gateway = setup(config).start().await;
    let mut from_request = 0;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        // Rule, what the upstream takes, what the client sees.
        for (rule, upstream, expected) in [
            ("request", 300, 500),
            ("request", 0, 500),
            ("request", 700, 700),
            ("response", 100, 300),
            ("default", 100, 300),
        ] {
            let mut best = Duration::MAX;
            let expected_time = expected * MILLISECOND;
            for number in 0..TRIES {
                let path = format!("/{rule}/{upstream}/{number}/{protocol:?}");
                let slow = upstream.to_string();
                let (took, answer) =
                    timed(send(gateway.address, protocol, get(&path, &[("x-slow", &slow)]))).await;
                let answer = answer.unwrap();
                assert!(took >= expected_time, "{path}: {took:?}");
                assert_eq!(answer.status, 200, "{path}");
                // Nothing happens to a response that comes when its delay is over: the upstream takes 700 ms by itself, or
                // the machine was busy.
                let is_over = rule == "request" && took > expected_time + LATE && marked(&answer).is_none();
                let is_faulted = upstream < expected && !is_over;
                assert_eq!(marked(&answer).as_deref(), Some(rule).filter(|_| is_faulted), "{path}");
                from_request += u64::from(is_faulted && rule == "request");
                let decision = if is_faulted { format!("response{{{rule}}}") } else { "-".to_owned() };
                assert_eq!(logged(&gateway, &path).await.decision, decision, "{path}");
                best = best.min(took);
                if best <= expected_time + LATE && number >= 1 {
                    break;
                }
            }
            show(&format!("counted from {rule}, upstream {upstream} ms, {protocol:?}: {best:?}"));
            assert!(best <= expected_time + LATE, "{rule} {upstream}: {best:?}");
        }
    }
    at_rest(&gateway).await;
    assert_eq!(faults(&gateway, "request", "response").await, from_request);
    gateway.assert_no_trap().await;
}
