//! Parts of a message that filters hold: when they are released, in which order, and who is told.

use crate::body::Body;
use crate::callbacks::Callbacks;
use crate::filter::{BodyFlow, Configure, Filter, Flow, TrailersFlow};
use crate::message::{Request, Response, Trailers};
use crate::plugin::{Background, Plugin};
use crate::testing::{Fate, Proxy, Stream};
use mesh_config::Problems;
use mesh_policy::effects::Reply;
use mesh_policy::time::Nanos;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

std::thread_local! {
    /// The filters that were told of a release or of the end of a stream, since the last look.
    static TOLD: RefCell<String> = const { RefCell::new(String::new()) };
}

fn tell(name: char, what: &str) {
    TOLD.with_borrow_mut(|told| told.push_str(&format!(" {name}{what}")));
}

/// Does with a message what a request header `x-<name>` says: what with its headers, with each part of its body, and
/// with its trailers, such as `pause 10; hold 20, buffer, hold 30; hold 40`. Times are milliseconds since the start of
/// the proxy.
struct Script(char);

#[derive(Default)]
struct Acts {
    headers: String,
    parts: VecDeque<String>,
    trailers: String,
}

/// The instant that an act names.
fn instant(act: &str, word: &str) -> Option<Nanos> {
    let milliseconds: u64 = act.trim().strip_prefix(word)?.trim().parse().ok()?;
    Some(Nanos(1_000_000_000_000 + milliseconds * 1_000_000))
}

impl Acts {
    fn on_headers(&self) -> Flow {
        instant(&self.headers, "pause").map_or(Flow::Continue, |until| Flow::Pause { until })
    }

    fn on_part(&mut self) -> BodyFlow {
        let act = self.parts.pop_front().unwrap_or_default();
        match instant(&act, "hold") {
            Some(until) => BodyFlow::Hold { until },
            None if act.trim() == "buffer" => BodyFlow::Buffer,
            None => BodyFlow::Continue,
        }
    }

    fn on_trailers(&self) -> TrailersFlow {
        if self.trailers.trim() == "reply" {
            let reply = Reply {
                status: 503,
                details: String::new(),
                headers: vec![],
                body: vec![],
                grpc_status: None,
            };
            return TrailersFlow::Reply(reply);
        }
        instant(&self.trailers, "hold").map_or(TrailersFlow::Continue, |until| TrailersFlow::Hold { until })
    }
}

impl Filter for Script {
    const NAME: &'static str = "script";
    const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS
        .and(Callbacks::REQUEST_BODY)
        .and(Callbacks::RESPONSE_HEADERS)
        .and(Callbacks::RESPONSE_BODY)
        .and(Callbacks::TICK);
    type Stream = Acts;

    fn on_request_headers(&self, acts: &mut Acts, request: &mut Request<'_>) -> Flow {
        let of_response = request.first_header("x-of-response").is_ok_and(|value| value.is_some());
        let script = request.first_header(&format!("x-{}", self.0)).ok().flatten().unwrap_or_default();
        let script = String::from_utf8_lossy(&script);
        let mut words = script.split(';').map(str::to_owned);
        acts.headers = words.next().unwrap_or_default();
        let parts = words.next().unwrap_or_default();
        acts.parts = parts.split(',').map(str::to_owned).collect();
        acts.trailers = words.next().unwrap_or_default();
        if of_response { Flow::Continue } else { acts.on_headers() }
    }

    fn on_request_body(&self, acts: &mut Acts, _body: &mut Body) -> BodyFlow {
        acts.on_part()
    }

    fn on_request_trailers(&self, acts: &mut Acts, _trailers: &mut Trailers) -> TrailersFlow {
        acts.on_trailers()
    }

    fn on_request_released(&self, _acts: &mut Acts, _background: &mut Background<'_>) {
        tell(self.0, "");
    }

    fn on_response_headers(&self, acts: &mut Acts, _response: &mut Response<'_>) -> Flow {
        acts.on_headers()
    }

    fn on_response_body(&self, acts: &mut Acts, _body: &mut Body) -> BodyFlow {
        acts.on_part()
    }

    fn on_response_trailers(&self, acts: &mut Acts, _trailers: &mut Trailers) -> TrailersFlow {
        acts.on_trailers()
    }

    fn on_response_released(&self, _acts: &mut Acts, _background: &mut Background<'_>) {
        tell(self.0, "");
    }

    fn on_stream_gone(&self, _acts: &mut Acts, _background: &mut Background<'_>) {
        tell(self.0, " gone");
    }
}

impl Configure for Script {
    /// A filter for each character of the config.
    fn configure(config: &[u8], _: &Plugin) -> Result<Vec<Self>, Problems> {
        Ok(config.iter().map(|name| Self(char::from(*name))).collect())
    }
}

