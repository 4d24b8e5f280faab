//! A header map as received from the proxy: bytes, in order, with repeated headers.

mod credentials;
mod name;
mod spellings;
mod value;

pub use credentials::folded_credentials;
pub use name::{HeaderName, is_token};
pub use spellings::{Unchangeable, spellings, spellings_where};
pub use value::HeaderValue;

use std::ops::Range;

/// The headers of a request or response, including pseudo-headers (`:path`).
///
/// Names are in lower case, as HTTP/2 requires and Envoy ensures. Values are bytes and need not be UTF-8.
///
/// Leading and trailing spaces and tabs are not part of a value (RFC 9110, section 5.5) and are omitted: HTTP/2
/// transmits them, and HTTP/1 upstreams remove them. [`Headers::raw`] returns the original bytes.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    name: Range<usize>,
    /// The original value.
    raw: Range<usize>,
    /// The value without leading and trailing spaces and tabs. Computed once, as a client may send 60 KB of them, and
    /// each test looks at all headers.
    value: Range<usize>,
}

impl Entry {
    fn new(name: Range<usize>, raw: Range<usize>, bytes: &[u8]) -> Self {
        let original = bytes.get(raw.clone()).unwrap_or_default();
        // Few values have any.
        let has_space = matches!(original, [b' ' | b'\t', ..] | [.., b' ' | b'\t']);
        let value = if has_space {
            let start = raw.start + (original.len() - trimmed_start(original).len());
            start..start + trimmed(original).len()
        } else {
            raw.clone()
        };
        Self { name, raw, value }
    }
}

/// Headers that may be added without another allocation.
const SPARE: usize = 4;

/// The bytes are not a serialized header map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedPairs;

impl Headers {
    /// No headers.
    pub const EMPTY: Self = Self { bytes: Vec::new(), entries: Vec::new() };

    /// Parses the Proxy-Wasm serialization of a map: the number of entries, the length of each name and value (all u32,
    /// little-endian), then the names and values, each followed by a NUL. The bytes are kept, not copied.
    ///
    /// # Errors
    /// [`MalformedPairs`] if the bytes are truncated.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, MalformedPairs> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let read = |at: usize| -> Option<usize> {
            let four = bytes.get(at..at.checked_add(4)?)?;
            usize::try_from(u32::from_le_bytes(four.try_into().ok()?)).ok()
        };
        let count = read(0).ok_or(MalformedPairs)?;
        let mut start =
            count.checked_mul(8).and_then(|lengths| lengths.checked_add(4)).ok_or(MalformedPairs)?;
        if start > bytes.len() {
            return Err(MalformedPairs);
        }
        let mut span = |length: usize| -> Option<Range<usize>> {
            let end = start.checked_add(length)?;
            let span = start..end;
            start = end.checked_add(1)?;
            (start <= bytes.len()).then_some(span)
        };
        let mut entries = Vec::with_capacity(count.saturating_add(SPARE));
        for index in 0..count {
            let lengths = 4 + index * 8;
            let name = read(lengths).and_then(&mut span).ok_or(MalformedPairs)?;
            let value = read(lengths + 4).and_then(&mut span).ok_or(MalformedPairs)?;
            entries.push(Entry::new(name, value, &bytes));
        }
        Ok(Self { bytes, entries })
    }

    /// Headers from names and values, for tests and tools. Names are converted to lower case.
    pub fn from_pairs<N: AsRef<str>, V: AsRef<[u8]>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut headers = Self::default();
        for (name, value) in pairs {
            headers.push(name.as_ref().to_ascii_lowercase().as_bytes(), value.as_ref());
        }
        headers
    }

    /// All headers, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> {
        self.entries.iter().map(|entry| (self.span(&entry.name), self.span(&entry.value)))
    }

    /// All values of a header, in order. `name` must be in lower case.
    pub fn get<'a>(&'a self, name: &'a str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        let named = move |entry: &&Entry| self.is_named(entry, name);
        self.entries.iter().filter(named).map(|entry| self.span(&entry.value))
    }

    /// The first value of a header. Use [`Headers::get`] if repeated headers matter.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.entries.iter().find(|entry| self.is_named(entry, name)).map(|entry| self.span(&entry.value))
    }

    /// All values of headers that an upstream may read as this one, in order, see [`HeaderName::is_same_variable`].
    pub fn spelt_like<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(move |(found, _)| name.is_same_variable(found)).map(|(_, value)| value)
    }

    /// All original values of a header, in order, for forwarding.
    pub fn raw<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let named = move |entry: &&Entry| self.is_named(entry, name);
        self.entries.iter().filter(named).map(|entry| self.span(&entry.raw))
    }

    /// `:path`: the original request target with its query. Empty if there is none, as in a CONNECT request.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        self.raw(":path").next().unwrap_or_default()
    }

    /// `:method`; empty if there is none.
    #[must_use]
    pub fn method(&self) -> &[u8] {
        self.first(":method").unwrap_or_default()
    }

    /// `:authority` with its port; empty if there is none.
    #[must_use]
    pub fn authority(&self) -> &[u8] {
        self.first(":authority").unwrap_or_default()
    }

    /// Appends a header.
    pub fn add(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.push(name.as_str().as_bytes(), value.as_bytes());
    }

    /// Removes all values of a header. Returns how many there were.
    pub fn remove(&mut self, name: &HeaderName) -> usize {
        let before = self.entries.len();
        let (bytes, name) = (&self.bytes, name.as_str().as_bytes());
        self.entries
            .retain(|entry| entry.name.len() != name.len() || bytes.get(entry.name.clone()) != Some(name));
        before - self.entries.len()
    }

    /// The headers whose name passes, in order.
    #[must_use]
    pub fn filtered(&self, passes: impl Fn(&[u8]) -> bool) -> Self {
        let mut headers = Self::default();
        for entry in &self.entries {
            if passes(self.span(&entry.name)) {
                headers.push(self.span(&entry.name), self.span(&entry.raw));
            }
        }
        headers
    }

    /// Replaces all values of a header or pseudo-header, such as `:path`. `name` must be in lower case.
    pub fn replace(&mut self, name: &str, value: &[u8]) {
        let bytes = &self.bytes;
        self.entries.retain(|entry| bytes.get(entry.name.clone()) != Some(name.as_bytes()));
        self.push(name.as_bytes(), value);
    }

    fn push(&mut self, name: &[u8], value: &[u8]) {
        let mut append = |part: &[u8]| {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(part);
            start..self.bytes.len()
        };
        let (name, value) = (append(name), append(value));
        self.entries.push(Entry::new(name, value, &self.bytes));
    }

    /// Compares the lengths first: nearly all names differ in them.
    fn is_named(&self, entry: &Entry, name: &str) -> bool {
        entry.name.len() == name.len() && self.span(&entry.name) == name.as_bytes()
    }

    fn span(&self, span: &Range<usize>) -> &[u8] {
        self.bytes.get(span.clone()).unwrap_or_default()
    }
}

/// The value without leading and trailing spaces and tabs (`OWS` in RFC 9110, section 5.6.3).
#[must_use]
pub fn trimmed(value: &[u8]) -> &[u8] {
    let value = trimmed_start(value);
    let end = value.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    value.get(..end).unwrap_or_default()
}

fn trimmed_start(value: &[u8]) -> &[u8] {
    let start = value.iter().position(|byte| !is_space(*byte)).unwrap_or(value.len());
    value.get(start..).unwrap_or_default()
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests;
