//! Several workers of one proxy, and pushes.

use super::Gateway;
use super::gateway::SECOND;
use super::trips::{check_moved, config};

/// The variant has failed on one worker; the others know within a second, and one of them has told it.
#[test]
fn a_trip_of_one_worker_is_a_trip_of_all() {
    let one = Gateway::new(&config("", ""));
    let others = [0; 3].map(|_| one.beside(&config("", "")));
    let before = one.labels();
    others.iter().for_each(|other| assert_eq!(other.labels(), before));
    one.fail(1);
    assert_eq!(one.tick().warnings.len(), 1);
    check_moved(&before, &one.labels(), "v1");
    one.pass(SECOND);
    for other in &others {
        check_moved(&before, &other.labels(), "v1");
        other.fail(1);
        assert!(other.tick().warnings.is_empty());
    }
    one.pass(SECOND * 60);
    others.iter().for_each(|other| assert_eq!(other.labels(), before));
}

/// No worker has enough requests alone.
#[test]
fn workers_count_together() {
    let config = config("", "").replace(r#""min_requests": 10"#, r#""min_requests": 60"#);
    let first = Gateway::new(&config);
    let workers = [0; 3].map(|_| first.beside(&config));
    let trips: Vec<_> = workers
        .iter()
        .map(|worker| {
            worker.fail(1);
            worker.tick().warnings.len()
        })
        .collect();
    assert_eq!(trips, [0, 0, 1]);
}

/// A worker may load a config a little later than another one.
#[test]
fn workers_that_load_a_config_one_after_the_other_share_its_state() {
    let one = Gateway::new(&config("", ""));
    one.start();
    one.fail(1);
    one.tick();
    one.pass(SECOND);
    let late = one.beside(&config("", ""));
    assert_eq!(late.start().gauges[0].value, 1);
    assert_eq!(late.labels(), one.labels());
}

/// `is_kept`: whether a push of this config keeps a trip.
#[track_caller]
fn check_push(pushed: &str, is_kept: bool) {
    let before = Gateway::new(&config("", ""));
    before.fail(1);
    before.tick();
    before.pass(SECOND);
    let after = before.beside(pushed);
    let report = after.start();
    assert_eq!(report.gauges[0].value, u64::from(is_kept));
    let falls_back = after.labels().values().any(|label| label.starts_with("fallback"));
    assert_eq!(falls_back, is_kept);
    // While the earlier config drains, the later one holds, from its first requests on.
    after.fail(0);
    after.tick();
    before.pass(SECOND);
    let falls_back = before.labels().values().any(|label| label.starts_with("fallback"));
    assert_eq!(falls_back, is_kept);
}

#[test]
fn a_push_keeps_a_trip_unless_it_changes_rollout_or_guard() {
    check_push(&config("", ""), true);
    check_push(&config(r#", "default": "v1", "decision_log": "all""#, ""), true);
    check_push(&config("", "").replace(r#""weight": 2"#, r#""weight": 3"#), true);
    check_push(&config("", "").replace("1m", "60s"), true);
    check_push(&config("", "").replace("1m", "61s"), false);
    check_push(&config("", r#", "fall_back_to": "v3""#), false);
    check_push(&config("", r#", "max_p95_ratio": 2"#), false);
    check_push(
        &config(
            r#", "rollout": {"variant": "v2", "start": "2026-11-20T10:00:00Z", "steps": [{"percentage": 50}]}"#,
            "",
        ),
        false,
    );
}

/// Values that come back start anew if the guard was off or absent in between.
#[test]
fn a_guard_that_was_taken_out_starts_anew() {
    let with_guard = config("", "");
    let (split, _) = with_guard.split_once(r#""guard""#).unwrap();
    let absent = format!("{}}}", split.trim_end().trim_end_matches(','));
    for between in [absent, config("", r#", "mode": "off""#)] {
        let before = Gateway::new(&with_guard);
        let all = |gateway: &Gateway, word: &str| {
            let labels = gateway.labels();
            labels
                .values()
                .filter(|label| label.ends_with(":v2") || label.starts_with("fallback"))
                .all(|label| label.starts_with(word))
        };
        before.fail(1);
        before.tick();
        before.pass(SECOND);
        let between = before.beside(&between);
        between.start();
        between.tick();
        before.pass(SECOND);
        assert!(all(&before, "fallback"), "a config without a request changes nothing");
        between.fail(0);
        between.tick();
        before.pass(SECOND);
        assert!(all(&before, "split") && all(&before.beside(&with_guard), "split"));
    }
}

/// The state is of a plugin's split: a split of another name has its own.
#[test]
fn another_split_starts_anew() {
    let one = Gateway::new(&config("", ""));
    one.fail(1);
    one.tick();
    let tripped = one.labels();
    let renamed = one.beside(&config("", "").replace(r#""name": "s""#, r#""name": "t""#));
    assert_eq!(renamed.start().gauges[0].value, 0);
    assert!(renamed.labels().values().all(|label| label.starts_with("split{t}:")));
    one.pass(SECOND);
    assert_eq!(one.labels(), tripped);
}

/// The proxy loads configs that it then refuses, and ones that serve nobody.
#[test]
fn a_config_that_serves_nobody_clears_nothing() {
    let one = Gateway::new(&config("", ""));
    one.fail(1);
    one.tick();
    let tripped = one.labels();
    one.beside(&config("", r#", "fall_back_to": "v3""#)).start();
    one.pass(SECOND);
    assert_eq!(one.labels(), tripped);
    assert_eq!(one.beside(&config("", "")).start().gauges[0].value, 1);
}
