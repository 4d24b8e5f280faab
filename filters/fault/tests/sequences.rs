//! Any sequence of what can happen to a proxy: nothing panics, nothing is early, nothing waits for ever, and in the end nothing
//! is held and nothing is in flight.

use fault::filter::FaultFilter;
use mesh_host::testing::{Fate, Proxy, Stream};
use mesh_testkit::cases;
use proptest::prelude::*;
use std::time::Duration;

type FaultStream<'a> = Stream<'a, FaultFilter>;

const MS: u64 = 1_000_000;
/// The delay of requests, and that of responses.
const DELAY: Duration = Duration::from_millis(70);
/// Bytes per second of a throttle.
const RATE: u128 = 100;
/// The timer counts milliseconds.
const LATE: Duration = Duration::from_millis(1);
/// More streams than one of the configs may hold.
const MAX_ACTIVE: [i64; 3] = [3, 1000, 2];

/// The rules that a request selects by its header `k`.
const RULES: [(&str, &str); 7] = [
    ("delay", r#""delay": {"percentage": 100, "fixed": "70ms"}"#),
    (
        "abort",
        r#""delay": {"percentage": 100, "fixed": "70ms"}, "abort": {"percentage": 100, "status": 503}"#,
    ),
    ("response", r#""response": {"percentage": 100, "delay": {"fixed": "70ms"}, "status": 502}"#),
    ("cut", r#""response": {"percentage": 100, "truncate_body": 5}"#),
    ("throttle", r#""throttle": {"percentage": 100, "bytes_per_second": 100}"#),
    ("busy", r#""in_flight": {"at_least": 2}, "abort": {"percentage": 100, "status": 503}"#),
    (
        "all",
        r#""delay": {"percentage": 100, "fixed": "70ms"},
        "response": {"percentage": 100, "delay": {"fixed": "70ms"}, "truncate_body": 50},
        "throttle": {"percentage": 100, "bytes_per_second": 100}"#,
    ),
];

/// One of three configs: they bound places differently, and the second one does not count requests in flight.
fn config(number: usize) -> String {
    let rules = RULES.iter().filter(|(name, _)| number != 1 || *name != "busy");
    let rules: Vec<_> = rules
        .map(|(name, faults)| {
            format!(r#"{{"name": "{name}", "match": {{"headers": [{{"name": "k", "exact": "{name}"}}]}}, {faults}}}"#)
        })
        .collect();
    let max = if number == 1 { 0 } else { MAX_ACTIVE[number] };
    format!(
        r#"{{"max_active": {max}, "trigger": {{"secret": "12345678"}}, "rules": [{}]}}"#,
        rules.join(", ")
    )
}

/// What happens next. A stream is one of those that are open.
#[derive(Clone, Debug)]
enum Act {
    Request(&'static str),
    Ask(&'static str),
    Advance(u64),
    RequestBody(prop::sample::Index),
    RequestTrailers(prop::sample::Index),
    Respond(prop::sample::Index, bool),
    ResponseBody(prop::sample::Index, usize, bool),
    ResponseTrailers(prop::sample::Index),
    Leave(prop::sample::Index),
    Push(usize),
    Fail(&'static str),
    Repair,
}

fn act(with_failures: bool) -> impl Strategy<Value = Act> {
    let names: Vec<_> = RULES.iter().map(|(name, _)| *name).collect();
    let functions = vec![
        "add_header_map_value",
        "clock_time_get",
        "continue_stream",
        "get_buffer_bytes",
        "get_header_map_pairs",
        "get_header_map_value",
        "get_metric",
        "get_property",
        "get_shared_data",
        "random_get",
        "remove_header_map_value",
        "replace_header_map_value",
        "set_buffer_bytes",
        "set_effective_context",
        "set_property",
        "set_shared_data",
        "set_tick_period_milliseconds",
    ];
    let stream = any::<prop::sample::Index>;
    let size = prop_oneof![Just(0usize), 1usize..30];
    prop_oneof![
        8 => prop::sample::select(names).prop_map(Act::Request),
        1 => prop::sample::select(vec!["delay=70ms", "delay=70ms,abort=503", "nonsense"]).prop_map(Act::Ask),
        5 => prop_oneof![0..2 * MS, 0..100 * MS, Just(1), 0..9_000 * MS].prop_map(Act::Advance),
        1 => stream().prop_map(Act::RequestBody),
        1 => stream().prop_map(Act::RequestTrailers),
        4 => (stream(), prop::bool::weighted(0.2)).prop_map(|(stream, ends)| Act::Respond(stream, ends)),
        6 => (stream(), size, prop::bool::weighted(0.3)).prop_map(|(stream, size, ends)| Act::ResponseBody(stream, size, ends)),
        1 => stream().prop_map(Act::ResponseTrailers),
        3 => stream().prop_map(Act::Leave),
        1 => (0usize..3).prop_map(Act::Push),
        1 => prop::sample::select(functions).prop_map(move |function| if with_failures { Act::Fail(function) } else { Act::Repair }),
        1 => Just(Act::Repair),
    ]
}

/// A stream, and what the test knows of it.
struct Open<'a> {
    stream: FaultStream<'a>,
    /// When the request came, and when its response did.
    began: Duration,
    responded: Option<Duration>,
    /// The number of its config.
    config: usize,
    sent: usize,
    /// The request, and the response, have ended.
    request_ended: bool,
    response_ended: bool,
}

impl Open<'_> {
    fn label(&self) -> String {
        self.stream.filter_state("fault_decision").unwrap_or_default()
    }

    /// Whether the stream has a place: its request waits, its response waits, or its body is slowed down and has not gone on.
    fn is_held(&self) -> bool {
        let is_slow = self.responded.is_some() && self.label().contains("throttle{");
        self.stream.fate() == Fate::Waiting
            || self.stream.response_waits()
            || (is_slow && !self.stream.is_complete(true))
    }

    /// Nothing has happened before its time, and nothing that was to happen is late.
    fn check_times(&self, now: Duration) -> Result<(), TestCaseError> {
        let label = self.label();
        let is_waiting = self.stream.fate() == Fate::Waiting;
        if label.contains("delay{") {
            prop_assert!(is_waiting || now >= self.began + DELAY, "a delay is early");
        }
        prop_assert!(!is_waiting || now < self.began + DELAY + LATE, "a delay is late");
        let Some(responded) = self.responded.filter(|_| self.stream.reply().is_none()) else { return Ok(()) };
        let delay = if label.contains("response{response}") || label.contains("response{all}") {
            DELAY
        } else {
            Duration::ZERO
        };
        let headers_wait = self.stream.response_waits() && now < responded + delay;
        prop_assert!(delay.is_zero() || headers_wait || now >= responded + delay, "a response is early");
        if label.contains("throttle{") {
            let passed = now.saturating_sub(responded + delay).as_nanos();
            let sent = self.stream.sent_body(true).len() as u128;
            prop_assert!(
                sent * 1_000_000_000 <= RATE * passed,
                "a body is early: {} bytes after {} ns",
                sent,
                passed
            );
        }
        Ok(())
    }
}

struct World<'a> {
    proxy: &'a Proxy<FaultFilter>,
    open: Vec<Open<'a>>,
    config: usize,
    /// What fails at the moment.
    failing: Vec<&'static str>,
    has_failed: bool,
}

impl<'a> World<'a> {
    fn request(&mut self, headers: &[(&str, &str)]) {
        let all: Vec<_> = [(":method", "GET"), (":path", "/")].iter().chain(headers).copied().collect();
        let began = self.proxy.host().monotonic();
        self.open.push(Open {
            stream: self.proxy.open(&all),
            began,
            responded: None,
            config: self.config,
            sent: 0,
            request_ended: false,
            response_ended: false,
        });
    }

    fn act(&mut self, act: &Act) {
        let host = self.proxy.host();
        let now = host.monotonic();
        let count = self.open.len();
        let chosen = |stream: &prop::sample::Index| (count > 0).then(|| stream.index(count));
        match act {
            Act::Request(name) => self.request(&[("k", name)]),
            Act::Ask(asked) => self.request(&[("x-fault", asked), ("x-fault-key", "12345678")]),
            Act::Advance(nanos) => self.proxy.advance(Duration::from_nanos(*nanos)),
            Act::RequestBody(stream) => {
                if let Some(open) = chosen(stream).map(|index| &self.open[index])
                    && !open.request_ended
                    && open.stream.reply().is_none()
                {
                    open.stream.body(b"body", false);
                }
            }
            Act::RequestTrailers(stream) => {
                if let Some(open) = chosen(stream).map(|index| &mut self.open[index])
                    && !open.request_ended
                    && open.stream.reply().is_none()
                {
                    open.request_ended = true;
                    open.stream.trailers(&[("x-end", "1"), ("x-fault-key", "1")]);
                }
            }
            Act::Respond(stream, ends) => {
                // The upstream answers only what it has got.
                if let Some(open) = chosen(stream).map(|index| &mut self.open[index])
                    && open.responded.is_none()
                    && open.stream.fate() == Fate::Continued
                {
                    open.responded = Some(now);
                    open.response_ended = *ends;
                    let headers = [(":status", "200"), ("content-length", "100")];
                    if *ends {
                        open.stream.respond_without_body(&headers);
                    } else {
                        open.stream.respond(&headers);
                    }
                }
            }
            Act::ResponseBody(stream, size, ends) => {
                if let Some(open) = chosen(stream).map(|index| &mut self.open[index])
                    && open.responded.is_some()
                    && !open.response_ended
                {
                    open.response_ended = *ends;
                    open.sent += size;
                    open.stream.response_body(&vec![b'x'; *size], *ends);
                }
            }
            Act::ResponseTrailers(stream) => {
                if let Some(open) = chosen(stream).map(|index| &mut self.open[index])
                    && open.responded.is_some()
                    && !open.response_ended
                {
                    open.response_ended = true;
                    open.stream.response_trailers(&[("x-end", "1")]);
                }
            }
            Act::Leave(stream) => {
                if let Some(index) = chosen(stream) {
                    self.open.swap_remove(index).stream.end();
                }
            }
            Act::Push(number) => {
                // Whether it is accepted is another matter: a proxy without random numbers refuses it.
                if self.proxy.configure(&config(*number)).is_ok() {
                    self.config = *number;
                }
            }
            Act::Fail(function) => {
                host.fail(function);
                self.failing.push(function);
                self.has_failed = true;
            }
            Act::Repair => self.failing.drain(..).for_each(|function| host.repair(function)),
        }
    }

    fn gauges(&self) -> [i64; 3] {
        ["active", "plugin=.=test;.;in_flight", "plugin=.=test;.;worker=.=0;.;in_flight_of_worker"]
            .map(|name| self.proxy.host().metric(&format!("mesh_filters.fault.{name}")))
    }

    /// What holds after each act.
    fn check(&self) -> Result<(), TestCaseError> {
        let now = self.proxy.host().monotonic();
        let gauges = self.gauges();
        prop_assert!(gauges.iter().all(|gauge| *gauge >= 0), "{:?}", gauges);
        if self.has_failed {
            return Ok(());
        }
        let held = self.open.iter().filter(|open| open.is_held()).count();
        prop_assert_eq!(gauges[0], i64::try_from(held).unwrap(), "places");
        let counted = self.open.iter().filter(|open| open.config != 1).count();
        let counted = i64::try_from(counted).unwrap();
        prop_assert_eq!([gauges[1], gauges[2]], [counted, counted], "in flight");
        self.open.iter().try_for_each(|open| open.check_times(now))
    }
}

fn run(acts: &[Act]) -> Result<(), TestCaseError> {
    let proxy = Proxy::<FaultFilter>::start(&config(0));
    let host = proxy.host();
    host.set_property(&["response", "code_details"], "via_upstream");
    let mut world =
        World { proxy: &proxy, open: Vec::new(), config: 0, failing: Vec::new(), has_failed: false };
    for act in acts {
        world.act(act);
        world.check()?;
    }
    // The clients are patient once more, and then all leave.
    world.act(&Act::Repair);
    world.act(&Act::Advance(10_000 * MS));
    world.check()?;
    while !world.open.is_empty() {
        world.open.pop().unwrap().stream.end();
        world.check()?;
    }
    proxy.advance(Duration::from_secs(20));
    prop_assert_eq!(world.gauges(), [0; 3]);
    prop_assert_eq!(host.timer(), None);
    Ok(())
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn everything_that_is_held_returns(acts in prop::collection::vec(act(false), 0..60)) {
        run(&acts)?;
    }

    #[test]
    fn everything_that_is_held_returns_although_calls_fail(acts in prop::collection::vec(act(true), 0..60)) {
        run(&acts)?;
    }
}