/// A message of a stream.
struct Message<'a> {
    proxy: &'a Proxy<Script>,
    stream: Stream<'a, Script>,
    of_response: bool,
}

impl<'a> Message<'a> {
    /// A message whose headers have arrived, with a script for each filter: `a`, `b` and so on.
    fn open(proxy: &'a Proxy<Script>, of_response: bool, scripts: &[&str]) -> Self {
        let names: Vec<_> =
            ('a'..).zip(scripts).map(|(name, script)| (format!("x-{name}"), *script)).collect();
        let mut headers: Vec<_> = names.iter().map(|(name, script)| (name.as_str(), *script)).collect();
        headers.extend(of_response.then_some(("x-of-response", "1")));
        let stream = proxy.open(&headers);
        if of_response {
            stream.respond(&[(":status", "200")]);
        }
        TOLD.take();
        Self { proxy, stream, of_response }
    }

    fn part(&self, bytes: &str, is_end: bool) -> bool {
        match self.of_response {
            true => self.stream.response_body(bytes.as_bytes(), is_end),
            false => self.stream.body(bytes.as_bytes(), is_end),
        }
    }

    fn trailers(&self) -> bool {
        match self.of_response {
            true => self.stream.response_trailers(&[("x-end", "1")]),
            false => self.stream.trailers(&[("x-end", "1")]),
        }
    }

    /// Takes a step: `+x` is a part, `+x.` the last one, `^` the trailers, and a number moves the clock to this
    /// millisecond. Returns what has been sent on so far, `!` if that is all, and which filters were told.
    fn step(&self, step: &str) -> String {
        if let Some(part) = step.strip_prefix('+') {
            self.part(part.trim_end_matches('.'), part.ends_with('.'));
        } else if step == "^" {
            self.trailers();
        } else {
            let to = instant(step, "").unwrap_or_default();
            let now = self.proxy.host().monotonic();
            self.proxy.advance(Duration::from_nanos(to.0) - now);
        }
        self.seen()
    }

    fn seen(&self) -> String {
        let end = if self.stream.is_complete(self.of_response) { "!" } else { "" };
        format!("{}{end}{}", self.stream.sent_body(self.of_response), TOLD.take())
    }

    fn waits(&self) -> bool {
        match self.of_response {
            true => self.stream.response_waits(),
            false => self.stream.fate() == Fate::Waiting,
        }
    }
}

/// `steps`: each with what is seen after it, see [`Message::step`].
#[track_caller]
fn check(scripts: &[&str], steps: &[(&str, &str)]) {
    let names: String = ('a'..).take(scripts.len()).collect();
    for of_response in [false, true] {
        let proxy = Proxy::<Script>::start(&names);
        let message = Message::open(&proxy, of_response, scripts);
        for (step, expected) in steps {
            assert_eq!(message.step(step), *expected, "{step}, {of_response}");
        }
        message.stream.end();
        proxy.advance(Duration::from_secs(1));
        assert_eq!(proxy.host().timer(), None);
    }
}

#[test]
fn a_part_waits_until_its_instant() {
    check(&["; hold 30"], &[("+ab.", ""), ("29", ""), ("30", "ab! a")]);
    check(&["; hold 30"], &[("+ab", ""), ("30", "ab a"), ("+cd.", "abcd!")]);
    // Without bytes, too: the end of the message waits.
    check(&["; , hold 30"], &[("+ab", "ab"), ("+.", "ab"), ("29", "ab"), ("30", "ab! a")]);
}

/// It comes with the next tick.
#[test]
fn an_instant_that_has_passed_is_a_hold_as_well() {
    check(&["; hold 0"], &[("10", ""), ("+ab.", ""), ("11", "ab! a")]);
}

#[test]
fn what_follows_waits_with_it() {
    check(&["; hold 30"], &[("+a", ""), ("10", ""), ("+b", ""), ("+c.", ""), ("29", ""), ("30", "abc! a")]);
    check(&["; hold 30"], &[("+a", ""), ("+b", ""), ("^", ""), ("29", ""), ("30", "ab! a")]);
}

#[test]
fn a_hold_moves_later_and_not_earlier() {
    check(&["; hold 30, hold 50"], &[("+a", ""), ("+b.", ""), ("49", ""), ("50", "ab! a")]);
    check(&["; hold 50, hold 30"], &[("+a", ""), ("+b.", ""), ("49", ""), ("50", "ab! a")]);
    check(&["; hold 30; hold 50"], &[("+a", ""), ("^", ""), ("49", ""), ("50", "a! a")]);
    check(&["; hold 50; hold 30"], &[("+a", ""), ("^", ""), ("49", ""), ("50", "a! a")]);
}

#[test]
fn a_hold_after_another_is_a_new_one() {
    let steps = [("+a", ""), ("30", "a a"), ("+b", "a"), ("49", "a"), ("50", "ab a"), ("+c.", "abc!")];
    check(&["; hold 30, hold 50"], &steps);
}

