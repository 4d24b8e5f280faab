//! What a user writes, read into values that can only be valid.

mod baggage;
mod correlate;
mod generate;
mod route;

pub use baggage::{Baggage, SetMember};
pub(crate) use correlate::DIRECTION;
pub use correlate::{Correlate, Direction};
pub use generate::{Generate, SamplingRule};

use crate::format::Format;
use mesh_config::kinds::{List, Word, boolean, choice, list};
use mesh_config::{Form, ProblemKind};
use mesh_policy::headers::HeaderName;
use mesh_policy::settings::Settings;

mesh_config::object! {
    /// A config of the filter.
    #[derive(Clone, Debug)]
    pub struct Config {
        /// The fields that every filter has.
        pub settings: Settings = flatten(),
        /// The formats that are read, in the order in which they count. Of several valid contexts the first one is used.
        pub extract: Vec<Format> = default(["w3c", "b3", "b3-multi"], formats()),
        /// The formats that are written.
        pub inject: Vec<Format> = default(["w3c"], formats()),
        /// The formats that Envoy's own tracer writes in this proxy. They are read before those of `extract`, and never written or removed, see
        /// [placements](#placements).
        pub native_tracer: Vec<Format> = default([], formats()),
        /// What happens to the trace that a request belongs to.
        pub boundary: Boundary = default("continue", choice()),
        /// Traces of requests that belong to none.
        pub generate: Generate = default({}, Generate::kind()),
        /// What may pass in [baggage](#baggage). Default: everything, untouched.
        pub baggage: Option<Baggage> = restriction(mesh_config::kind::some(Baggage::kind())),
        /// Tells clients the trace.
        pub response: ResponseHeader = default({}, ResponseHeader::kind()),
        /// Joins the calls of an application that forwards only one header, see [correlation](#correlation). Default: no.
        pub correlate: Option<Correlate> = optional(Correlate::kind()),
        /// Whether the trace id is written to the filter state `wasm.trace_id`, for access logs.
        pub log_trace_id: bool = default(false, boolean()),
    }
    check Config::check;
    elsewhere {
        "propagators" => "extract",
        "propagation" => "extract",
    }
}

mesh_config::choice! {
    /// What happens to the trace that a request belongs to.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Boundary {
        /// The request stays in it.
        #[default]
        Continue = "continue",
        /// The request begins a new one: what came is removed in every format, and baggage unless `baggage` is given.
        Restart = "restart",
        /// The request leaves without: everything is removed, baggage and the formats that otherwise pass untouched too.
        Strip = "strip",
    }
}

mesh_config::object! {
    /// Tells clients the trace.
    #[derive(Clone, Debug, Default)]
    pub struct ResponseHeader {
        /// The response header with the trace id, 32 hexadecimal digits, on every response. In a cluster's chain, not on the router's [local replies](#before-you-rely-on-it). Default: none.
        pub header: Option<HeaderName> = optional(HeaderName::kind_by(HeaderName::read_of_response)),
    }
}

/// Formats, each once.
fn formats() -> List<'static, Word<Format>> {
    list(choice()).unique("", "a format that is not named yet")
}

impl Config {
    /// The formats that are written: those that Envoy's tracer writes are its own.
    pub(crate) fn written(&self) -> impl Iterator<Item = Format> {
        self.inject.iter().copied().filter(|format| !self.is_native(*format))
    }

    /// Whether Envoy's tracer writes this format.
    pub(crate) fn is_native(&self, format: Format) -> bool {
        self.native_tracer.contains(&format)
    }

    /// Refuses what Envoy's tracer would undo.
    fn check(&self, form: &mut impl Form) -> Option<()> {
        if self.native_tracer.is_empty() {
            return Some(());
        }
        let fields = [
            ("boundary", self.boundary != Boundary::Continue),
            ("generate.when_missing", self.generate.when_missing),
        ];
        let mut good = Some(());
        for (field, is_undone) in fields {
            if is_undone {
                let message = "found it with `native_tracer`, expected the default: Envoy's tracer begins traces itself, and writes its own headers after the filter";
                good = form.problem_at(field, ProblemKind::Conflict, message);
            }
        }
        good
    }
}

mesh_config::root!(Config, "trace-context");

#[cfg(test)]
mod tests;
