//! What a route of a block has of the block's own config.

use super::{Boundary, Config, Correlate};
use mesh_policy::facts::Needs;
use mesh_policy::mode::Mode;
use mesh_policy::routes::{Misfit, RouteConfig};
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

    /// Without `carry`, what is carried are the formats that are written: on one route another's would be lost.
    fn complete(&mut self, own: &Self) -> Result<(), Vec<Misfit>> {
        let is_by_default = own.correlate.as_ref().is_some_and(|correlate| correlate.carry.is_none());
        let correlates = self.settings.mode != Mode::Off && self.boundary != Boundary::Strip;
        let within = |some: &Self, all: &Self| some.inject.iter().all(|format| all.inject.contains(format));
        if is_by_default && correlates && !(within(self, own) && within(own, self)) {
            return Err(vec![Misfit { path: "inject".to_owned(), message: OTHER_FORMATS.to_owned() }]);
        }
        Ok(())
    }
}

const OTHER_FORMATS: &str = "found other formats than in the block's own config, expected the same or `correlate.carry` there: \
    without it, these are what is carried";
