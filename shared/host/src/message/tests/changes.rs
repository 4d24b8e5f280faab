//! What changes a message, and what a filter can ask about it.

use crate::body::Body;
use crate::callbacks::Callbacks;
use crate::filter::{BodyFlow, Configure, Filter, Flow, TrailersFlow};
use crate::message::{Request, Response, Trailers};
use crate::plugin::Plugin;
use crate::status::Status;
use crate::testing::Proxy;
use mesh_config::Problems;
use mesh_policy::effects::Edit;
use std::cell::RefCell;

std::thread_local! {
    static NOTES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn note(found: impl std::fmt::Debug) {
    NOTES.with_borrow_mut(|notes| notes.push(format!("{found:?}")));
}

/// Sets the status of everything, and truncates bodies to the size in its config.
struct Changes {
    status: u16,
    size: usize,
    fetches: bool,
}

impl Changes {
    fn truncate(&self, body: &mut Body) -> BodyFlow {
        note((body.truncate(self.size), body.size()));
        BodyFlow::Continue
    }
}

impl Filter for Changes {
    const NAME: &'static str = "changes";
    const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS
        .and(Callbacks::REQUEST_BODY)
        .and(Callbacks::RESPONSE_HEADERS)
        .and(Callbacks::RESPONSE_BODY);
    type Stream = ();

    fn on_request_headers(&self, (): &mut (), request: &mut Request<'_>) -> Flow {
        note((request.is_upstream(), request.edit(&Edit::Status(self.status))));
        Flow::Continue
    }

    fn on_request_body(&self, (): &mut (), body: &mut Body) -> BodyFlow {
        self.truncate(body)
    }

    fn on_response_headers(&self, (): &mut (), response: &mut Response<'_>) -> Flow {
        let _fetched = self.fetches && response.headers().is_ok();
        let edited = response.edit(&Edit::Status(self.status));
        let status = response.status().map(|status| String::from_utf8(status.unwrap_or_default()));
        note((response.end_of_stream(), edited, status));
        Flow::Continue
    }

    fn on_response_body(&self, (): &mut (), body: &mut Body) -> BodyFlow {
        self.truncate(body)
    }

    fn on_response_trailers(&self, (): &mut (), trailers: &mut Trailers) -> TrailersFlow {
        note(trailers.edit(&Edit::Status(self.status)));
        TrailersFlow::Continue
    }
}

impl Configure for Changes {
    /// `<status> <size>`, and ` fetches` if the header map is fetched.
    fn configure(config: &[u8], _: &Plugin) -> Result<Vec<Self>, Problems> {
        let config = String::from_utf8_lossy(config);
        let mut words = config.split(' ');
        let mut number = || words.next().and_then(|word| word.parse::<usize>().ok()).unwrap_or_default();
        let (status, size) = (u16::try_from(number()).unwrap_or_default(), number());
        Ok(vec![Self { status, size, fetches: config.ends_with("fetches") }])
    }
}

/// The status that arrives as 200, after an edit.
fn rewritten(status: u16, fetches: &str, failing: Option<&'static str>) -> (String, Vec<String>) {
    let proxy = Proxy::<Changes>::start(&format!("{status} 0{fetches}"));
    if let Some(failing) = failing {
        proxy.host().fail(failing);
    }
    let stream = proxy.request(&[(":path", "/")]);
    assert_eq!((stream.request_headers().len(), stream.edits().len()), (1, 0));
    NOTES.take();
    stream.respond(&[(":status", "200"), ("x", "1")]);
    let headers = stream.response_headers();
    assert_eq!(headers.len(), 2);
    stream.end();
    let status = headers.into_iter().find(|(name, _)| name == ":status");
    (status.unwrap_or_default().1, NOTES.take())
}

#[test]
fn the_status_of_a_response_is_replaced() {
    for fetches in ["", " fetches"] {
        for status in [200, 204, 304, 418, 503, 599] {
            let note = format!("(false, Ok(()), Ok(Ok(\"{status}\")))");
            assert_eq!(rewritten(status, fetches, None), (status.to_string(), vec![note]), "{fetches}");
        }
        // Envoy takes a status that it cannot read for the failure of the upstream, and 1xx for an interim response.
        for status in [0, 99, 100, 101, 199, 600, 1000, u16::MAX] {
            let note = "(false, Err(BadArgument), Ok(Ok(\"200\")))".to_owned();
            assert_eq!(rewritten(status, fetches, None), ("200".to_owned(), vec![note]), "{status}");
        }
        let note = "(false, Err(InternalFailure), Ok(Ok(\"200\")))".to_owned();
        let failing = Some("replace_header_map_value");
        assert_eq!(rewritten(503, fetches, failing), ("200".to_owned(), vec![note]));
    }
}

#[test]
fn a_request_and_trailers_have_no_status() {
    let proxy = Proxy::<Changes>::start("503 9");
    let stream = proxy.request(&[]);
    stream.respond(&[(":status", "200")]);
    proxy.host().reset_counts();
    NOTES.take();
    assert!(stream.response_trailers(&[("x-end", "1")]));
    assert_eq!((NOTES.take(), proxy.host().counts()), (vec!["Ok(())".to_owned()], String::new()));
    assert_eq!(stream.received_trailers(), [("x-end".to_owned(), "1".to_owned())]);
    stream.end();
}

#[test]
fn a_response_may_end_with_its_headers() {
    let proxy = Proxy::<Changes>::start("503 9");
    for (end, expected) in [(true, "(true, "), (false, "(false, ")] {
        let stream = proxy.request(&[]);
        NOTES.take();
        if end {
            stream.respond_without_body(&[(":status", "200")]);
        } else {
            stream.respond(&[(":status", "200")]);
        }
        assert!(NOTES.take()[0].starts_with(expected));
        stream.end();
    }
}

/// A 304 has the length of a body that does not follow.
#[test]
fn a_response_without_a_body_has_no_length_after_an_edit() {
    for fetches in ["", " fetches"] {
        let proxy = Proxy::<Changes>::start(&format!("503 9{fetches}"));
        let answered = |ends: bool| {
            let stream = proxy.request(&[]);
            let headers = [(":status", "304"), ("content-length", "5")];
            if ends {
                stream.respond_without_body(&headers)
            } else {
                stream.respond(&headers)
            }
            let names: Vec<_> = stream.response_headers().into_iter().map(|(name, _)| name).collect();
            stream.end();
            names
        };
        assert_eq!(answered(true), [":status"]);
        assert_eq!(answered(false), [":status", "content-length"]);
    }
}

/// `sent`: the parts that arrive at the receiver. `calls`: the host calls for the last one.
#[track_caller]
fn check_truncated(size: usize, parts: &[&str], sent: &str, calls: &str) {
    let proxy = Proxy::<Changes>::start(&format!("200 {size}"));
    for of_response in [false, true] {
        let stream = proxy.open(&[]);
        stream.respond(&[(":status", "200")]);
        for part in parts {
            proxy.host().reset_counts();
            let continues = match of_response {
                true => stream.response_body(part.as_bytes(), false),
                false => stream.body(part.as_bytes(), false),
            };
            assert!(continues);
        }
        assert_eq!(stream.sent_body(of_response), sent);
        let name = if of_response { "response body: " } else { "request body: " };
        let expected = if calls.is_empty() { String::new() } else { format!("{name}{calls}\n") };
        assert_eq!(proxy.host().counts(), expected);
        stream.end();
    }
}

#[test]
fn a_body_is_truncated_to_its_first_bytes() {
    check_truncated(2, &["abc"], "ab", "1 get_buffer_bytes, 1 set_buffer_bytes [1 buffer]");
    check_truncated(2, &["abc", "def"], "abde", "1 get_buffer_bytes, 1 set_buffer_bytes [1 buffer]");
    check_truncated(3, &["abc"], "abc", "");
    check_truncated(4, &["abc"], "abc", "");
    check_truncated(0, &["abc"], "", "1 set_buffer_bytes");
    check_truncated(0, &[""], "", "");
}

#[test]
fn a_body_that_cannot_be_truncated_stays_as_it_is() {
    for failing in ["get_buffer_bytes", "set_buffer_bytes"] {
        let proxy = Proxy::<Changes>::start("200 2");
        let stream = proxy.open(&[]);
        proxy.host().fail(failing);
        NOTES.take();
        stream.body(b"abc", true);
        assert_eq!(
            (stream.sent_body(false).as_str(), NOTES.take()[0].as_str()),
            ("abc", "(Err(InternalFailure), 3)")
        );
        stream.end();
    }
}

#[test]
fn a_filter_knows_whether_it_runs_for_each_attempt() {
    let proxy = Proxy::<Changes>::start("200 0");
    let asked = || {
        NOTES.take();
        proxy.request(&[]).end();
        NOTES.take().remove(0)
    };
    assert_eq!(asked(), "(Ok(false), Ok(()))");
    proxy.host().set_property(&["upstream", "address"], "192.0.2.7:80");
    assert_eq!(asked(), "(Ok(true), Ok(()))");
    proxy.host().fail("get_property");
    assert_eq!(asked(), format!("(Err({:?}), Ok(()))", Status::InternalFailure));
}
