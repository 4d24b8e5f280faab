//! The state of a stream.

use mesh_policy::headers::{HeaderName, HeaderValue};

pub(crate) const NAME: HeaderName = HeaderName::from_static("x-probe-config");

/// The value of `x-probe`, and what to report on the response.
#[derive(Debug, Default)]
pub struct ProbeState {
    pub(crate) act: String,
    /// Whether it was paused before.
    pub(crate) paused: bool,
    pub(crate) report: Vec<(HeaderName, HeaderValue)>,
}

impl ProbeState {
    pub(crate) fn report(&mut self, name: &'static str, value: impl std::fmt::Display) {
        self.report.push((HeaderName::new(name).unwrap_or(NAME), HeaderValue::text(value.to_string())));
    }
}
