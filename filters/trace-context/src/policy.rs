//! The decision on a request: which trace it belongs to, and what its headers are to say.

mod boundary;
mod correlate;
mod decision;
mod editor;
mod failed;
mod host_interface;
mod members;
mod metric;
mod others;
mod trace;
mod traced;

pub use metric::Metric;

use crate::config::Config;
use crate::correlation::Seeded;
use crate::format::Format;
use correlate::Correlation;
use mesh_policy::facts::Needs;
use mesh_policy::routes::RouteConfig as _;
use std::cell::Cell;

/// A config, prepared for decisions.
pub struct Policy {
    config: Config,
    needs: Needs,
    /// The formats that are read, in the order in which they count.
    readable: Vec<Format>,
    /// What correlates requests, if that is wanted.
    correlation: Option<Correlation>,
    /// Whether the log says that the direction of requests is unknown.
    has_warned: Cell<bool>,
}

impl Policy {
    /// `table`: that of the plugin, if the config correlates.
    #[must_use]
    pub fn new(config: Config, table: Option<Seeded>) -> Self {
        // What the proxy's tracer sends is its own context, whatever else a request has.
        let mut readable = config.native_tracer.clone();
        readable.extend(config.extract.iter().filter(|format| !config.is_native(**format)));
        let correlation = config
            .correlate
            .as_ref()
            .zip(table)
            .map(|(correlate, table)| Correlation::new(correlate, &config, table));
        Self {
            needs: config.settings.complete(config.needs()),
            readable,
            correlation,
            has_warned: Cell::new(false),
            config,
        }
    }

    /// The config that the policy was built from.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }
}

#[cfg(test)]
mod tests;
