//! The fields that every filter's config has.

use crate::client_ip::{ClientIp, Resolved};
use crate::facts::{Facts, Needs};
use crate::mode::Mode;
use mesh_config::kinds::choice;

mesh_config::object! {
    /// What is the same for all filters: fields at the top of every config.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Settings {
        /// Whether decisions are enforced. The more lenient of this and the own mode of a part, such as a limit or
        /// a rule, applies.
        pub mode: Mode = default("enforce", choice()),
        /// Where the client's address is found, see
        /// [trusted_hops](../rate-limit/README.md#whose-address-trusted_hops).
        pub client_ip: ClientIp = default({}, ClientIp::kind()),
        /// Which decisions are written to the filter state `wasm.<filter>_decision`.
        pub decision_log: DecisionLog = default("notable", choice()),
    }
}

impl Settings {
    /// The facts that a policy needs, with those that give the client's address if that is among them.
    #[must_use]
    pub fn complete(&self, mut needs: Needs) -> Needs {
        if needs.source {
            needs.add(&self.client_ip.needs());
        }
        needs
    }

    /// The client's address, if it is among what a policy needs.
    #[must_use]
    pub fn client(&self, needs: &Needs, facts: &Facts<'_>) -> Resolved {
        if needs.source { self.client_ip.resolve(facts) } else { Resolved::default() }
    }
}

mesh_config::choice! {
    /// Which decisions are written to the filter state.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum DecisionLog {
        /// Notable decisions only: refusals, shadow refusals, errors, limits without room, and fallbacks.
        #[default]
        Notable = "notable",
        /// The decision on every request.
        All = "all",
    }
}
