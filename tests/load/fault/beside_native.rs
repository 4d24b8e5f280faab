//! How late delays end, and what that costs other requests, beside Envoy's own `fault` in the same process.

use super::{at_rest, faults, rules, setup};
use crate::alone;
use e2e::{Setup, Timed, get, measure, percentile, show};
use mesh_filters::http::{Load, Until};
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;

const DELAY: Duration = Duration::from_millis(100);
const MILLISECOND: Duration = Duration::from_millis(1);

/// How much too early the native filter has been seen to let a request go, by the proxy's access log.
const MAX_TOO_EARLY: Duration = Duration::from_millis(7);

/// Delayed requests at once: streams on connections.
const CONNECTIONS: usize = 10;
const STREAMS: usize = 50;
/// How often they are sent in a round, while undelayed requests come all the time.
const WAVES: usize = 6;
/// Rounds of both, one after the other, in which the machine may be busy with something else.
const ROUNDS: usize = 10;

/// What a round has measured.
struct Figures {
    delayed: Duration,
    /// The shortest time of a delayed request.
    earliest: Duration,
    undelayed: Duration,
    undelayed_median: Duration,
}

async fn round(address: SocketAddr, may_be_early: bool) -> Figures {
    let undelayed = Load {
        pause: MILLISECOND,
        ..Load::http1(address, 4, Until::Elapsed(u32::try_from(WAVES).unwrap() * (DELAY + 30 * MILLISECOND)))
    };
    let beside = tokio::spawn(measure(undelayed, |_| get("/", &[])));
    let mut delayed = Vec::new();
    for _ in 0..WAVES {
        let wave =
            Load::http2(address, CONNECTIONS, STREAMS, Until::Requests((CONNECTIONS * STREAMS) as u64));
        delayed.extend(measure(wave, |_| get("/", &[("x-test-fault", "inject")])).await);
    }
    let undelayed = beside.await.unwrap();
    assert_eq!(delayed.len(), WAVES * CONNECTIONS * STREAMS);
    for timed in delayed.iter().chain(&undelayed) {
        assert_eq!(timed.answer.status, 200);
    }
    assert!(may_be_early || delayed.iter().all(|timed| timed.took() >= DELAY), "early");
    let times = |all: &[Timed], percentage| percentile(all.iter().map(Timed::took), percentage);
    Figures {
        delayed: times(&delayed, 99),
        earliest: times(&delayed, 0),
        undelayed: times(&undelayed, 99),
        undelayed_median: times(&undelayed, 50),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_delays_at_once_end_as_with_the_native_filter() {
    let _turn = alone().await;
    let headers = json!([{"name": "x-test-fault", "exact": "inject"}]);
    let mut ours = rules(json!([{
        "name": "chaos", "match": {"headers": headers}, "delay": {"percentage": 100, "fixed": "100ms"},
    }]));
    ours["max_active"] = json!(0);
    let native = json!({
        "name": "envoy.filters.http.fault",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
            "delay": {"fixed_delay": "0.1s", "percentage": {"numerator": 100}},
            "headers": [{"name": "x-test-fault", "string_match": {"exact": "inject"}}],
        },
    });
    let gateway =
        setup(ours).direct().beside("native", Setup::default().direct().filter(native)).start().await;
    let native = gateway.envoy.listener("native").await.unwrap();
    // How much later than the native filter's, and how many times its undelayed ones. The native filter counts from when the worker's
    // event loop woke up. So when many requests come at once, it lets some go too early, and all others as much earlier. This
    // filter may not: that time is not its lateness.
    let mut later = Vec::new();
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let (ours, theirs) = (round(gateway.address, false).await, round(native, true).await);
        show(&format!(
            "500 delays of 100 ms at once, p99: {:.1?}, native {:.1?}; earliest: {:.1?}, native {:.1?}; undelayed beside them, p99: {:.2?}, native {:.2?}; median: {:.2?}, native {:.2?}",
            ours.delayed,
            theirs.delayed,
            ours.earliest,
            theirs.earliest,
            ours.undelayed,
            theirs.undelayed,
            ours.undelayed_median,
            theirs.undelayed_median,
        ));
        let too_early = DELAY.saturating_sub(theirs.earliest).min(MAX_TOO_EARLY);
        later.push(ours.delayed.saturating_sub(theirs.delayed + too_early));
        ratios.push(ours.undelayed.as_secs_f64() / theirs.undelayed.as_secs_f64());
        if later.iter().any(|later| *later <= 5 * MILLISECOND)
            && ratios.iter().any(|ratio| *ratio <= 1.5)
            && ratios.len() >= 2
        {
            break;
        }
    }
    let later = later.into_iter().min().unwrap();
    let ratio = ratios.into_iter().fold(f64::INFINITY, f64::min);
    assert!(later <= 5 * MILLISECOND, "{later:?} later than the native filter");
    assert!(ratio <= 1.5, "undelayed requests take {ratio:.2} times as long as beside the native filter");
    at_rest(&gateway).await;
    assert!(faults(&gateway, "chaos", "delay").await >= 6000);
    gateway.assert_no_trap().await;
}

/// The proxy may resume all streams of a tick one within the other, if they get their responses at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_delays_that_end_at_once_do_not_exhaust_the_stack() {
    let _turn = alone().await;
    let mut config = rules(json!([{
        "name": "r",
        "delay": {"percentage": 100, "fixed": "500ms"},
        "abort": {"percentage": 50, "status": 503},
        "response": {"percentage": 50, "truncate_body": 1},
    }]));
    config["max_active"] = json!(0);
    let gateway = setup(config).direct().workers(1).start().await;
    for _ in 0..2 {
        let load = Load::http2(gateway.address, 20, 100, Until::Requests(2000));
        let answers = measure(load, |_| get("/", &[])).await;
        assert!(answers.iter().all(|timed| [200, 503].contains(&timed.answer.status.as_u16())));
        assert!(answers.iter().all(|timed| timed.took() >= 5 * DELAY));
        at_rest(&gateway).await;
    }
    gateway.assert_no_trap().await;
}
