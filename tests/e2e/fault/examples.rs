//! What users write as Istio VirtualServices, as configs of the filter. The delays are shorter.

use super::{MARKER, at_rest, faults, log, marked, marked_upstream, setup};
use e2e::{Gateway, Timed, eventually, get, measure};
use mesh_filters::http::{Load, Until};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

const PERCENTAGES: &str = include_str!("../../../filters/fault/examples/percentages.json");
const HEADER: &str = include_str!("../../../filters/fault/examples/header.json");
const DELAY: Duration = Duration::from_millis(100);
/// So few that a request without a delay passes in less than a delay also where a request takes ten milliseconds of CPU time.
const CONNECTIONS: usize = 8;

/// The example with a shorter delay.
fn example(text: &str) -> Value {
    let mut config: Value = serde_json::from_str(text).unwrap();
    assert_eq!(config["rules"][0]["delay"]["fixed"], "5s");
    config["rules"][0]["delay"]["fixed"] = json!("100ms");
    config
}

/// Checks a number of requests against a percentage, with six standard deviations of room: one run in a hundred million
/// fails.
#[track_caller]
fn check_share(what: &str, found: u64, requests: u64, percentage: f64) {
    let expected = requests as f64 * percentage / 100.0;
    let room = 6.0 * (expected * (1.0 - percentage / 100.0)).sqrt();
    assert!((found as f64 - expected).abs() <= room, "{what}: {found} of {requests}, expected {expected}");
}

/// Checks that client, upstream and access log agree on what has happened to each request. Returns the number of requests
/// by decision.
async fn check(
    gateway: &Gateway,
    rule: &str,
    answers: &[Timed],
    path: impl Fn(&Timed) -> String,
) -> BTreeMap<String, u64> {
    eventually("the access log", || async { log(gateway).len() >= answers.len() }).await;
    let log: HashMap<_, _> = log(gateway).into_iter().collect();
    let mut by_decision = BTreeMap::new();
    for timed in answers {
        let path = path(timed);
        let logged = &log[&path];
        let (delayed, aborted) = (format!("delay{{{rule}}}"), format!("abort{{{rule}}}"));
        let is_delayed = logged.decision.starts_with(&delayed);
        let is_aborted = logged.decision.ends_with(&aborted);
        let parts: Vec<_> = [(is_delayed, delayed), (is_aborted, aborted)]
            .into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, part)| part)
            .collect();
        let expected = if parts.is_empty() { "-".to_owned() } else { parts.join("+") };
        assert_eq!(logged.decision, expected, "{path}");
        assert_eq!(timed.answer.status, if is_aborted { 503 } else { 200 }, "{path} {logged:?}");
        let details = format!("fault_injected{{{rule}}}");
        assert_eq!(logged.details, if is_aborted { details.as_str() } else { "via_upstream" }, "{path}");
        let mark = Some(rule.to_owned());
        assert_eq!(
            marked(&timed.answer),
            mark.clone().filter(|_| is_delayed || is_aborted),
            "{path} {logged:?}"
        );
        if !is_aborted {
            assert_eq!(marked_upstream(&timed.answer), mark.filter(|_| is_delayed), "{path} {logged:?}");
        }
        assert!(!is_delayed || timed.took() >= DELAY, "{path}: {:?}", timed.took());
        *by_decision.entry(logged.decision.clone()).or_insert(0) += 1;
    }
    // What is not delayed passes at once. Now and then the machine is busy.
    let quick = answers.iter().filter(|timed| timed.took() < DELAY).count() as u64;
    let delayed = by_decision
        .iter()
        .filter(|(decision, _)| decision.contains("delay"))
        .map(|(_, count)| count)
        .sum::<u64>();
    let others = answers.len() as u64 - delayed;
    assert!(quick <= others && quick * 10 >= others * 9, "{quick} quick requests of {others}");
    at_rest(gateway).await;
    by_decision
}