#[test]
fn trailers_wait_alone() {
    check(&[";; hold 30"], &[("+a", "a"), ("^", "a"), ("29", "a"), ("30", "a! a")]);
    check(&[";; hold 30"], &[("^", ""), ("29", ""), ("30", "! a")]);
}

#[test]
fn the_latest_instant_of_all_filters_counts() {
    for scripts in [["; hold 30", "; hold 50"], ["; hold 50", "; hold 30"]] {
        for (of_response, told) in [(false, "a b"), (true, "b a")] {
            let proxy = Proxy::<Script>::start("ab");
            let message = Message::open(&proxy, of_response, &scripts);
            let seen = ["+a.", "49", "50"].map(|step| message.step(step));
            assert_eq!(seen, ["", "", &format!("a! {told}")]);
            message.stream.end();
        }
    }
    // One holds the first part, the other one the second.
    check(&["; hold 30", ""], &[("+a", ""), ("+b.", ""), ("30", "ab! a")]);
    check(&["", "; , hold 50"], &[("+a", "a"), ("+b.", "a"), ("50", "ab! b")]);
    check(&["; hold 30", ";; hold 50"], &[("+a", ""), ("^", ""), ("30", ""), ("49", "")]);
}

/// A filter that wants the whole body sees it before anything goes on, and the hold still counts.
#[test]
fn a_body_that_another_filter_buffers_is_held_to_its_end() {
    let buffers = "; buffer, buffer";
    check(&["; hold 30", buffers], &[("+a", ""), ("+b", ""), ("40", ""), ("+c.", ""), ("41", "abc! a")]);
    check(&["; hold 30", buffers], &[("+a", ""), ("+b", ""), ("+c.", ""), ("29", ""), ("30", "abc! a")]);
    check(&["; hold 30", "; , buffer"], &[("+a", ""), ("+b", ""), ("40", ""), ("^", ""), ("41", "ab! a")]);
    // A filter behind one that buffers sees no part until that one has the end.
    let steps = [("+a", ""), ("+b.", "ab!")];
    check(&["; buffer", "; , hold 30"], &steps[..1]);
}

#[test]
fn headers_that_have_waited_release_nothing_that_is_held() {
    let steps = [("+a", ""), ("+b.", ""), ("10", ""), ("29", ""), ("30", "ab! a")];
    check(&["pause 10; hold 30"], &steps);
    let steps = [("+a", ""), ("^", ""), ("10", ""), ("29", ""), ("30", "a! a")];
    check(&["pause 10; hold 30"], &steps);
    check(&["pause 10;; hold 30"], &[("+a", ""), ("^", ""), ("10", "a"), ("29", "a"), ("30", "a! a")]);
    // The proxy would drop the body if the trailers continued while it resumes.
    check(&["pause 10; buffer"], &[("+a", ""), ("^", ""), ("10", ""), ("11", "a!")]);
    check(&["pause 10; buffer; hold 30"], &[("+a", ""), ("^", ""), ("11", ""), ("30", "a! a")]);
}

/// What is held by status 2 is not in the next part.
#[test]
fn a_part_that_is_held_waits_and_a_later_one_does_too() {
    let proxy = Proxy::<Script>::start("a");
    for of_response in [false, true] {
        let message = Message::open(&proxy, of_response, &["; hold 1000000"]);
        assert!(!message.part("a", false) && message.waits());
        assert!(!message.part("b", false) && message.waits());
        assert_eq!(message.stream.held_body(of_response), "ab");
        assert!(!message.trailers() && message.waits());
        message.stream.end();
    }
}

#[test]
fn a_stream_that_ends_while_it_is_held_is_forgotten() {
    for of_response in [false, true] {
        for script in ["; hold 30", ";; hold 30", "; hold 30; hold 50", "pause 10; hold 30"] {
            let proxy = Proxy::<Script>::start("a");
            let message = Message::open(&proxy, of_response, &[script]);
            message.part("a", false);
            message.trailers();
            message.stream.end();
            assert_eq!(TOLD.take(), " a gone", "{script}");
            proxy.advance(Duration::from_secs(1));
            assert_eq!((TOLD.take(), proxy.host().timer()), (String::new(), None));
        }
    }
}

/// Its entry among the timers would make them fire.
#[test]
fn a_stream_that_has_ended_leaves_no_timer() {
    for of_response in [false, true] {
        let proxy = Proxy::<Script>::start("a");
        let message = Message::open(&proxy, of_response, &["; hold 1000"]);
        message.part("a", false);
        message.stream.end();
        let later = Message::open(&proxy, of_response, &["; hold 1010"]);
        later.part("b", false);
        assert_eq!(proxy.host().timer(), Some(Duration::from_secs(1)), "the one that was set");
        proxy.advance(Duration::from_secs(1));
        assert_eq!(proxy.host().timer(), Some(Duration::from_millis(10)));
        later.stream.end();
        let last = Message::open(&proxy, of_response, &["; hold 5000"]);
        last.part("c", false);
        last.stream.end();
        proxy.advance(Duration::from_millis(10));
        assert_eq!(proxy.host().timer(), None);
    }
}

