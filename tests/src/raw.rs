//! Headers and messages in the form in which a test sends them: in order, repeated, with trailers, as raw bytes.

use bytes::Bytes;
use mesh_filters::http::{HeaderMap, HeaderName, HeaderValue};

/// A map of headers or trailers, in order.
///
/// # Panics
/// If a name or value is invalid.
#[must_use]
pub fn header_map(entries: &[(&str, &str)]) -> HeaderMap {
    let parse = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
    };
    entries.iter().map(parse).collect()
}

/// An HTTP/1 POST request in chunks, with trailers that are not announced. It asks the proxy to close the connection
/// after the response.
#[must_use]
pub fn chunked(headers: &[(&str, &str)], parts: &[Bytes], trailers: &[(&str, &str)]) -> Vec<u8> {
    let lines = |entries: &[(&str, &str)]| -> String {
        entries.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
    };
    let mut text =
        b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n".to_vec();
    text.extend(format!("{}\r\n", lines(headers)).into_bytes());
    for part in parts {
        text.extend(format!("{:x}\r\n", part.len()).into_bytes());
        text.extend(part);
        text.extend(b"\r\n");
    }
    text.extend(format!("0\r\n{}\r\n", lines(trailers)).into_bytes());
    text
}
