//! Which streams are held, and which are in flight, as the gauges show them: everything returns, on every way out.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is its purpose"
)]

use fault::filter::FaultFilter;
use fault::places::{Gauge, Gauges, Places};
use mesh_host::testing::{Fate, Proxy, Stream};
use mesh_host::{SharedData, metrics};
use std::time::Duration;

type FaultStream<'a> = Stream<'a, FaultFilter>;

const SECOND: Duration = Duration::from_secs(1);

fn start(config: &str) -> Proxy<FaultFilter> {
    let proxy = Proxy::start(config);
    proxy.host().set_property(&["response", "code_details"], "via_upstream");
    proxy
}

/// A config with one rule, and what else it has.
fn config(top: &str, fields: &str) -> String {
    format!(r#"{{"rules": [{{"name": "r", {fields}}}]{top}}}"#)
}

fn request(proxy: &Proxy<FaultFilter>) -> FaultStream<'_> {
    proxy.open(&[(":method", "GET"), (":path", "/")])
}

fn respond(stream: &FaultStream<'_>) {
    stream.respond(&[(":status", "200"), ("content-length", "10")]);
}

/// Places that are taken.
fn active(proxy: &Proxy<FaultFilter>) -> i64 {
    proxy.host().metric("mesh_filters.fault.active")
}

/// Requests in flight: of all workers, and of the first one.
fn in_flight(proxy: &Proxy<FaultFilter>) -> [i64; 2] {
    ["plugin=.=test;.;in_flight", "plugin=.=test;.;worker=.=0;.;in_flight_of_worker"]
        .map(|name| proxy.host().metric(&format!("mesh_filters.fault.{name}")))
}

fn counted(proxy: &Proxy<FaultFilter>, name: &str) -> i64 {
    proxy.host().metric(&format!("mesh_filters.fault.rule=.=r;.;{name}"))
}

const DELAY: &str = r#""delay": {"percentage": 100, "fixed": "5s"}"#;
const DELAY_AND_ABORT: &str =
    r#""delay": {"percentage": 100, "fixed": "5s"}, "abort": {"percentage": 100, "status": 503}"#;
const RESPONSE: &str = r#""response": {"percentage": 100, "delay": {"fixed": "5s"}}"#;
const THROTTLE: &str = r#""throttle": {"percentage": 100, "bytes_per_second": 2}"#;
const ALL: &str = r#""delay": {"percentage": 100, "fixed": "5s"}, "response": {"percentage": 100, "delay": {"fixed": "5s"}},
    "throttle": {"percentage": 100, "bytes_per_second": 2}"#;

