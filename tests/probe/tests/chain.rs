//! A chain in an in-memory proxy: what each filter sees of messages, waits, replies, ticks and calls.

use mesh_host::testing::{Fate, Proxy, Stream};
use mesh_probe::ProbeFilter;
use std::time::Duration;

const NAMES: [&str; 3] = ["a", "b", "c"];
const LATER: Duration = Duration::from_millis(20);

fn chain(names: &[&str]) -> Proxy<ProbeFilter> {
    let proxy = Proxy::start(&serde_json::json!({"filters": names}).to_string());
    proxy.host().add_cluster("upstream");
    proxy
}

/// The values of a header, one after the other.
fn values(headers: &[(String, String)], name: &str) -> String {
    headers.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect()
}

fn passed(stream: &Stream<'_, ProbeFilter>) -> String {
    values(&stream.request_headers(), "x-passed")
}

fn returned(stream: &Stream<'_, ProbeFilter>) -> String {
    values(&stream.response_headers(), "x-returned")
}

/// The first filters of the chain, up to `position`, as they see requests and as they see responses.
fn up_to(position: usize) -> (String, String) {
    let seen = || NAMES.iter().copied().take(position + 1);
    (seen().collect(), seen().rev().collect())
}

/// How often each of the filters has counted this.
fn counts(proxy: &Proxy<ProbeFilter>, what: &str) -> [i64; 3] {
    NAMES.map(|name| proxy.host().metric(&format!("probe.{name}.{what}")))
}

#[test]
fn any_filters_in_any_order() {
    for (filters, response) in
        [(&[][..], ""), (&["a"], "a"), (&["c", "a", "b"], "bac"), (&["a", "b", "a", "a"], "aaba")]
    {
        let proxy = chain(filters);
        let stream = proxy.open(&[]);
        assert_eq!((stream.fate(), passed(&stream)), (Fate::Continued, filters.concat()));
        assert!(stream.body(b"body", false) && stream.trailers(&[("x-end", "1")]));
        assert_eq!(values(&stream.request_trailers(), "x-passed"), filters.concat());
        stream.respond(&[(":status", "200")]);
        assert!(stream.response_body(b"body", true));
        assert_eq!(returned(&stream), response);
        stream.end();
    }
}

#[test]
fn a_reply_at_each_position() {
    let proxy = chain(&NAMES);
    for (position, name) in NAMES.iter().enumerate() {
        for act in ["reply", "pause, then-reply", "reply, pause-response"] {
            let stream = proxy.open(&[(&format!("x-{name}"), act)]);
            proxy.advance(LATER);
            assert_eq!((stream.fate(), stream.reply().unwrap().status), (Fate::Replied, 418));
            assert_eq!((passed(&stream), returned(&stream)), up_to(position), "{name}: {act}");
            assert!(!stream.response_waits());
            // Nothing of the request continues behind the reply, whatever the proxy reports.
            assert!(!stream.body(b"body", false) && !stream.trailers(&[]));
            stream.end();
        }
    }
}

#[test]
fn a_wait_at_each_position() {
    let proxy = chain(&NAMES);
    for (position, name) in NAMES.iter().enumerate() {
        let stream = proxy.open(&[(&format!("x-{name}"), "pause, pause-response")]);
        assert_eq!((stream.fate(), passed(&stream)), (Fate::Waiting, NAMES[..=position].concat()));
        assert!(!stream.body(b"body", false) && !stream.trailers(&[]));
        proxy.advance(LATER);
        assert_eq!((stream.fate(), passed(&stream)), (Fate::Continued, "abc".to_owned()));
        stream.respond(&[(":status", "200")]);
        assert!(stream.response_waits() && !stream.response_body(b"body", false));
        assert_eq!(returned(&stream), NAMES[position..].iter().rev().copied().collect::<String>());
        proxy.advance(LATER);
        assert!(!stream.response_waits());
        assert_eq!(returned(&stream), "cba");
        stream.end();
        assert_eq!(proxy.host().timer(), None);
    }
}

/// Another filter of the proxy has replied, or the request has timed out.
#[test]
fn a_response_to_a_request_that_waits() {
    let proxy = chain(&NAMES);
    for (position, name) in NAMES.iter().enumerate() {
        let stream = proxy.request(&[(&format!("x-{name}"), "pause")]);
        stream.respond(&[(":status", "504")]);
        assert_eq!((passed(&stream), returned(&stream)), up_to(position));
        stream.end();
    }
}

#[test]
fn a_reply_to_trailers_passes_all_filters() {
    let proxy = chain(&NAMES);
    for name in NAMES {
        let stream = proxy.open(&[(&format!("x-{name}"), "reply-to-trailers")]);
        assert!(stream.body(b"body", false) && !stream.trailers(&[]));
        assert_eq!((stream.fate(), returned(&stream).as_str()), (Fate::Replied, "cba"));
        stream.end();
    }
}

