//! A rollout by the clock.

use super::{HEADER, assigned, setup, split};
use e2e::{Gateway, Setup, get};
use mesh_filters::http::{Connection, Protocol};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::sleep;

/// The percentages of v2: before the start, and in each step.
const PERCENTAGES: [u32; 4] = [0, 30, 60, 100];
const STEP: Duration = Duration::from_secs(5);
/// Time from the start of the test to the first step, and from the last step to the end.
const MARGIN: Duration = Duration::from_secs(3);
/// How late or early a step may be seen.
const LATE: Duration = Duration::from_secs(1);
/// How near to a step two proxies may differ.
const NEAR: Duration = Duration::from_millis(100);

/// The time since 1970.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// A time as RFC 3339, by counting days: tests run after 2024 and before 2100.
fn date_time(since_epoch: Duration) -> String {
    let (mut days, seconds) = (since_epoch.as_secs() / 86_400, since_epoch.as_secs() % 86_400);
    let mut year = 1970;
    let is_leap = |year: u64| year.is_multiple_of(4);
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let millis = since_epoch.subsec_millis();
    format!("{year}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z", days + 1)
}

/// The number of the percentage that holds at this time.
fn phase(start: Duration, at: Duration) -> usize {
    match at.checked_sub(start) {
        None => 0,
        Some(elapsed) => 1 + usize::try_from(elapsed.as_secs() / STEP.as_secs()).unwrap().min(2),
    }
}

/// Identities of which another one moves to v2 with each step.
fn movers() -> [String; 3] {
    let on_v2 =
        |identity: &str, percentage: u32| assigned("s", [100 - percentage, percentage], identity) == "v2";
    [1, 2, 3].map(|step| {
        let moves =
            |identity: &String| !on_v2(identity, PERCENTAGES[step - 1]) && on_v2(identity, PERCENTAGES[step]);
        (0..).map(|number: u32| format!("user-{number}")).find(moves).unwrap()
    })
}

fn versions(start: Duration) -> Setup {
    let rollout = json!({"variant": "v2", "start": date_time(start), "steps": [
        {"percentage": PERCENTAGES[1], "for": "5s"},
        {"percentage": PERCENTAGES[2], "for": "5s"},
        {"percentage": PERCENTAGES[3]},
    ]});
    let setup = setup(json!({"split": split("s", [90, 10], json!({"rollout": rollout}))}));
    ["v1", "v2"].iter().fold(setup, |setup, name| {
        setup.route(json!({
            "match": {"prefix": "/", "headers": [{"name": HEADER, "string_match": {"exact": name}}]},
            "direct_response": {"status": 200, "body": {"inline_string": name}},
        }))
    })
}

/// A proxy with a connection to it for each mover.
struct Proxy {
    gateway: Gateway,
    connections: Vec<(Connection, String)>,
}

impl Proxy {
    async fn start(start: Duration) -> Self {
        let gateway = versions(start).start().await;
        let mut connections = Vec::new();
        for mover in movers() {
            connections.push((Connection::open(gateway.address, Protocol::Http1).await.unwrap(), mover));
        }
        Self { gateway, connections }
    }

    /// The number of movers on v2, which is the number of the step.
    async fn seen(&mut self) -> usize {
        let mut on_v2 = 0;
        // Who moves last is asked first: a step in between adds nobody who moves later.
        for (connection, mover) in self.connections.iter_mut().rev() {
            let answer = connection.send(get("/", &[("x-user-id", mover)])).await.unwrap();
            assert!(on_v2 == 0 || answer.text() == "v2", "{mover} is on v1, and not who moves later");
            on_v2 += usize::from(answer.text() == "v2");
        }
        on_v2
    }
}

/// A proxy that has started well before its rollout does, and when that is.
async fn before_the_start() -> (Duration, Proxy) {
    let mut margin = MARGIN;
    loop {
        let start = now() + margin;
        let proxy = Proxy::start(start).await;
        if now() + Duration::from_secs(1) < start {
            return (start, proxy);
        }
        margin *= 2;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_is_seen_in_time_by_all_proxies() {
    let (start, first) = before_the_start().await;
    let mut proxies = vec![first];
    // The second proxy starts within the first step.
    let mut starting = Some(tokio::spawn(async move {
        sleep((start + STEP / 3).saturating_sub(now())).await;
        Proxy::start(start).await
    }));
    let mut phases = BTreeSet::new();
    while now() < start + 2 * STEP + MARGIN {
        if let Some(second) = starting.take_if(|starting| starting.is_finished()) {
            proxies.push(second.await.unwrap());
        }
        let before = now();
        let mut found = Vec::new();
        for proxy in &mut proxies {
            found.push(proxy.seen().await);
        }
        let after = now();
        let within = |room: Duration| phase(start, before.saturating_sub(room))..=phase(start, after + room);
        assert!(found.iter().all(|phase| within(LATE).contains(phase)), "{found:?} {:?}", within(LATE));
        // Far from a step, all are in the same phase.
        let near = within(NEAR);
        if near.start() == near.end() {
            assert!(found.iter().all(|phase| *phase == found[0]), "{found:?}");
        }
        phases.extend(found);
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((phases, proxies.len()), (BTreeSet::from([0, 1, 2, 3]), 2));
    for proxy in proxies {
        proxy.gateway.assert_no_trap().await;
    }
}
