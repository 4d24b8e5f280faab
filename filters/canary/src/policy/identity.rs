//! What identifies the user of a request.

use mesh_policy::key_part::KeyPart;
use mesh_policy::matching::request::MatchInput;
use mesh_policy::policy::Sources;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Longest identity; a longer value identifies nobody.
const MAX_BYTES: usize = 1024;

/// The value of the first part that the request has exactly once, not empty, and not too long.
pub(super) fn known<'a>(sticky: &'a [KeyPart], request: &'a MatchInput<'_>) -> Option<Cow<'a, [u8]>> {
    let mut values = sticky.iter().filter_map(|part| part.single(request));
    values.find(|value| (1..=MAX_BYTES).contains(&value.len()))
}

/// A new identity of 128 random bits, in hexadecimal digits; `None` if the proxy has no random numbers.
pub(super) fn new(sources: &mut dyn Sources) -> Option<String> {
    let (high, low) = (sources.random()?, sources.random()?);
    let mut identity = String::with_capacity(32);
    let _infallible = write!(identity, "{high:016x}{low:016x}");
    Some(identity)
}
