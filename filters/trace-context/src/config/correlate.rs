//! How the calls of an application are joined.

use mesh_config::kinds::{choice, duration, integer, list};
use mesh_config::{Form, ProblemKind};
use mesh_policy::headers::HeaderName;
use std::ops::RangeInclusive;
use std::time::Duration;

const TTL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(600);
const MAX_HEADERS: usize = 32;
/// Bytes of an entry besides its headers.
pub(crate) const OVERHEAD: u64 = 200;
const MAX_TABLE_BYTES: u64 = 256 << 20;

mesh_config::object! {
    /// Joins the calls of an application that forwards only one header.
    #[derive(Clone, Debug)]
    pub struct Correlate {
        /// The request header that the application forwards. Not one that is for one message or one connection.
        pub by: HeaderName = default("x-request-id", HeaderName::kind_by(HeaderName::read_end_to_end)),
        /// Which side of the application this is.
        pub direction: Direction = default("auto", choice()),
        /// The headers that are carried over. None that is for one message or one connection, or that [grants access](#correlation). Default: those of the formats of `inject`, and `baggage`.
        pub carry: Option<Vec<HeaderName>> = optional(
            list(HeaderName::kind_by(HeaderName::read_without_access)).not_empty().at_most(MAX_HEADERS, "headers").unique("", "a header that is not named yet")
        ),
        /// How long they are kept.
        pub ttl: Duration = default("30s", duration(TTL)),
        /// For how many requests there is [room](#memory).
        pub capacity: u32 = default(16384, integer(64..=1_048_576)),
        /// Maximum size of a value. A header with a longer one is not carried.
        pub max_value_bytes: u16 = default(1024, integer(16..=8192)),
        /// Maximum size of all headers of a request together. Larger ones are not carried at all.
        pub max_entry_bytes: u16 = default(2048, integer(64..=32768)),
    }
    check Correlate::check;
}

mesh_config::choice! {
    /// Which side of the application a filter is on.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Direction {
        /// That of the listener, as the control plane says (`xds.listener_direction`).
        #[default]
        Auto = "auto",
        /// Requests to the application: their headers are stored.
        Inbound = "inbound",
        /// Requests of the application: they get the stored headers.
        Outbound = "outbound",
    }
}

/// The direction of the listener, as the control plane says.
pub(crate) const DIRECTION: [&str; 2] = ["xds", "listener_direction"];

impl Correlate {
    /// The attribute that tells the direction, if it is needed.
    pub(crate) fn attribute(&self) -> Option<Vec<String>> {
        (self.direction == Direction::Auto).then(|| DIRECTION.map(str::to_owned).to_vec())
    }

    fn check(&self, form: &mut impl Form) -> Option<()> {
        let bytes = u64::from(self.capacity) * (u64::from(self.max_entry_bytes) + OVERHEAD);
        if bytes > MAX_TABLE_BYTES {
            let message = format_args!(
                "found room for {bytes} bytes with `max_entry_bytes`, expected at most {MAX_TABLE_BYTES}"
            );
            return form.problem_at("capacity", ProblemKind::Conflict, message);
        }
        Some(())
    }
}
