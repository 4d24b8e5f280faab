//! Faults that requests ask for.

use super::delay::DELAY;
use crate::trigger::Secret;
use mesh_config::describe::{Defs, Shape};
use mesh_config::kinds::{choice, duration, list};
use mesh_config::{Form, Kind, ProblemKind, Value};
use mesh_policy::headers::{HeaderName, HeaderValue, trimmed};
use std::time::Duration;

mesh_config::object! {
    /// Lets requests ask for a fault. Both headers are removed from every request.
    #[derive(Clone, Debug)]
    pub struct Trigger {
        /// The request header that names the fault: `delay=500ms`, `abort=503`, or both with a comma.
        pub header: HeaderName = default("x-fault", HeaderName::kind_of_filter()),
        /// The request header with the secret.
        pub secret_header: HeaderName = default("x-fault-key", HeaderName::kind_of_filter()),
        /// The secret, 8 to 256 bytes. Whoever may read Envoy's config can see it.
        pub secret: Secret = required(SecretKind),
        /// What a request may ask for.
        pub allow: Vec<TriggerKind> = default(["delay", "abort"], list(choice()).not_empty()),
        /// A longer delay is cut to this.
        pub max_delay: Duration = default("5s", duration(DELAY)),
    }
    check Trigger::check;
}

mesh_config::choice! {
    /// A kind of fault that a request may ask for.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum TriggerKind {
        /// It waits.
        Delay = "delay",
        /// The proxy replies in place of the upstream.
        Abort = "abort",
    }
}

impl Trigger {
    fn check(&self, form: &mut impl Form) -> Option<()> {
        if self.header.is_same_variable(self.secret_header.as_str().as_bytes()) {
            return form.problem_at(
                "secret_header",
                ProblemKind::Conflict,
                "expected another header than `header`",
            );
        }
        Some(())
    }
}

/// The kind of the secret. Its messages do not have what was found: they go into logs.
struct SecretKind;

impl Kind for SecretKind {
    type Out = Secret;

    fn read(&self, value: &Value<'_>) -> Option<Secret> {
        let can_be_sent = |secret: &&str| {
            HeaderValue::new(*secret).is_some() && trimmed(secret.as_bytes()).len() == secret.len()
        };
        match value.as_string().filter(can_be_sent).and_then(Secret::new) {
            None => {
                let (least, most) = Secret::BYTES.into_inner();
                let message = format_args!(
                    "not a secret, expected a string of {least} to {most} bytes that a header can carry, without spaces at its ends"
                );
                value.problem(ProblemKind::BadPattern, message)
            }
            secret => secret,
        }
    }

    fn shape(&self, _: &mut Defs) -> Shape {
        let (least, most) = Secret::BYTES.into_inner();
        Shape::of_type("string").with("minLength", least).with("maxLength", most)
    }
}
