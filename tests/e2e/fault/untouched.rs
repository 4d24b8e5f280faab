//! Requests that pass untouched: when the config has expired, when they are excluded, when a match is undecided.

use super::{faults, logged, marked, metric, plugin, rules, setup};
use e2e::{Gateway, Setup, get};
use mesh_filters::http::{Method, Protocol, send};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

fn aborting(extra: Value) -> Value {
    e2e::with(rules(json!([{"name": "r", "abort": {"percentage": 100, "status": 503}}])), extra)
}

/// An instant so long from now, as RFC 3339 writes it.
fn from_now(seconds: u64) -> String {
    let now =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + Duration::from_secs(seconds);
    let (day, second) = (now.as_secs() / 86_400, now.as_secs() % 86_400);
    // The civil date of a day since 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms").
    let shifted = day + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

#[tokio::test]
async fn nothing_happens_from_an_instant_on() {
    let expires_at = |at: &str| Setup::default().plugins(&[plugin(aborting(json!({"expires_at": at})))]);
    let gateway = expires_at("2001-11-21T00:00:00Z").start().await;
    let answer = gateway.send(get("/expired", &[])).await;
    assert_eq!((answer.status.as_u16(), marked(&answer)), (200, None));
    assert_eq!(metric(&gateway, "expired").await, 1);

    let gateway = expires_at("2101-11-21T00:00:00+01:00").file_based().start().await;
    assert_eq!(gateway.send(get("/", &[])).await.status, 503);
    // Pushed, since nobody knows how long a start takes.
    let soon = from_now(4);
    gateway.push(&expires_at(&soon).file_based(), 2);
    let ask = async || gateway.send(get("/soon", &[])).await.status;
    e2e::eventually("the end", || async { ask().await == 200 }).await;
    assert!(from_now(0) >= soon, "{soon}");
    // It stays over.
    assert_eq!(ask().await, 200);
    let before = faults(&gateway, "r", "abort").await;
    e2e::show(&format!("{before} aborts until {soon}"));
    assert!(before >= 2, "{before}");
    gateway.assert_no_trap().await;
}

/// The path as the client sends it.
async fn status(gateway: &Gateway, path: &str) -> String {
    let answer = gateway
        .send_raw(format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes())
        .await;
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_exclusion_holds_also_where_it_is_undecided() {
    let excluding = json!({"exclude": {"path": {"in": ["/health", "/ready"]}}});
    let gateway = setup(aborting(excluding)).start().await;
    for (path, expected) in [
        ("/health", "200"),
        ("/ready?deep=1", "200"),
        ("/healthy", "503"),
        ("/", "503"),
        // Some upstreams take these for `/health`.
        ("/a/../health", "200"),
        ("/a/%2e%2e/health", "200"),
        ("//health", "200"),
        ("/./health", "200"),
        ("/health;v=1", "200"),
        ("/he%61lth", "200"),
        ("/a/../healthy", "503"),
    ] {
        assert_eq!(status(&gateway, path).await, expected, "{path}");
    }
}

#[tokio::test]
async fn a_rule_does_not_hold_where_it_is_undecided() {
    let only = json!([
        {"name": "admin", "match": {"path": {"prefix": "/admin"}}, "abort": {"percentage": 100, "status": 503}},
        // The first rule that matches decides, also if its dice say no.
        {"name": "never", "match": {"path": {"prefix": "/never"}}, "abort": {"percentage": 0, "status": 503}},
        {"name": "others", "match": {"path": {"prefix": "/never"}}, "abort": {"percentage": 100, "status": 418}},
    ]);
    let gateway = setup(rules(only)).start().await;
    for (path, expected) in [
        ("/admin/x", "503"),
        ("/x/../admin", "200"),
        ("/admin/../x", "200"),
        ("/x", "200"),
        ("/never", "200"),
    ] {
        assert_eq!(status(&gateway, path).await, expected, "{path}");
    }
}

#[tokio::test]
async fn preflights_pass_unless_they_are_checked() {
    let checking = Setup::default().plugins(&[plugin(aborting(json!({"cors_preflight": "check"})))]);
    let gateway = setup(aborting(json!({}))).beside("check", checking).start().await;
    let mut preflight =
        get("/preflight", &[("origin", "https://a.example"), ("access-control-request-method", "PUT")]);
    *preflight.method_mut() = Method::OPTIONS;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        assert_eq!(send(gateway.address, protocol, preflight.clone()).await.unwrap().status, 200);
    }
    assert_eq!(gateway.send_to("check", preflight).await.status, 503);
}

/// `decision_log: all` says why a request was left alone.
#[tokio::test]
async fn the_log_says_why() {
    let extra = json!({
        "decision_log": "all",
        "exclude": {"path": {"prefix": "/excluded"}},
        "rules": [
            {"name": "none", "match": {"path": {"prefix": "/none"}}, "abort": {"percentage": 0, "status": 503}},
            {"name": "r", "match": {"path": {"prefix": "/r"}}, "abort": {"percentage": 100, "status": 503}},
        ],
    });
    let gateway = setup(aborting(extra)).start().await;
    for (path, headers, decision) in [
        ("/excluded", &[][..], "excluded"),
        ("/none", &[], "passed{none}"),
        ("/r/marked", &[(super::MARKER, "x")], "marked"),
        ("/other", &[], "passed"),
        ("/r", &[], "abort{r}"),
    ] {
        gateway.send(get(path, headers)).await;
        assert_eq!(logged(&gateway, path).await.decision, decision, "{path}");
    }
}
