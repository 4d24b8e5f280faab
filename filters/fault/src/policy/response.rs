//! What becomes of a response.

use super::Policy;
use super::decision::Fault;
use super::names::{FaultKind, Kinds};
use crate::config::{CountedFrom, Response};
use crate::status::has_no_content;
use crate::throttle::Throttle;
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, HeaderValue};
use mesh_policy::time::Nanos;
use std::time::Duration;

const CONTENT_LENGTH: HeaderName = HeaderName::from_static("content-length");

/// A response whose headers have arrived.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The response code details.
    pub details: &'a [u8],
    /// The status, three digits.
    pub status: &'a [u8],
    /// Its `content-length`.
    pub content_length: Option<&'a [u8]>,
    /// Whether it arrived with the marker.
    pub is_marked: bool,
    /// Whether it ends with its headers.
    pub ends: bool,
    /// When its request arrived.
    pub began: Nanos,
    /// The current time.
    pub now: Nanos,
}

/// What happens to a response.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// The kinds of faults that it gets; none: it passes untouched.
    pub kinds: Kinds,
    /// Changes of its headers.
    pub edits: Vec<Edit>,
    /// The instant until which its headers wait.
    pub until: Option<Nanos>,
    /// Maximum number of bytes of its body.
    pub max_bytes: Option<u64>,
    /// How its body is slowed down.
    pub throttle: Option<Throttle>,
}

impl Course {
    /// Whether the response is held.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.until.is_some() || self.throttle.is_some()
    }
}

impl Policy {
    /// What happens to the response to a request with this fault.
    #[must_use]
    pub fn course(&self, fault: &Fault, answer: &Answer<'_>) -> Course {
        let mut course = Course::default();
        let Some(rule) = self.rule(fault.cause) else { return course };
        if !is_faultable(answer) || (answer.is_marked && !self.config.stack) {
            return course;
        }
        if let (Some(changes), Some(response)) = (fault.response, &rule.response) {
            change(&mut course, response, changes.delay, answer);
        }
        if let Some(throttle) = rule.throttle.filter(|_| fault.is_throttled && !answer.ends) {
            course.kinds = course.kinds.with(FaultKind::Throttle);
            course.throttle = Some(Throttle::new(throttle.bytes_per_second));
        }
        if !course.kinds.is_empty() && fault.delay.is_none() {
            course.edits.extend(self.response_marker(fault.cause));
        }
        course
    }
}

/// Whether a response may be changed: an upstream or the route has sent it, rather than the proxy for a failure, and it opens
/// no tunnel.
fn is_faultable(answer: &Answer<'_>) -> bool {
    matches!(answer.details, b"via_upstream" | b"direct_response") && answer.status != b"101"
}

/// Adds the changes of a rule.
fn change(course: &mut Course, response: &Response, delay: Option<Duration>, answer: &Answer<'_>) {
    let from_request =
        response.delay.as_ref().is_some_and(|delay| delay.counted_from == CountedFrom::Request);
    let start = if from_request { answer.began } else { answer.now };
    course.until = delay.map(|delay| start.after(delay)).filter(|until| *until > answer.now);
    course.edits.extend(response.status.map(Edit::Status));
    course.edits.extend(response.remove_headers.iter().cloned().map(Edit::Remove));
    let loses_content = response.status.is_some_and(has_no_content);
    course.max_bytes = if loses_content { Some(0) } else { response.truncate_body.map(u64::from) };
    if let Some(max) = course.max_bytes {
        let length = answer.content_length;
        if response.status == Some(205) && !answer.ends {
            // Without a length the body would end with an empty chunk, and some HTTP/1 clients read none with this status.
            course.edits.push(Edit::Set(CONTENT_LENGTH, HeaderValue::text("0")));
        } else if length.is_some_and(|length| !is_at_most(length, max)) {
            course.edits.push(Edit::Remove(CONTENT_LENGTH));
        }
    }
    let only_waits =
        response.status.is_none() && response.remove_headers.is_empty() && course.max_bytes.is_none();
    if course.until.is_some() || !only_waits {
        course.kinds = course.kinds.with(FaultKind::Response);
    }
}

/// Whether a length is a number of at most `max`.
fn is_at_most(length: &[u8], max: u64) -> bool {
    let number = std::str::from_utf8(length).ok().and_then(|length| length.parse::<u64>().ok());
    number.is_some_and(|number| number <= max)
}