type Step = fn(&Proxy<FaultFilter>, &FaultStream<'_>);

/// What happens to a stream with all faults, one after the other: a request, its delay, a response, its delay, and a
/// throttled body with trailers. Each with the number of places that are taken afterwards.
const STEPS: [(Step, i64); 8] = [
    (|_, _| (), 1),
    (|proxy, _| proxy.advance(SECOND * 4), 1),
    (|proxy, _| proxy.advance(SECOND), 0),
    (|_, stream| respond(stream), 1),
    (|proxy, _| proxy.advance(SECOND * 5), 1),
    (|_, stream| assert!(!stream.response_body(b"0123456789", false)), 1),
    (|_, stream| assert!(!stream.response_trailers(&[("x-end", "1")])), 1),
    (|proxy, _| proxy.advance(SECOND * 5), 0),
];

#[test]
fn a_place_is_taken_as_long_as_something_is_held() {
    let proxy = start(&config("", ALL));
    let stream = request(&proxy);
    for (index, (step, expected)) in STEPS.iter().enumerate() {
        step(&proxy, &stream);
        assert_eq!(active(&proxy), *expected, "{index}");
    }
    assert!(stream.is_complete(true));
    stream.end();
    assert_eq!(active(&proxy), 0);
}

#[test]
fn a_client_that_leaves_gives_its_place_back_at_every_moment() {
    for left_after in 0..=STEPS.len() {
        let proxy = start(&config("", ALL));
        let stream = request(&proxy);
        STEPS[..left_after].iter().for_each(|(step, _)| step(&proxy, &stream));
        stream.end();
        assert_eq!(active(&proxy), 0, "{left_after}");
        // Ticks that are due later give nothing back once more.
        proxy.advance(SECOND * 20);
        assert_eq!((active(&proxy), proxy.host().timer()), (0, None), "{left_after}");
    }
}

/// At every moment, with a config that has the same rule, another rule or none.
#[test]
fn a_config_push_keeps_what_is_held() {
    for pushed_after in 0..=STEPS.len() {
        for pushed in [
            &config("", ALL),
            &config("", r#""throttle": {"percentage": 0, "bytes_per_second": 1}"#),
            "",
            r#"{"mode": "off"}"#,
        ] {
            for is_left in [false, true] {
                let proxy = start(&config("", ALL));
                let stream = request(&proxy);
                for (index, (step, expected)) in STEPS.iter().enumerate() {
                    if index == pushed_after {
                        proxy.configure(pushed).unwrap();
                    }
                    if is_left && index == pushed_after + 1 {
                        break;
                    }
                    step(&proxy, &stream);
                    assert_eq!(active(&proxy), *expected, "{index} {pushed}");
                }
                if pushed_after == STEPS.len() {
                    proxy.configure(pushed).unwrap();
                }
                stream.end();
                assert_eq!(active(&proxy), 0, "{pushed_after} {pushed}");
                proxy.remove_previous_config();
                proxy.advance(SECOND * 20);
                assert_eq!((active(&proxy), proxy.host().timer()), (0, None), "{pushed_after} {pushed}");
            }
        }
    }
}

#[test]
fn an_abort_gives_the_place_of_its_delay_back() {
    let proxy = start(&config("", DELAY_AND_ABORT));
    let stream = request(&proxy);
    assert_eq!(active(&proxy), 1);
    proxy.advance(SECOND * 5);
    assert_eq!((stream.fate(), active(&proxy)), (Fate::Replied, 0));
    stream.end();
    assert_eq!(active(&proxy), 0);
}

/// Holds streams by a request (`true`) or by its response.
#[track_caller]
fn check_max(fields: &str, is_request: bool) {
    let proxy = start(&config(r#", "max_active": 3"#, fields));
    let held = |stream: &FaultStream<'_>| {
        if is_request {
            return stream.fate() == Fate::Waiting;
        }
        respond(stream);
        stream.response_body(b"0123456789", true);
        stream.response_waits()
    };
    let streams: Vec<_> = (0..5).map(|_| request(&proxy)).collect();
    assert_eq!(streams.iter().map(held).collect::<Vec<_>>(), [true, true, true, false, false], "{fields}");
    assert_eq!((active(&proxy), counted(&proxy, "overflow")), (3, 2), "{fields}");
    for untouched in &streams[3..] {
        assert_eq!(untouched.filter_state("fault_decision").as_deref(), Some("overflow{r}"), "{fields}");
        assert_eq!(untouched.edits(), Vec::<String>::new(), "{fields}");
    }
    // One goes, and there is room for one.
    let mut streams = streams.into_iter();
    streams.next().unwrap().end();
    assert_eq!(active(&proxy), 2, "{fields}");
    let late: Vec<_> = (0..2).map(|_| request(&proxy)).collect();
    assert_eq!(late.iter().map(held).collect::<Vec<_>>(), [true, false], "{fields}");
    proxy.advance(SECOND * 5);
    assert_eq!(active(&proxy), 0, "{fields}");
    streams.chain(late).for_each(Stream::end);
    assert_eq!(active(&proxy), 0, "{fields}");
}

#[test]
fn no_more_than_max_active_are_held() {
    check_max(DELAY, true);
    check_max(DELAY_AND_ABORT, true);
    check_max(RESPONSE, false);
    check_max(THROTTLE, false);
}

#[test]
fn a_request_that_asks_for_a_delay_needs_a_place_as_well() {
    let proxy = start(r#"{"max_active": 1, "trigger": {"secret": "12345678"}}"#);
    let ask = || proxy.request(&[(":path", "/"), ("x-fault", "delay=1s"), ("x-fault-key", "12345678")]);
    let (first, second) = (ask(), ask());
    assert_eq!((first.fate(), second.fate()), (Fate::Waiting, Fate::Continued));
    assert_eq!(second.filter_state("fault_decision").as_deref(), Some("overflow{trigger}"));
    assert_eq!(proxy.host().metric("mesh_filters.fault.rule=.=trigger;.;overflow"), 1);
    first.end();
    second.end();
}

#[test]
fn zero_is_no_bound() {
    let proxy = start(&config(r#", "max_active": 0"#, DELAY));
    let streams: Vec<_> = (0..500).map(|_| request(&proxy)).collect();
    assert_eq!((active(&proxy), counted(&proxy, "overflow")), (500, 0));
    // They wake up in several ticks.
    proxy.advance(SECOND * 5 + Duration::from_millis(20));
    assert!(streams.iter().all(|stream| stream.fate() == Fate::Continued));
    streams.into_iter().for_each(Stream::end);
    assert_eq!(active(&proxy), 0);
}

/// An abort alone, or a change that does not wait, holds nothing.
#[test]
fn what_is_not_held_needs_no_place() {
    let proxy = start(&config(
        r#", "max_active": 1"#,
        r#""response": {"percentage": 100, "status": 502, "truncate_body": 1}"#,
    ));
    let streams: Vec<_> = (0..3).map(|_| request(&proxy)).collect();
    for stream in &streams {
        respond(stream);
        assert!(stream.response_headers().contains(&(":status".to_owned(), "502".to_owned())));
    }
    assert_eq!((active(&proxy), counted(&proxy, "overflow")), (0, 0));
    streams.into_iter().for_each(Stream::end);
}

/// Aborts as long as two others are in flight.
const BUSY: &str = r#""in_flight": {"at_least": 2}, "abort": {"percentage": 100, "status": 503}"#;

#[test]
fn requests_are_in_flight_until_their_stream_ends() {
    let proxy = start(&config("", BUSY));
    let fate = |stream: &FaultStream<'_>| stream.fate();
    let one = request(&proxy);
    let two = request(&proxy);
    assert_eq!(([fate(&one), fate(&two)], in_flight(&proxy)), ([Fate::Continued; 2], [2, 2]));
    let three = request(&proxy);
    // One that is aborted is in flight until its reply is sent.
    assert_eq!((fate(&three), in_flight(&proxy)), (Fate::Replied, [3, 3]));
    three.end();
    respond(&one);
    assert_eq!(in_flight(&proxy), [2, 2]);
    one.end();
    assert_eq!(in_flight(&proxy), [1, 1]);
    let four = request(&proxy);
    assert_eq!(fate(&four), Fate::Continued);
    two.end();
    four.end();
    assert_eq!(in_flight(&proxy), [0, 0]);
}

/// Also while the streams of an earlier config end.
#[test]
fn requests_of_all_configs_of_a_plugin_count() {
    let proxy = start(&config("", BUSY));
    let (one, two) = (request(&proxy), request(&proxy));
    proxy.configure(&config(r#", "stack": true"#, BUSY)).unwrap();
    let three = request(&proxy);
    assert_eq!((three.fate(), in_flight(&proxy)), (Fate::Replied, [3, 3]));
    three.end();
    one.end();
    two.end();
    proxy.remove_previous_config();
    let four = request(&proxy);
    assert_eq!((four.fate(), in_flight(&proxy)), (Fate::Continued, [1, 1]));
    proxy.configure("").unwrap();
    four.end();
    proxy.remove_previous_config();
    assert_eq!(in_flight(&proxy), [0, 0]);
    proxy.advance(SECOND * 20);
    assert_eq!((in_flight(&proxy), proxy.host().timer()), ([0, 0], None));
}

/// A stream that lasts hours does not lose its place among them.
#[test]
fn requests_stay_in_flight_as_long_as_they_last() {
    let proxy = start(&config("", BUSY));
    let (one, two) = (request(&proxy), request(&proxy));
    for _ in 0..10 {
        proxy.advance(SECOND * 60);
        assert_eq!(in_flight(&proxy), [2, 2]);
        let other = request(&proxy);
        assert_eq!(other.fate(), Fate::Replied);
        other.end();
    }
    one.end();
    two.end();
    proxy.advance(SECOND * 60);
    assert_eq!((in_flight(&proxy), proxy.host().timer()), ([0, 0], None));
}

/// Who waits for minutes is not taken for lost.
#[test]
fn a_place_is_kept_as_long_as_it_is_needed() {
    for fields in [&DELAY.replace("5s", "5m"), &RESPONSE.replace("5s", "5m"), THROTTLE] {
        let proxy = start(&config("", fields));
        // Longer than a new VM looks for what a lost one has held.
        proxy.advance(SECOND * 20);
        let stream = request(&proxy);
        if stream.fate() == Fate::Continued {
            respond(&stream);
        }
        for _ in 0..10 {
            proxy.advance(SECOND * 25);
            let other = Places::new(RECORD.to_owned(), 7);
            assert_eq!(other.take(Some(1), &mut SharedData, &mut OtherGauges), Ok(false), "{fields}");
            assert_eq!(active(&proxy), 1, "{fields}");
        }
        stream.end();
        let other = Places::new(RECORD.to_owned(), 8);
        assert_eq!(other.take(Some(1), &mut SharedData, &mut OtherGauges), Ok(true), "{fields}");
    }
}

/// The record of the plugin.
const RECORD: &str = "mesh_filters.fault/places/1/test";

/// The gauges of the plugin, as another VM of the same proxy sees them.
struct OtherGauges;

impl OtherGauges {
    fn gauge(gauge: Gauge) -> metrics::Gauge {
        let name = match gauge {
            Gauge::Active => "active".to_owned(),
            Gauge::InFlight => "plugin=.=test;.;in_flight".to_owned(),
            Gauge::InFlightOf(slot) => format!("plugin=.=test;.;worker=.={slot};.;in_flight_of_worker"),
        };
        metrics::Gauge::define(&format!("mesh_filters.fault.{name}"))
    }
}

impl Gauges for OtherGauges {
    fn add(&mut self, gauge: Gauge, difference: i64) {
        Self::gauge(gauge).add(difference);
    }

    fn get(&mut self, gauge: Gauge) -> Option<u64> {
        Self::gauge(gauge).get()
    }
}

/// Another VM of the proxy, which holds places and has requests in flight.
fn other_vm(proxy: &Proxy<FaultFilter>, held: u32, in_flight: u32) -> Places {
    let other = Places::new(RECORD.to_owned(), 7);
    for _ in 0..held {
        assert_eq!(other.take(None, &mut SharedData, &mut OtherGauges), Ok(true));
    }
    let now = u64::try_from(proxy.host().monotonic().as_nanos()).unwrap();
    for _ in 0..in_flight {
        other.begin(mesh_policy::time::Nanos(now), &mut SharedData, &mut OtherGauges);
    }
    other
}

#[test]
fn what_other_workers_hold_counts() {
    let proxy = start(&config(r#", "max_active": 3"#, DELAY));
    let other = other_vm(&proxy, 2, 0);
    let (one, two) = (request(&proxy), request(&proxy));
    assert_eq!((one.fate(), two.fate(), active(&proxy)), (Fate::Waiting, Fate::Continued, 3));
    other.give_back(&mut SharedData, &mut OtherGauges);
    let three = request(&proxy);
    assert_eq!((three.fate(), active(&proxy)), (Fate::Waiting, 3));
    for stream in [one, two, three] {
        stream.end();
    }
    assert_eq!(active(&proxy), 1);
}

#[test]
fn requests_of_other_workers_are_in_flight_as_well() {
    let proxy = start(&config("", BUSY));
    let other = other_vm(&proxy, 0, 2);
    let stream = request(&proxy);
    assert_eq!((stream.fate(), in_flight(&proxy)[0]), (Fate::Replied, 3));
    stream.end();
    drop(other);
}

/// What a VM held that was lost is free 10 s after another one has started, whatever that one does before.
#[test]
fn what_a_lost_vm_held_returns_within_10_seconds() {
    for busy_until in [0, 1, 3, 6, 9] {
        let proxy = start(&config("", &DELAY.replace("5s", "1s")));
        drop(other_vm(&proxy, 5, 4));
        assert_eq!((active(&proxy), in_flight(&proxy)[0]), (5, 4));
        for second in 0..10 {
            if second < busy_until {
                let stream = request(&proxy);
                proxy.advance(SECOND);
                stream.end();
            } else {
                proxy.advance(SECOND);
            }
        }
        assert_eq!((active(&proxy), in_flight(&proxy)[0]), (0, 0), "busy until {busy_until}");
        proxy.advance(SECOND * 4);
        assert_eq!(proxy.host().timer(), None, "busy until {busy_until}");
    }
}

/// A worker that is busy frees them as well, and so does the next request that needs a place.
#[test]
fn what_a_lost_vm_held_is_free_for_the_next_request() {
    let proxy = start(&config(r#", "max_active": 1"#, DELAY));
    proxy.advance(SECOND * 20);
    drop(other_vm(&proxy, 1, 0));
    proxy.advance(SECOND * 8);
    let stream = request(&proxy);
    assert_eq!((stream.fate(), active(&proxy)), (Fate::Waiting, 1));
    stream.end();
    assert_eq!(active(&proxy), 0);
}

/// A worker that could not renew its entry was taken for lost. Without a clock it does not know, and must not subtract what
/// another one has subtracted.
#[test]
fn a_worker_without_a_clock_subtracts_nothing() {
    let proxy = start(&config("", BUSY));
    let stream = request(&proxy);
    proxy.host().fail("set_shared_data");
    proxy.advance(SECOND * 9);
    proxy.host().repair("set_shared_data");
    let other = Places::new(RECORD.to_owned(), 7);
    other.renew(&mut SharedData, &mut OtherGauges);
    assert_eq!(in_flight(&proxy), [0, 0]);
    proxy.host().fail("clock_time_get");
    stream.end();
    assert_eq!(in_flight(&proxy), [0, 0]);
    proxy.host().repair("clock_time_get");
    proxy.advance(SECOND * 20);
    assert_eq!(in_flight(&proxy), [0, 0]);
}
