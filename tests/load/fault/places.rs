//! At most `max_active` streams are held, over all workers.

use super::watch::Watch;
use super::{MARKER, at_rest, faults, metric, rules, setup};
use crate::alone;
use e2e::{get, measure, show};
use mesh_filters::http::{Load, Until};
use serde_json::json;
use std::time::Duration;

const MOST: u64 = 20;
const DELAY: Duration = Duration::from_millis(500);

const KINDS: [&str; 3] = ["delay", "response", "throttle"];

/// The rule for the requests of a connection, which is named after its kind of fault.
const fn kind(connection: usize) -> &'static str {
    KINDS[connection % KINDS.len()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_are_held_and_the_others_pass() {
    let _turn = alone().await;
    let mut config = rules(json!([
        {"name": "delay", "match": {"path": {"prefix": "/delay"}}, "delay": {"percentage": 100, "fixed": "500ms"}},
        {"name": "response", "match": {"path": {"prefix": "/response"}},
         "response": {"percentage": 100, "delay": {"fixed": "500ms"}}},
        // 500 bytes.
        {"name": "throttle", "match": {"path": {"prefix": "/throttle"}},
         "throttle": {"percentage": 100, "bytes_per_second": 1000}},
    ]));
    config["max_active"] = json!(MOST);
    let gateway = setup(config).start().await;
    let watch = Watch::start(&gateway, MOST);
    let load = Load {
        pause: Duration::from_millis(5),
        ..Load::http1(gateway.address, 60, Until::Elapsed(Duration::from_secs(4)))
    };
    let answers =
        measure(load, move |turn| get(&format!("/{}", kind(turn.connection)), &[("x-size", "500")])).await;
    let seen = watch.stop().await;
    let (held, passed): (Vec<_>, Vec<_>) = answers.iter().partition(|timed| timed.answer.count(MARKER) == 1);
    // A stream is held for a delay, somewhere between request and response. If these are less than two delays apart, it is
    // surely held from a delay before the response to a delay after the request.
    let surely = held.iter().filter(|timed| timed.took() < 2 * DELAY);
    let mut changes: Vec<_> =
        surely.flat_map(|timed| [(timed.done - DELAY, 1), (timed.sent + DELAY, -1)]).collect();
    changes.sort_unstable();
    let at_once = changes.iter().scan(0, |held, (_, change)| {
        *held += change;
        Some(*held)
    });
    let most_at_once = at_once.max().unwrap_or_default();
    show(&format!(
        "{} held, {} passed; at most {} at once in {} looks, and {most_at_once} for sure",
        held.len(),
        passed.len(),
        seen.active(),
        seen.looks
    ));
    assert_eq!(seen.active(), MOST);
    assert!(answers.iter().all(|timed| timed.answer.status == 200 && timed.answer.body.len() == 500));
    assert!(held.iter().all(|timed| timed.took() >= DELAY));
    assert!(
        most_at_once > 0 && most_at_once <= i64::try_from(MOST).unwrap(),
        "{most_at_once} were held at once"
    );
    // A place that becomes free is taken again.
    assert!(held.len() as u64 >= 4 * MOST, "{}", held.len());
    let mut overflow = 0;
    for kind in KINDS {
        overflow += metric(&gateway, &format!("rule=.={kind};.;overflow")).await;
        let held = held.iter().filter(|timed| self::kind(timed.turn.connection) == kind).count() as u64;
        assert_eq!(faults(&gateway, kind, kind).await, held, "{kind}");
    }
    assert_eq!(overflow, passed.len() as u64);
    assert!(gateway.access_log().contains("overflow{delay}"));
    at_rest(&gateway).await;
    gateway.assert_no_trap().await;
}
