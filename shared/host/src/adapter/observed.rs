//! Finds out the outcome of a request.

use crate::clock;
use crate::message::{Response, Trailers};
use crate::property;
use mesh_policy::outcome::{
    Observation, Outcome, Timing, is_grpc_server_error, is_injected, is_server_error,
};
use mesh_policy::time::Nanos;

/// A request whose outcome is not known yet.
#[derive(Debug)]
pub(super) struct Observed {
    observation: Observation,
    /// When the response headers arrived, if its trailers decide on the outcome.
    answered: Option<Nanos>,
}

impl Observed {
    pub(super) const fn new(observation: Observation) -> Self {
        Self { observation, answered: None }
    }

    /// The outcome by the response headers; `None` if it is in the trailers. A status that cannot be read is no error.
    pub(super) fn on_response(&mut self, response: &Response<'_>) -> Option<Outcome> {
        let status = response.status().ok().flatten().unwrap_or_default();
        let mut is_error = is_server_error(&status);
        if self.observation.is_grpc && !is_error {
            let Some(grpc_status) = response.first_header(GRPC_STATUS).ok().flatten() else {
                self.answered = self.observation.began.and_then(|_| clock::now().ok());
                return None;
            };
            is_error = is_grpc_server_error(&grpc_status);
        }
        Some(self.outcome(is_error))
    }

    /// The outcome by the response's trailers.
    pub(super) fn on_response_trailers(&self, trailers: &Trailers) -> Outcome {
        let grpc_status = trailers.first(GRPC_STATUS).ok().flatten().unwrap_or_default();
        self.outcome(is_grpc_server_error(&grpc_status))
    }

    /// The outcome of a stream that has ended without one.
    pub(super) fn on_stream_gone(&self) -> Outcome {
        self.outcome(false)
    }

    fn outcome(&self, is_error: bool) -> Outcome {
        let Observation { subject, began, .. } = self.observation;
        let timing = began.and_then(|began| {
            let known_at = clock::now().ok()?;
            let answered = self.answered.unwrap_or(known_at);
            Some(Timing { began, took: answered.since(began), known_at })
        });
        // The details are asked for only where they matter.
        Outcome { subject, timing, is_error: is_error && !is_fault() }
    }
}

const GRPC_STATUS: &str = "grpc-status";

/// Whether the response is an injected fault.
fn is_fault() -> bool {
    let details = property::get(&["response", "code_details"]);
    details.ok().flatten().is_some_and(|details| is_injected(&details))
}
