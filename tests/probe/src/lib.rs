//! Filters for the host layer's tests. The config chooses them:
//!
//! - `{"name": "a", "fetch": "upstream"}`: [`Probe`], which does what the request header `x-probe` says and
//!   reports in response headers `x-probe-*`, with [`Mark`] behind it;
//! - `{"filters": ["a", "b"]}`: a [`Step`] for each name.

mod acts;
mod held;
mod mark;
mod probe;
mod state;
mod step;

pub use mark::Mark;
pub use probe::Probe;
pub use step::Step;

use mesh_config::Problems;
use mesh_host::{Configure, Plugin};
use serde_json::Value;

mesh_host::any_filter! {
    /// A filter of a probe chain.
    pub enum ProbeFilter, ProbeStream, "probe" {
        Probe(Probe),
        Mark(Mark),
        Step(Step),
    }
}

impl Configure for ProbeFilter {
    fn configure(config: &[u8], plugin: &Plugin) -> Result<Vec<Self>, Problems> {
        let config: Value = match config {
            [] => Value::Null,
            config => serde_json::from_slice(config).map_err(|error| Problems::one(error.to_string()))?,
        };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(names) = config.get("filters").and_then(Value::as_array) {
            return Ok(names.iter().map(|name| Self::Step(Step::new(text(Some(name))))).collect());
        }
        plugin.tick_after(probe::TICK);
        let probe = Probe::new(text(config.get("name")), text(config.get("fetch")));
        Ok(vec![Self::Probe(probe), Self::Mark(Mark)])
    }
}
