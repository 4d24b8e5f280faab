//! Keys of members.

use mesh_policy::headers::is_token;
use mesh_policy::path::decode_segment;

/// A key: a token (W3C Baggage, section "key"; RFC 9110, section 5.6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(Box<str>);

impl Key {
    /// A key; `None` if it is not a token.
    #[must_use]
    pub fn new(key: &str) -> Option<Self> {
        is_token(key.as_bytes()).then(|| Self(key.into()))
    }

    /// The key as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an application may read `found`, a key in a request, as this one.
    ///
    /// Libraries decode keys, some of them as forms, and remove spaces at their ends: OpenTelemetry's for Python reads
    /// `%74enant` and `+tenant` as `tenant`. Others ignore case. So all of these are the same here: a client that is to be
    /// kept from setting a member has none of them.
    #[must_use]
    pub fn may_be_read_as(&self, found: &[u8]) -> bool {
        folded(self.0.as_bytes()) == folded(found)
    }
}

/// What all readings of a key have in common: its visible characters in lower case.
fn folded(key: &[u8]) -> Vec<u8> {
    let decoded = decode_segment(key);
    let visible = decoded.iter().filter(|byte| byte.is_ascii_graphic() && **byte != b'+');
    visible.map(u8::to_ascii_lowercase).collect()
}
