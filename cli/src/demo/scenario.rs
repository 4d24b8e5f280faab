//! The commands to try and the expected responses.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde::Deserialize;

use super::endpoints::Endpoints;
use super::expect::Expect;
use super::tokens::Tokens;
use crate::{workspace, yaml};

/// The commands for all filters.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Scenario {
    /// One chapter per filter.
    pub chapters: Vec<Chapter>,
}

/// The commands for one filter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chapter {
    /// The filter's name.
    pub filter: String,
    /// The port of its listener in `demo.yaml`.
    pub listener: u16,
    /// The commands, in their order.
    pub steps: Vec<Step>,
}

/// One command.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What it demonstrates; absent if it continues the step before it.
    pub about: Option<String>,
    /// The command for a shell, with the ports of `demo.yaml` and with names for tokens.
    pub curl: String,
    /// The expected response.
    pub expect: Expect,
}

impl Scenario {
    /// Reads `envoy-configs/scenario.yaml`.
    ///
    /// # Errors
    ///
    /// The file cannot be read or does not have this form.
    pub fn load() -> anyhow::Result<Self> {
        let path = workspace::root().join("envoy-configs/scenario.yaml");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        Self::parse(&text).with_context(|| format!("in `{}`", path.display()))
    }

    /// Parses the text of such a file.
    ///
    /// # Errors
    ///
    /// It does not have this form.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        yaml::parse(text)
    }

    /// The commands with the expected responses, to be read and pasted.
    ///
    /// # Errors
    ///
    /// A command has a port or a token that the demo does not have.
    pub fn guide(&self, endpoints: &Endpoints, tokens: &Tokens) -> anyhow::Result<String> {
        let mut guide = String::new();
        for chapter in &self.chapters {
            writeln!(guide, "\n{}: http://{}\n", chapter.filter, endpoints.authority(chapter.listener)?)?;
            for step in &chapter.steps {
                if let Some(about) = &step.about {
                    writeln!(guide, "  # {about}")?;
                }
                writeln!(guide, "  {}", step.line(endpoints, tokens)?)?;
                writeln!(guide, "      {}", step.expect)?;
            }
        }
        Ok(guide)
    }
}

impl Step {
    /// The command to paste, with real addresses and tokens.
    ///
    /// # Errors
    ///
    /// It has a port or a token that the demo does not have.
    pub fn line(&self, endpoints: &Endpoints, tokens: &Tokens) -> anyhow::Result<String> {
        tokens.in_line(&endpoints.in_line(&self.curl)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::curl::Call;
    use crate::demo::keys::KeyPair;
    use crate::registry;

    fn tokens() -> Tokens {
        Tokens::mint(&KeyPair::random().unwrap()).unwrap()
    }

    #[test]
    fn every_line_is_one_that_the_check_can_run() {
        let endpoints = Endpoints::of_the_files("localhost");
        let tokens = tokens();
        for step in Scenario::load().unwrap().chapters.iter().flat_map(|chapter| &chapter.steps) {
            Call::parse(&step.line(&endpoints, &tokens).unwrap()).unwrap();
        }
    }

    #[test]
    fn every_filter_has_its_chapter() {
        let scenario = Scenario::load().unwrap();
        let chapters: Vec<_> = scenario.chapters.iter().map(|chapter| chapter.filter.as_str()).collect();
        assert_eq!(chapters, registry::names().collect::<Vec<_>>());
    }

    #[test]
    fn the_guide_names_the_ports_that_are_really_listened_on() {
        let scenario = Scenario::parse(
            "[{filter: f, listener: 10000, steps: [{about: It answers., curl: 'curl http://localhost:10000/a', expect: {status: 200}}]}]",
        )
        .unwrap();
        let endpoints = Endpoints::local([(10000, 4711)]);
        let guide = scenario.guide(&endpoints, &tokens()).unwrap();
        assert_eq!(
            guide,
            "\nf: http://localhost:4711\n\n  # It answers.\n  curl http://localhost:4711/a\n      200\n"
        );
    }

    #[test]
    fn a_misspelt_field_is_an_error() {
        assert!(Scenario::parse("[{filter: f, listener: 1, step: []}]").is_err());
    }
}
