//! Changes of a request's headers, and the headers as they will be.

use crate::format::Format;
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, HeaderValue, Headers};

/// The headers of a request, and what is to be changed of them.
pub(super) struct Editor<'h> {
    headers: &'h Headers,
    edits: Vec<Edit>,
}

impl<'h> Editor<'h> {
    pub(super) const fn new(headers: &'h Headers) -> Self {
        Self { headers, edits: Vec::new() }
    }

    /// The headers before any change.
    pub(super) const fn headers(&self) -> &'h Headers {
        self.headers
    }

    /// Removes a header, if the request has it.
    pub(super) fn remove(&mut self, name: &HeaderName) {
        if self.headers.first(name.as_str()).is_some() {
            self.edits.push(Edit::Remove(name.clone()));
        }
    }

    /// Removes the headers of a format.
    pub(super) fn remove_format(&mut self, format: Format) {
        format.headers().iter().for_each(|name| self.remove(name));
    }

    /// Replaces the headers of a format by others.
    pub(super) fn replace_format(&mut self, format: Format, written: Vec<(HeaderName, HeaderValue)>) {
        for name in format.headers() {
            if !written.iter().any(|(written, _)| written == name) {
                self.remove(name);
            }
        }
        self.edits.extend(written.into_iter().map(|(name, value)| Edit::Set(name, value)));
    }

    pub(super) fn set(&mut self, name: HeaderName, value: HeaderValue) {
        self.edits.push(Edit::Set(name, value));
    }

    pub(super) fn into_edits(self) -> Vec<Edit> {
        self.edits
    }
}

/// The values of a header after these edits.
pub(super) fn values_after<'a>(
    headers: &'a Headers,
    edits: &'a [Edit],
    name: &'a HeaderName,
) -> Vec<&'a [u8]> {
    let mut values: Vec<&[u8]> = headers.get(name.as_str()).collect();
    for edit in edits {
        match edit {
            Edit::Remove(removed) if removed == name => values.clear(),
            Edit::Set(set, value) if set == name => values = vec![value.as_bytes()],
            Edit::Add(added, value) if added == name => values.push(value.as_bytes()),
            _ => {}
        }
    }
    values
}