/// The numbers of delayed and of aborted requests; a request may be both.
fn kinds(by_decision: &BTreeMap<String, u64>) -> [u64; 2] {
    ["delay", "abort"].map(|kind| {
        by_decision.iter().filter(|(decision, _)| decision.contains(kind)).map(|(_, count)| count).sum()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenth_is_delayed_and_a_twentieth_aborted() {
    const REQUESTS: u64 = 4000;
    let gateway = setup(example(PERCENTAGES)).start().await;
    let load = Load::http1(gateway.address, CONNECTIONS, Until::Requests(REQUESTS));
    let path = |turn: mesh_filters::http::Turn| format!("/{}/{}", turn.connection, turn.sequence);
    let answers = measure(load, move |turn| get(&path(turn), &[])).await;
    let by_decision = check(&gateway, "user-service", &answers, |timed| path(timed.turn)).await;
    let [delayed, aborted] = kinds(&by_decision);
    check_share("delays", delayed, REQUESTS, 10.0);
    check_share("aborts", aborted, REQUESTS, 5.0);
    let both = "delay{user-service}+abort{user-service}";
    check_share(both, by_decision.get(both).copied().unwrap_or_default(), REQUESTS, 0.5);
    assert_eq!(faults(&gateway, "user-service", "delay").await, delayed);
    assert_eq!(faults(&gateway, "user-service", "abort").await, aborted);
    gateway.assert_no_trap().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_requests_with_the_header_are_faulted() {
    const REQUESTS: u64 = 800;
    let gateway = setup(example(HEADER)).start().await;
    // Otherwise those without a delay would send nearly all requests.
    let pause = Duration::from_millis(20);
    let load = Load { pause, ..Load::http1(gateway.address, CONNECTIONS, Until::Requests(2 * REQUESTS)) };
    // Half of the connections send the header; with another value it is not the one that is looked for.
    let kind =
        |turn: mesh_filters::http::Turn| ["inject", "inject ", "other", ""][turn.connection % 4].trim();
    let path = move |turn| format!("/{}/{}/{}", kind(turn), turn.connection, turn.sequence);
    let answers = measure(load, move |turn| match kind(turn) {
        "" => get(&path(turn), &[]),
        value => get(&path(turn), &[("x-test-fault", value)]),
    })
    .await;
    let by_decision = check(&gateway, "chaos", &answers, |timed| path(timed.turn)).await;
    let (with, without): (Vec<_>, Vec<_>) = answers.iter().partition(|timed| kind(timed.turn) == "inject");
    for timed in &without {
        assert_eq!((timed.answer.status.as_u16(), timed.answer.count(MARKER)), (200, 0), "{timed:?}");
    }
    let [delayed, aborted] = kinds(&by_decision);
    check_share("delays", delayed, with.len() as u64, 50.0);
    check_share("aborts", aborted, with.len() as u64, 10.0);
    assert_eq!(faults(&gateway, "chaos", "delay").await, delayed);
    assert_eq!(faults(&gateway, "chaos", "abort").await, aborted);
    gateway.assert_no_trap().await;
}

/// In every proxy, for every kind of fault and whatever was sent before.
#[tokio::test]
async fn a_request_id_has_the_same_fate_in_two_proxies() {
    const IDS: usize = 200;
    let config = |salt: &str| {
        json!({
            "cohort": {"by": [{"header": "x-request-id"}], "salt": salt},
            "rules": [{
                "name": "half",
                "delay": {"percentage": 50, "fixed": "1ms"},
                "abort": {"percentage": 50, "status": 503},
                "response": {"percentage": 50, "status": 299},
            }],
        })
    };
    let start = async |salt| setup(config(salt)).beside("other", setup(config("other"))).start().await;
    let (first, second): (Gateway, Gateway) = tokio::join!(start("s"), start("s"));
    // Delayed or not, and the status.
    let mut seen: BTreeMap<(bool, u16), usize> = BTreeMap::new();
    let mut elsewhere = 0;
    for number in 0..IDS {
        let id = format!("1f3a-{number}");
        let request = || get("/", &[("x-request-id", &id)]);
        let mut fates = Vec::new();
        for gateway in [&first, &second, &first] {
            let answer = gateway.send(request()).await;
            // An abort has the marker, delayed or not.
            let delayed = answer.status != 503 && marked_upstream(&answer).is_some();
            fates.push((delayed, answer.status.as_u16()));
        }
        assert!(fates.iter().all(|fate| *fate == fates[0]), "{id}: {fates:?}");
        *seen.entry(fates[0]).or_default() += 1;
        let other = first.send_to("other", request()).await;
        elsewhere += usize::from((other.status == 503) != (fates[0].1 == 503));
    }
    let all = [(false, 200), (true, 200), (false, 299), (true, 299), (false, 503)];
    assert_eq!(seen.keys().copied().collect::<Vec<_>>().len(), all.len(), "{seen:?}");
    assert!(all.iter().all(|fate| seen[fate] >= IDS / 32), "{seen:?}");
    check_share("with another salt, another abort", elsewhere as u64, IDS as u64, 50.0);
    // Without an id each request rolls anew.
    let mut aborted = 0;
    let plain = setup(config("s")).start().await;
    for _ in 0..100 {
        aborted += u64::from(plain.send(get("/", &[("x-request-id", "")])).await.status == 503);
    }
    check_share("aborts without an id", aborted, 100, 50.0);
}

/// Not every percentage is a half.
#[tokio::test]
async fn none_and_all_are_exact() {
    let always = json!({"rules": [{"name": "always", "abort": {"percentage": 100, "status": 503}}]});
    let never = json!({"rules": [{"name": "never", "abort": {"percentage": 0, "status": 503}}]});
    let gateway = setup(always).beside("never", setup(never)).start().await;
    for _ in 0..100 {
        assert_eq!(gateway.send(get("/", &[])).await.status, 503);
        assert_eq!(gateway.send_to("never", get("/", &[])).await.status, 200);
    }
}
