//! Changes of an upstream's response.

use super::delay::ResponseDelay;
use crate::status::STATUSES;
use mesh_config::Form;
use mesh_config::kinds::{integer, list};
use mesh_policy::headers::HeaderName;
use mesh_policy::percent::Percentage;

const MAX_HEADERS: usize = 32;
const MAX_BYTES: u64 = 1_000_000_000;

mesh_config::object! {
    /// Changes responses of upstreams and of routes, never those with which Envoy itself reports a failure.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Response {
        /// The percentage of the rule's requests whose response is changed, with up to four decimals.
        pub percentage: Percentage = required(Percentage::kind()),
        /// The status that the response gets; a gRPC response gets it as its HTTP status. With 204, 205 or 304 it loses its
        /// body. Default: its own.
        pub status: Option<u16> = optional(integer(STATUSES)),
        /// How long the response waits. Default: not at all.
        pub delay: Option<ResponseDelay> = optional(ResponseDelay::kind()),
        /// Headers that it loses. Default: none.
        pub remove_headers: Vec<HeaderName> = default([], list(HeaderName::kind()).at_most(MAX_HEADERS, "headers")),
        /// Number of bytes that are sent of its body. A larger `content-length` is removed. Default: no bound.
        pub truncate_body: Option<u32> = optional(integer(0..=MAX_BYTES)),
    }
    check Response::check;
}

mesh_config::object! {
    /// Slows down the bodies of responses.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Throttle {
        /// The percentage of the rule's requests whose response is slowed down, with up to four decimals.
        pub percentage: Percentage = required(Percentage::kind()),
        /// The mean rate of the body, in [bursts](#throttles).
        pub bytes_per_second: u32 = required(integer(1..=MAX_BYTES)),
    }
}

impl Response {
    fn check(&self, form: &mut impl Form) -> Option<()> {
        let has_none = self.status.is_none()
            && self.delay.is_none()
            && self.remove_headers.is_empty()
            && self.truncate_body.is_none();
        if has_none {
            return form.require_one_of(&["status", "delay", "remove_headers", "truncate_body"]);
        }
        Some(())
    }
}
