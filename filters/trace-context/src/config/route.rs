//! What a route of a block has of the block's own config.

use super::{Config, Correlate};
use mesh_policy::facts::Needs;
use mesh_policy::routes::RouteConfig;
use mesh_policy::settings::Settings;

impl RouteConfig for Config {
    const OF_BLOCK: &'static [&'static str] = &["correlate"];

    fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn needs(&self) -> Needs {
        let mut needs = Needs { headers: true, ..Needs::default() };
        for rule in &self.generate.sampling_rules {
            needs.add(&rule.matches.needs());
        }
        for set in self.baggage.iter().flat_map(|baggage| &baggage.set) {
            needs.add(&set.from.needs());
        }
        needs.attributes.extend(self.correlate.iter().filter_map(Correlate::attribute));
        needs
    }
}
