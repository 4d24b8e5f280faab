//! The decision.

use crate::config::{self, Config};
use mesh_config::Problems;
use mesh_policy::effects::{Edit, GrpcStatus};
use mesh_policy::facts::{Facts, Needs};
use mesh_policy::headers::{HeaderName, HeaderValue};
use mesh_policy::label::Label;
use mesh_policy::matching::request::MatchInput;
use mesh_policy::policy::{self, Decide, Environment, Part, Setup};
use mesh_policy::preflight::CorsPreflight;
use mesh_policy::reason::Class;
use mesh_policy::refusal::Refusal;
use mesh_policy::settings::Settings;
use mesh_policy::store::Store;
use mesh_policy::verdict::{Count, Verdict};

mesh_policy::reasons! {
    pub NO_HEADER: Class::new(400, GrpcStatus::InvalidArgument), "no_header", "the request lacks a required header";
}

mesh_policy::metrics! {
    /// The filter's metrics.
    pub enum Metric {
        /// Requests that lacked the header.
        Lacking: Counter, "lacking";
    }
}

/// A config, prepared for decisions.
pub struct Policy {
    config: Config,
    needs: Needs,
}

impl policy::Policy for Policy {
    const NAME: &'static str = "sample-filter";
    const EDITS_RESPONSES: bool = true;
    type Metric = Metric;

    fn settings(&self) -> &Settings {
        &self.config.settings
    }

    fn cors_preflight(&self) -> CorsPreflight {
        self.config.cors_preflight
    }

    fn needs(&self) -> &Needs {
        &self.needs
    }

    fn unreadable(&self, _part: Part) -> Verdict<'_, Metric> {
        Refusal::new(NO_HEADER, Label::of("sample_filter").about(NO_HEADER.label)).into()
    }
}

impl Decide for Policy {
    type Config = Config;

    fn read(config: &[u8]) -> Result<Config, Problems> {
        config::parse(config)
    }

    fn build(config: Config, _setup: &mut impl Setup) -> Result<Self, Problems> {
        let needs = Needs { headers: true, ..config.matches.needs() };
        Ok(Self { needs: config.settings.complete(needs), config })
    }

    fn decide(&self, facts: &Facts<'_>, _environment: Environment<'_, impl Store>) -> Verdict<'_, Metric> {
        let client = self.config.settings.client(&self.needs, facts);
        let request = MatchInput::new(facts, client.ip);
        let is_matched = self.config.matches.test(&request).is_possible();
        if is_matched && facts.headers.first(self.config.header.as_str()).is_none() {
            return Verdict {
                counts: vec![Count::of(Metric::Lacking)],
                ..policy::Policy::unreadable(self, Part::Headers)
            };
        }
        let mark = Edit::Set(HeaderName::from_static("x-sample"), HeaderValue::text("seen"));
        Verdict { response: vec![mark], ..Verdict::allowed(None) }
    }
}
