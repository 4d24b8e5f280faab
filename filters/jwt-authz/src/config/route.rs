//! What a route of a block has of the block's own config.

use super::Config;
use mesh_policy::facts::Needs;
use mesh_policy::headers::HeaderName;
use mesh_policy::mode::Mode;
use mesh_policy::routes::{Misfit, RouteConfig};
use mesh_policy::settings::Settings;

impl RouteConfig for Config {
    const OF_BLOCK: &'static [&'static str] =
        &["providers", "token_cache", "max_token_bytes", "in_vm_share", "export"];

    fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn needs(&self) -> Needs {
        let mut needs = Needs { headers: true, ..Needs::default() };
        for rule in self.rules.iter().filter(|rule| rule.mode != Mode::Off) {
            needs.add(&rule.matches.needs());
        }
        needs
    }

    fn own_headers(&self) -> Vec<&HeaderName> {
        self.providers.iter().flat_map(|provider| provider.own_headers()).collect()
    }

    fn complete(&mut self, own: &Self) -> Result<(), Vec<Misfit>> {
        // The same, but with the keys that are in memory already.
        self.providers.clone_from(&own.providers);
        Ok(())
    }
}