/// Both messages of a stream may have the same instant: each is released, the second one with the next tick.
#[test]
fn a_request_and_its_response_are_held_at_once() {
    for instants in [[30, 30], [30, 40], [40, 30]] {
        let proxy = Proxy::<Script>::start("a");
        let [first, second] = instants;
        let stream = proxy.open(&[("x-a", &format!("; hold {first}, hold {second}"))]);
        stream.body(b"a", false);
        stream.respond(&[(":status", "200")]);
        stream.response_body(b"b", false);
        proxy.advance(Duration::from_millis(29));
        assert_eq!([false, true].map(|which| stream.sent_body(which)), ["", ""]);
        proxy.advance(Duration::from_millis(1));
        let released = [false, true].map(|which| !stream.sent_body(which).is_empty());
        assert_eq!(released, [first == 30, first != 30 && second == 30]);
        proxy.advance(Duration::from_millis(11));
        assert_eq!([false, true].map(|which| stream.sent_body(which)), ["a", "b"], "{instants:?}");
        stream.end();
        assert_eq!(proxy.host().timer(), None);
    }
}

/// A push: the stream keeps its config, and the timer of that config releases it.
#[test]
fn a_push_does_not_release_what_is_held() {
    for of_response in [false, true] {
        let proxy = Proxy::<Script>::start("a");
        let message = Message::open(&proxy, of_response, &["; hold 30, hold 50", "; hold 90"]);
        message.step("+a");
        proxy.configure("ab").unwrap();
        assert_eq!(["+b.", "49", "50"].map(|step| message.step(step)), ["", "", "ab! a"]);
        message.stream.end();
        proxy.remove_previous_config();
    }
}

/// The reply is the end of the message.
#[test]
fn a_reply_to_trailers_ends_what_is_held() {
    for of_response in [false, true] {
        let proxy = Proxy::<Script>::start("a");
        let message = Message::open(&proxy, of_response, &["; hold 30; reply"]);
        assert_eq!(["+a", "^", "40"].map(|step| message.step(step)), ["", "", ""]);
        assert_eq!((message.stream.fate(), proxy.host().timer()), (Fate::Replied, None));
        message.stream.end();
    }
}

/// What cannot be released is released with the next part; what cannot be entered is tried again with it.
#[test]
fn a_call_that_fails_does_not_hold_for_ever() {
    for of_response in [false, true] {
        let proxy = Proxy::<Script>::start("a");
        let message = Message::open(&proxy, of_response, &["; hold 30, , hold 60, hold 60"]);
        message.step("+a");
        proxy.host().fail("continue_stream");
        assert_eq!(message.step("30"), " a");
        proxy.host().repair("continue_stream");
        assert_eq!(message.step("+b"), "ab");
        message.step("+c");
        proxy.host().fail("set_effective_context");
        assert_eq!(message.step("60"), "ab");
        proxy.host().repair("set_effective_context");
        assert_eq!((message.step("+d").as_str(), message.step("61").as_str()), ("ab", "abcd a"));
        let errors = proxy.host().log().iter().filter(|line| line.starts_with("error")).count();
        assert_eq!(errors, 2);
        message.stream.end();
    }
}

/// Nothing else happens on that worker.
#[test]
fn a_stream_that_cannot_be_entered_is_tried_again() {
    for of_response in [false, true] {
        let proxy = Proxy::<Script>::start("a");
        let message = Message::open(&proxy, of_response, &["; hold 30"]);
        message.step("+a");
        proxy.host().fail("set_effective_context");
        assert_eq!(message.step("30"), "");
        proxy.host().repair("set_effective_context");
        assert_eq!(["1029", "1031"].map(|step| message.step(step)), ["", "a a"]);
        assert_eq!(proxy.host().timer(), None);
        message.stream.end();
    }
}

/// The next thing that waits sets it.
#[test]
fn a_timer_that_cannot_be_set_is_set_later() {
    for failing in ["set_tick_period_milliseconds", "clock_time_get"] {
        let proxy = Proxy::<Script>::start("a");
        let message = Message::open(&proxy, true, &["; hold 30, hold 40"]);
        proxy.host().fail(failing);
        message.step("+a");
        assert_eq!(proxy.host().timer(), None);
        proxy.host().repair(failing);
        assert_eq!(["+b.", "40"].map(|step| message.step(step)), ["", "ab! a"]);
        message.stream.end();
    }
}
