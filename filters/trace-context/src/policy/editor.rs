//! Changes of a request's headers, and the headers as they will be.

use crate::format::Format;
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, HeaderValue, Headers};

/// The headers of a request, and what is to be changed of them. A header that is set is changed once, whatever was to happen
/// to it before: each change costs a call to the proxy.
pub(super) struct Editor<'h> {
    /// The headers as the proxy has them.
    original: &'h Headers,
    /// The headers that are read.
    headers: &'h Headers,
    edits: Vec<Edit>,
}

impl<'h> Editor<'h> {
    /// `headers`: what the edits so far make of the original headers.
    pub(super) const fn new(original: &'h Headers, headers: &'h Headers, edits: Vec<Edit>) -> Self {
        Self { original, headers, edits }
    }

    /// The headers that are read, before any further change.
    pub(super) const fn headers(&self) -> &'h Headers {
        self.headers
    }

    /// Whether a header is not the request's own, but carried over.
    pub(super) fn is_carried(&self, name: &HeaderName) -> bool {
        self.original.first(name.as_str()).is_none() && self.headers.first(name.as_str()).is_some()
    }

    /// Removes a header, if the request has it.
    pub(super) fn remove(&mut self, name: &HeaderName) {
        self.forget(name);
        if self.original.first(name.as_str()).is_some() {
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
        written.into_iter().for_each(|(name, value)| self.set(name, value));
    }

    /// Sets a header, in place of all its values.
    pub(super) fn set(&mut self, name: HeaderName, value: HeaderValue) {
        self.forget(&name);
        self.edits.push(Edit::Set(name, value));
    }

    /// Drops what was to happen to a header.
    fn forget(&mut self, name: &HeaderName) {
        self.edits.retain(|edit| match edit {
            Edit::Set(changed, _) | Edit::Add(changed, _) | Edit::Remove(changed) => changed != name,
            Edit::Target(_) | Edit::Status(_) => true,
        });
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
