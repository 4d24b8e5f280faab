//! A fault that a request asks for.

mod secret;

pub use secret::Secret;

use crate::status::STATUSES;
use mesh_config::parse_duration;
use std::time::Duration;

/// Longest value that is read, in bytes.
const MAX_BYTES: usize = 64;
/// The shortest delay.
const MIN_DELAY: Duration = Duration::from_millis(1);

/// What a request asks for: a delay, an abort, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// At least a millisecond, with no upper bound.
    pub delay: Option<Duration>,
    /// The status of the response, 200 to 599.
    pub abort: Option<u16>,
}

/// Reads `delay=500ms`, `abort=503`, or both in either order with a comma in between.
///
/// Spaces and tabs may be around each of them (OWS, RFC 9110, section 5.6.3). The delay is read by [`parse_duration`].
/// `None` for anything else, and for a value that is longer than 64 bytes.
#[must_use]
pub fn parse(value: &[u8]) -> Option<Asked> {
    if value.len() > MAX_BYTES {
        return None;
    }
    let mut asked = Asked { delay: None, abort: None };
    for item in str::from_utf8(value).ok()?.split(',') {
        match item.trim_matches([' ', '\t']).split_once('=')? {
            ("delay", delay) if asked.delay.is_none() => asked.delay = Some(read_delay(delay)?),
            ("abort", status) if asked.abort.is_none() => asked.abort = Some(read_status(status)?),
            _ => return None,
        }
    }
    Some(asked)
}

fn read_delay(text: &str) -> Option<Duration> {
    parse_duration(text).ok().filter(|delay| *delay >= MIN_DELAY)
}

fn read_status(text: &str) -> Option<u16> {
    // `u16::from_str` accepts a plus sign and leading zeros, for which three characters have no room.
    let three = text.len() == 3;
    text.parse().ok().filter(|status: &u16| three && STATUSES.contains(&u64::from(*status)))
}

#[cfg(test)]
mod tests;