#[test]
fn a_filter_that_wants_all_of_a_body() {
    let proxy = chain(&NAMES);
    for (name, request, response) in [("a", "bodya", "bodya"), ("c", "bodyc", "bodyc")] {
        let stream = proxy.open(&[(&format!("x-{name}"), "request-body, response-body")]);
        assert!(!stream.body(b"bo", false));
        // The trailers end the body.
        assert!(!stream.body(b"dy", false) && stream.trailers(&[]));
        assert_eq!(stream.sent_body(false), request);
        stream.respond(&[(":status", "200")]);
        assert!(!stream.response_body(b"bo", false) && stream.response_body(b"dy", true));
        assert_eq!(stream.sent_body(true), response);
        stream.end();
    }
}

/// A stream that ends, whatever it waits for, is reported once to the filters that saw its request.
#[test]
fn a_stream_that_ends_at_each_point() {
    for (position, name) in NAMES.iter().enumerate() {
        for act in ["pause", "reply", "pause, then-reply", "call, pause"] {
            let proxy = chain(&NAMES);
            proxy.request(&[(&format!("x-{name}"), act)]).end();
            let saw = [0, 1, 2].map(|filter| i64::from(filter <= position));
            assert_eq!(counts(&proxy, "gone"), saw, "{name}: {act}");
            proxy.advance(LATER);
            for call in proxy.host().calls() {
                proxy.respond(call.id, &[(":status", "200")], b"");
            }
            assert_eq!((counts(&proxy, "gone"), counts(&proxy, "woken")), (saw, [0; 3]));
            assert_eq!(proxy.host().timer(), None);
        }
        let proxy = chain(&NAMES);
        let stream = proxy.open(&[(&format!("x-{name}"), "pause-response, request-body")]);
        assert!(!stream.body(b"body", false));
        stream.respond(&[(":status", "200")]);
        assert!(stream.response_waits());
        stream.end();
        proxy.advance(LATER);
        assert_eq!(counts(&proxy, "gone"), [1; 3]);
        assert_eq!(proxy.host().timer(), None);
    }
}

#[test]
fn ticks_and_responses_go_to_the_filter_that_asked() {
    let proxy = chain(&NAMES);
    for (position, name) in NAMES.iter().enumerate() {
        proxy.request(&[(&format!("x-{name}"), "tick")]).end();
        let mine = |count| [0, 1, 2].map(|filter| i64::from(filter <= position) * count);
        proxy.advance(LATER);
        assert_eq!(counts(&proxy, "ticks"), mine(1), "{name}");
        let calls = proxy.host().calls();
        assert_eq!(calls.len(), 1);
        proxy.respond(calls[0].id, &[(":status", "200")], b"");
        assert_eq!(counts(&proxy, "answers"), mine(1), "{name}");
    }
    proxy.advance(Duration::from_secs(1));
    assert_eq!(counts(&proxy, "ticks"), [1; 3]);
}

#[test]
fn the_response_to_a_call_wakes_the_request_at_the_filter_that_sent_it() {
    let proxy = chain(&NAMES);
    for (filter, waiting, expected) in [("b", "b", 1), ("a", "b", 0)] {
        let headers = match filter == waiting {
            true => vec![("x-b", "call, pause")],
            false => vec![("x-a", "call"), ("x-b", "pause")],
        };
        let before = counts(&proxy, "woken");
        let stream = proxy.request(&headers);
        assert_eq!(stream.fate(), Fate::Waiting);
        proxy.respond(proxy.host().calls()[0].id, &[(":status", "200")], b"");
        assert_eq!(counts(&proxy, "woken")[1] - before[1], expected);
        assert_eq!(counts(&proxy, "woken")[0], 0);
        assert_eq!(stream.fate(), if expected == 1 { Fate::Continued } else { Fate::Waiting });
        stream.end();
    }
}

/// A push: the requests under way keep their chain.
#[test]
fn a_stream_keeps_the_chain_that_it_began_with() {
    let proxy = chain(&NAMES);
    let old = proxy.request(&[("x-b", "pause")]);
    proxy.configure(r#"{"filters": ["c"]}"#).unwrap();
    let new = proxy.request(&[]);
    old.respond(&[(":status", "200")]);
    new.respond(&[(":status", "200")]);
    assert_eq!((returned(&old), returned(&new)), ("ba".to_owned(), "c".to_owned()));
    old.end();
    new.end();
}

/// Without a reply the stream would wait for ever.
#[test]
fn a_stream_that_cannot_be_replied_to_is_closed() {
    let proxy = chain(&NAMES);
    proxy.host().fail("send_local_response");
    for act in ["reply", "pause, then-reply"] {
        let stream = proxy.request(&[("x-b", act)]);
        proxy.advance(LATER);
        assert_eq!(stream.fate(), Fate::Closed, "{act}");
        stream.end();
    }
}
