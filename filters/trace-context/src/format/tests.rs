use super::{Format, Invalid, Read, read, says, write, write_over};
use crate::context::{Decision, SpanId, TraceContext, TraceId};
use Decision::{Debug, Deferred, NotSampled, Sampled};
use mesh_policy::headers::{HeaderName, HeaderValue, Headers};

mod b3;
mod b3_multi;
mod conversions;
mod datadog;
mod gcp;
mod jaeger;
#[cfg(not(target_arch = "wasm32"))]
mod laws;
mod linear;
mod w3c;
mod xray;

/// A context; a span of zero is none.
fn context(trace: u128, span: u64, decision: Decision) -> TraceContext {
    let trace_id = TraceId::new(trace).unwrap();
    TraceContext { trace_id, span_id: SpanId::new(span), decision, is_random: false }
}

fn request(headers: &[(&str, &str)]) -> Headers {
    Headers::from_pairs(headers.iter().copied())
}

fn headers_of(written: &[(HeaderName, HeaderValue)]) -> Headers {
    Headers::from_pairs(written.iter().map(|(name, value)| (name.as_str(), value.as_bytes())))
}

fn pairs(headers: &Headers) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    headers.iter().map(|(name, value)| (text(name), text(value))).collect()
}

#[track_caller]
fn check_read(format: Format, headers: &[(&str, &str)], expected: Read) {
    assert_eq!(read(format, &request(headers)), expected, "{headers:?}");
}

#[track_caller]
fn check_invalid(format: Format, headers: &[(&str, &str)], expected: Invalid) {
    check_read(format, headers, Read::Invalid(expected));
}

/// What is read from the headers, and the headers that are written from it again.
#[track_caller]
fn check_canonical(format: Format, headers: &[(&str, &str)], expected: TraceContext) {
    check_read(format, headers, Read::Context(expected));
    let headers = request(headers);
    assert!(says(format, &headers, &expected), "{headers:?}");
    // What the format has beyond a context is taken from the headers.
    let written = write_over(format, &headers, &expected, NotSampled).unwrap();
    assert_eq!(pairs(&headers_of(&written)), pairs(&headers));
}

/// Headers that are read as `expected`, and written in another form.
#[track_caller]
fn check_written(format: Format, headers: &[(&str, &str)], written: &[(&str, &str)]) {
    let headers = request(headers);
    let Read::Context(found) = read(format, &headers) else { panic!("{headers:?}") };
    assert!(says(format, &headers, &found), "{headers:?}");
    let rewritten = write_over(format, &headers, &found, NotSampled).unwrap();
    assert_eq!(pairs(&headers_of(&rewritten)), pairs(&request(written)));
}

#[test]
fn names_are_those_of_configs() {
    let names: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
    assert_eq!(names, ["w3c", "b3", "b3-multi", "jaeger", "datadog", "xray", "gcp"]);
}

#[test]
fn labels_differ() {
    let labels: std::collections::BTreeSet<_> = Invalid::ALL.iter().map(|invalid| invalid.label()).collect();
    assert_eq!(labels.len(), Invalid::ALL.len());
}

#[test]
fn no_header_belongs_to_two_formats() {
    let names: Vec<_> = Format::ALL.iter().flat_map(|format| format.headers()).collect();
    let distinct: std::collections::BTreeSet<_> = names.iter().map(|name| name.as_str()).collect();
    assert_eq!(distinct.len(), names.len());
}

#[test]
fn a_request_without_headers_says_nothing() {
    for format in Format::ALL {
        check_read(*format, &[], Read::Missing);
        check_read(*format, &[("x-ot-span-context", "1;2;3;4"), ("sw8", "1-a-b-0-c-d-e-f")], Read::Missing);
    }
}

#[test]
fn a_repeated_header_is_invalid() {
    let context = context(0x463a_c35c_9f64_13ad_4848_5a39_53bb_6124, 7, Sampled);
    for format in Format::ALL {
        for (name, value) in write(*format, &context, NotSampled).unwrap() {
            let mut headers = headers_of(&write(*format, &context, NotSampled).unwrap());
            headers.add(&name, &value);
            assert_eq!(read(*format, &headers), Read::Invalid(Invalid::Repeated), "{}", name.as_str());
        }
    }
}
