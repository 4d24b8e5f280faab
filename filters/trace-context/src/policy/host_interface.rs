//! The policy as the host layer sees it.

use super::Policy;
use super::metric::Metric;
use crate::config::{self, Config, Correlate};
use crate::correlation::{Seeded, Settings as TableSettings};
use crate::format::{Format, Invalid};
use crate::summary::summary;
use mesh_config::Problems;
use mesh_policy::effects::Edit;
use mesh_policy::facts::{Facts, Needs};
use mesh_policy::headers::{Headers, Unchangeable};
use mesh_policy::label::Label;
use mesh_policy::mode::Mode;
use mesh_policy::policy::{self, Environment, Part, Setup};
use mesh_policy::settings::Settings;
use mesh_policy::store::Store;
use mesh_policy::verdict::{Count, Decision, Verdict};

/// Why members of baggage are dropped, in the order of the counters.
const REASONS: [&str; 5] = ["not_allowed", "malformed", "too_many", "too_large", "replaced"];

impl policy::Policy for Policy {
    const NAME: &'static str = "trace-context";

    const EDITS_RESPONSES: bool = true;
    const EDITS_TRAILERS: bool = true;

    type Metric = Metric;

    fn settings(&self) -> &Settings {
        &self.config.settings
    }

    fn summary(&self) -> String {
        summary(&self.config)
    }

    fn needs(&self) -> &Needs {
        &self.needs
    }

    fn label_values(&self, metric: Metric) -> Vec<Option<Vec<&str>>> {
        let is_read = |format: &Format| self.readable.contains(format);
        let is_written = |format: &Format| self.config.written().any(|written| written == *format);
        let formats = Format::ALL.iter();
        match metric {
            Metric::Extracted => formats.map(|format| is_read(format).then(|| vec![format.name()])).collect(),
            Metric::Conflict => {
                // One that is written conflicts where it cannot be written.
                let may_conflict =
                    |format: &Format| is_read(format) || (is_written(format) && format.needs_span());
                formats.map(|format| may_conflict(format).then(|| vec![format.name()])).collect()
            }
            Metric::Invalid => {
                let of_format = |format: &'static Format| {
                    let value = move |invalid: Invalid| vec![format.name(), invalid.label()];
                    Invalid::ALL.into_iter().map(move |invalid| is_read(format).then(|| value(invalid)))
                };
                formats.flat_map(of_format).collect()
            }
            Metric::Converted => {
                let from = |from: &'static Format| {
                    Format::ALL.iter().map(move |to| {
                        (is_read(from) && is_written(to) && from != to).then(|| vec![from.name(), to.name()])
                    })
                };
                formats.flat_map(from).collect()
            }
            Metric::BaggageDropped => {
                let is_counted = self.config.baggage.is_some();
                REASONS.into_iter().map(|reason| is_counted.then(|| vec![reason])).collect()
            }
            Metric::Correlated => {
                let is_counted = self.correlation.is_some();
                ["hit", "miss"].into_iter().map(|result| is_counted.then(|| vec![result])).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A name that cannot be removed is no reason to keep the others.
    fn edit_trailers(&self, trailers: &Headers) -> (Vec<Edit>, Result<(), Unchangeable>) {
        (self.trailers(trailers), Ok(()))
    }

    fn unreadable(&self, _part: Part) -> Verdict<'_, Metric> {
        let decision = Decision { label: Label::of("error"), is_notable: true };
        Verdict { counts: vec![Count::of(Metric::Failed)], decision: Some(decision), ..Verdict::default() }
    }
}

impl policy::Decide for Policy {
    type Config = Config;

    fn read(config: &[u8]) -> Result<Config, Problems> {
        config::parse(config)
    }

    fn build(config: Config, setup: &mut impl Setup) -> Result<Self, Problems> {
        let correlate = config.correlate.as_ref();
        let table = correlate.map(|correlate| table(correlate, config.settings.mode, setup)).transpose()?;
        Ok(Self::new(config, table))
    }

    fn decide(&self, facts: &Facts<'_>, environment: Environment<'_, impl Store>) -> Verdict<'_, Metric> {
        self.judge(facts, environment).unwrap_or_else(|_| policy::Policy::unreadable(self, Part::Headers))
    }
}

/// The table that the config needs. Only a config that is enforced stores anything.
fn table(correlate: &Correlate, mode: Mode, setup: &mut impl Setup) -> Result<Seeded, Problems> {
    let settings = TableSettings {
        ttl: correlate.ttl,
        capacity: correlate.capacity,
        max_value_bytes: correlate.max_value_bytes,
        max_entry_bytes: correlate.max_entry_bytes,
    };
    let scope = setup.scope().clone();
    if mode != Mode::Enforce {
        return Ok(Seeded::unknown(scope, settings));
    }
    let fresh = setup.random_key()?;
    Seeded::with(scope, settings, setup.store(), fresh)
        .map_err(|_| Problems::one("the proxy's shared data fails, and correlation needs it".to_owned()))
}
