//! What was stored under an id.

use super::headers::Headers;
use std::ops::Range;

/// What was stored under an id: the headers of one request, at least one.
#[derive(Clone, Debug)]
pub struct Entry {
    record: Vec<u8>,
    /// Where the headers are in the record.
    headers: Range<usize>,
}

impl Entry {
    pub(super) const fn new(record: Vec<u8>, headers: Range<usize>) -> Self {
        Self { record, headers }
    }

    /// The headers.
    #[must_use]
    pub fn iter(&self) -> Headers<'_> {
        Headers::read(self.record.get(self.headers.clone()).unwrap_or_default())
    }
}

impl<'a> IntoIterator for &'a Entry {
    type Item = (&'a [u8], &'a [u8]);
    type IntoIter = Headers<'a>;

    fn into_iter(self) -> Headers<'a> {
        self.iter()
    }
}
