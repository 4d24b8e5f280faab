//! How often a module calls the host.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a callback is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// A context is created.
    Create,
    /// The config is read.
    Configure,
    /// Request headers arrive.
    RequestHeaders,
    /// A part of the request's body arrives.
    RequestBody,
    /// Request trailers arrive.
    RequestTrailers,
    /// Response headers arrive.
    ResponseHeaders,
    /// A part of the response's body arrives.
    ResponseBody,
    /// Response trailers arrive.
    ResponseTrailers,
    /// The timer fires.
    Tick,
    /// A call is answered.
    CallResponse,
    /// A context is deleted.
    Delete,
}

impl Phase {
    const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Configure => "configure",
            Self::RequestHeaders => "request headers",
            Self::RequestBody => "request body",
            Self::RequestTrailers => "request trailers",
            Self::ResponseHeaders => "response headers",
            Self::ResponseBody => "response body",
            Self::ResponseTrailers => "response trailers",
            Self::Tick => "tick",
            Self::CallResponse => "call response",
            Self::Delete => "delete",
        }
    }
}

/// Host calls by phase and function.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    calls: BTreeMap<(Phase, &'static str), u32>,
    /// Those calls that returned a buffer: the host enters the VM once more for each, to allocate it.
    buffers: BTreeMap<Phase, u32>,
}

impl Counts {
    pub(super) fn call(&mut self, phase: Phase, function: &'static str) {
        *self.calls.entry((phase, function)).or_default() += 1;
    }

    pub(super) fn buffer(&mut self, phase: Phase) {
        *self.buffers.entry(phase).or_default() += 1;
    }

    /// A line for each phase with calls: its functions in alphabetical order, and the number of buffers.
    pub(super) fn text(&self) -> String {
        let mut lines: BTreeMap<Phase, Vec<String>> = BTreeMap::new();
        for ((phase, function), count) in &self.calls {
            lines.entry(*phase).or_default().push(format!("{count} {function}"));
        }
        let mut text = String::new();
        for (phase, calls) in lines {
            let _infallible = write!(text, "{}: {}", phase.name(), calls.join(", "));
            let _infallible = match self.buffers.get(&phase) {
                Some(1) => text.write_str(" [1 buffer]"),
                Some(buffers) => write!(text, " [{buffers} buffers]"),
                None => Ok(()),
            };
            text.push('\n');
        }
        text
    }
}
