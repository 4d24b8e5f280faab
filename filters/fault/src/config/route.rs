//! What a route of a block has of the block's own config.

use super::{ATTEMPT, Config, UPSTREAM_ADDRESS};
use mesh_policy::facts::Needs;
use mesh_policy::headers::HeaderName;
use mesh_policy::key_part::KeyPart;
use mesh_policy::matching::request::RequestMatch;
use mesh_policy::routes::RouteConfig;
use mesh_policy::settings::Settings;

impl RouteConfig for Config {
    const OF_BLOCK: &'static [&'static str] = &["expires_at", "max_active", "budget", "marker", "trigger"];

    fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn needs(&self) -> Needs {
        let rules = self.rules.iter().map(|rule| rule.matches.needs());
        let excluded = self.exclude.iter().map(RequestMatch::needs);
        let parts = self.cohort.iter().flat_map(|cohort| &cohort.by);
        let mut needs = Needs::default();
        for part in rules.chain(excluded).chain(parts.map(KeyPart::needs)) {
            needs.add(&part);
        }
        // Also for the method, and for the marker.
        needs.headers |= !self.rules.is_empty() || self.trigger.is_some();
        if self.rules.iter().any(|rule| !rule.attempts.is_empty()) {
            needs.attributes.extend([UPSTREAM_ADDRESS, ATTEMPT].map(|path| path.map(str::to_owned).to_vec()));
        }
        needs
    }

    fn own_headers(&self) -> Vec<&HeaderName> {
        self.own_headers().collect()
    }
}
