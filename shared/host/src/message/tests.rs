mod changes;

use super::{Request, Response, Trailers};
use crate::callbacks::Callbacks;
use crate::filter::{Configure, Filter, Flow, TrailersFlow};
use crate::plugin::{Background, Plugin};
use crate::testing::Proxy;
use mesh_config::Problems;
use mesh_policy::facts::Needs;
use mesh_policy::headers::{HeaderName, Headers};
use std::cell::RefCell;
use std::time::Duration;

std::thread_local! {
    /// What the filters have noted.
    static NOTES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn note(text: String) {
    NOTES.with_borrow_mut(|notes| notes.push(text));
}

/// What was noted since the last call.
fn notes() -> Vec<String> {
    NOTES.take()
}

/// Notes what it sees of messages, and removes its own header: `x-own-<name>`.
struct Watches(char);

impl Watches {
    fn note(&self, what: &str, found: &impl std::fmt::Debug) {
        note(format!("{} {what}: {found:?}", self.0));
    }
}

fn text(headers: &Headers) -> Vec<String> {
    headers.iter().map(|(name, value)| format!("{}={}", name.escape_ascii(), value.escape_ascii())).collect()
}

fn shown(value: Option<Vec<u8>>) -> Option<String> {
    value.map(|value| value.escape_ascii().to_string())
}

impl Filter for Watches {
    const NAME: &'static str = "watches";
    const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS
        .and(Callbacks::RESPONSE_HEADERS)
        .and(Callbacks::RESPONSE_TRAILERS)
        .and(Callbacks::TICK);
    type Stream = ();

    fn on_request_headers(&self, (): &mut (), request: &mut Request<'_>) -> Flow {
        if request.first_header("x-route").ok().flatten().is_some() {
            self.note("route", &request.clear_route_cache());
            return Flow::Continue;
        }
        let own = HeaderName::new(&format!("x-own-{}", self.0));
        let cleaned = request.remove_own(&own.into_iter().collect::<Vec<_>>());
        let facts = request.facts(&Needs { headers: true, ..Needs::default() });
        let seen = cleaned.and(facts.map(|facts| (text(facts.removed), text(facts.headers))));
        let (removed, headers) = seen.unwrap_or_default();
        self.note("removed", &removed);
        self.note("headers", &headers);
        Flow::Continue
    }

    fn on_response_headers(&self, (): &mut (), response: &mut Response<'_>) -> Flow {
        self.note("status", &response.status().map(shown));
        self.note("x-a", &response.first_header("x-a").map(shown));
        if response.headers().is_ok_and(|headers| headers.first("x-tick") == Some(&[self.0 as u8])) {
            response.tick_after(Duration::from_millis(10));
        }
        // Of the map that was fetched.
        self.note("x-a", &response.first_header("x-a").map(shown));
        Flow::Continue
    }

    fn on_response_trailers(&self, (): &mut (), trailers: &mut Trailers) -> TrailersFlow {
        self.note("trailer", &trailers.first("grpc-status").map(shown));
        if trailers.first("x-tick").ok().flatten() == Some(vec![self.0 as u8]) {
            trailers.tick_after(Duration::from_millis(10));
        }
        TrailersFlow::Continue
    }

    fn on_tick(&self, _background: &mut Background<'_>) {
        note(format!("{} ticks", self.0));
    }

    fn on_config_gone(&self) {
        crate::metrics::Counter::define("gone").increment();
        note(format!("{} is gone", self.0));
    }
}

impl Configure for Watches {
    /// A filter for each character of the config.
    fn configure(config: &[u8], _: &Plugin) -> Result<Vec<Self>, Problems> {
        Ok(config.iter().map(|name| Self(char::from(*name))).collect())
    }
}

fn start(names: &str) -> Proxy<Watches> {
    let proxy = Proxy::start(names);
    notes();
    proxy
}

#[test]
fn what_is_removed_is_a_fact_of_the_filter_that_removes_it() {
    let proxy = start("ab");
    proxy.request(&[("x-own-a", "1"), ("x_own_a", " 2 "), ("x-own-b", "3"), ("x", "4")]).end();
    let expected = [
        r#"a removed: ["x-own-a=1", "x_own_a=2"]"#,
        r#"a headers: ["x-own-b=3", "x=4"]"#,
        r#"b removed: ["x-own-b=3"]"#,
        r#"b headers: ["x=4"]"#,
    ];
    assert_eq!(notes(), expected);
    // What another filter has removed is none of its facts.
    proxy.request(&[("x-own-a", "1")]).end();
    assert_eq!(notes()[2..], ["b removed: []", "b headers: []"]);
    proxy.request(&[("x", "4")]).end();
    assert_eq!(notes()[..2], [r#"a removed: []"#, r#"a headers: ["x=4"]"#]);
}

#[test]
fn a_response_is_read_one_header_at_a_time_or_as_a_whole() {
    let proxy = start("ab");
    let stream = proxy.request(&[]);
    notes();
    proxy.host().reset_counts();
    stream.respond(&[(":status", "503"), ("x-a", "1")]);
    let of = |name: char| {
        [r#"status: Ok(Some("503"))"#, r#"x-a: Ok(Some("1"))"#, r#"x-a: Ok(Some("1"))"#]
            .map(|note| format!("{name} {note}"))
    };
    assert_eq!(notes(), [of('b'), of('a')].concat());
    // Once it was fetched, no filter asks for single ones.
    assert_eq!(
        proxy.host().counts(),
        "response headers: 1 get_header_map_pairs, 2 get_header_map_value [3 buffers]\n"
    );
    stream.end();
    let stream = proxy.request(&[]);
    stream.respond(&[]);
    assert!(notes().contains(&"b status: Ok(None)".to_owned()));
    stream.end();
}

#[test]
fn a_trailer_is_read_alone() {
    let proxy = start("a");
    let stream = proxy.request(&[]);
    stream.respond(&[(":status", "200")]);
    notes();
    proxy.host().reset_counts();
    stream.response_trailers(&[("x", "1"), ("grpc-status", "14")]);
    assert_eq!(notes(), [r#"a trailer: Ok(Some("14"))"#]);
    assert_eq!(proxy.host().counts(), "response trailers: 2 get_header_map_value [1 buffer]\n");
    stream.end();
}

#[test]
fn a_response_that_cannot_be_read_is_an_error() {
    let proxy = start("a");
    let stream = proxy.request(&[]);
    proxy.host().fail("get_header_map_value");
    notes();
    stream.respond(&[(":status", "200")]);
    stream.response_trailers(&[]);
    assert!(notes().contains(&"a status: Err(InternalFailure)".to_owned()));
    stream.end();
}

/// Whoever asks from a response or its trailers is the one that gets the tick, once.
#[test]
fn a_tick_comes_to_the_filter_that_has_asked() {
    let proxy = start("abc");
    for name in ["a", "b", "c"] {
        let stream = proxy.request(&[]);
        stream.respond(&[(":status", "200"), ("x-tick", name)]);
        assert_eq!(proxy.host().timer(), Some(Duration::from_millis(10)));
        notes();
        proxy.advance(Duration::from_secs(1));
        assert_eq!(notes(), [format!("{name} ticks")]);
        stream.response_trailers(&[("x-tick", name)]);
        notes();
        proxy.advance(Duration::from_secs(1));
        assert_eq!(notes(), [format!("{name} ticks")]);
        assert_eq!(proxy.host().timer(), None);
        stream.end();
    }
}

#[test]
fn a_route_is_selected_again_by_a_call_or_by_two_edits() {
    let request = |prepare: fn(&Proxy<Watches>)| {
        let proxy = start("a");
        prepare(&proxy);
        let stream = proxy.request(&[("x-route", "1")]);
        (notes(), stream.edits(), stream.request_headers().len())
    };
    let edits = ["add", "remove"].map(|edit| format!("{edit} x-mesh-filters-route-again")).to_vec();
    let good = vec!["a route: Ok(())".to_owned()];
    let offer = |proxy: &Proxy<Watches>| proxy.host().add_foreign("clear_route_cache", |_| Ok(Vec::new()));
    assert_eq!(request(offer), (good.clone(), vec![], 1));
    assert_eq!(request(|_| ()), (good.clone(), edits.clone(), 1));
    let forbid = |proxy: &Proxy<Watches>| proxy.host().fail("call_foreign_function");
    assert_eq!(request(forbid), (good, edits, 1));
    let fail = |proxy: &Proxy<Watches>| proxy.host().fail("add_header_map_value");
    assert_eq!(request(fail), (vec!["a route: Err(InternalFailure)".to_owned()], vec![], 1));
}

#[test]
fn each_filter_hears_that_its_config_is_gone() {
    let proxy = start("ab");
    proxy.configure("c").unwrap();
    assert_eq!(notes(), Vec::<String>::new());
    proxy.remove_previous_config();
    assert_eq!(notes(), ["a is gone", "b is gone"]);
    // The proxy can still be called.
    assert_eq!(proxy.host().metric("gone"), 2);
    let stream = proxy.request(&[]);
    assert_eq!(notes().len(), 2);
    stream.end();
    assert_eq!(notes(), Vec::<String>::new());
}
