//! What a route of a block has of the block's own config.

use super::Config;
use mesh_policy::facts::Needs;
use mesh_policy::headers::HeaderName;
use mesh_policy::routes::RouteConfig;
use mesh_policy::settings::Settings;

impl RouteConfig for Config {
    const OF_BLOCK: &'static [&'static str] = &["expires_at", "max_active", "budget", "marker", "trigger"];

    fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn needs(&self) -> Needs {
        crate::policy::needs(self)
    }

    fn own_headers(&self) -> Vec<&HeaderName> {
        self.own_headers().collect()
    }
}
