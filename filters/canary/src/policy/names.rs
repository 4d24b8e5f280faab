//! The labels of the filter's metrics, and the places of decisions among them.

use super::decision::Source;
use crate::config::Config;

/// Labels of one source: as it decides, as it would decide, and as it falls back.
const PER_SOURCE: usize = 3;

/// The variants of a config, and the labels of its decisions.
pub(super) struct Names {
    /// The variants of the default, the rules and the splits, each once.
    variants: Vec<String>,
    /// Kind and name, [`PER_SOURCE`] for each source: variants that an override may name, rules, splits, default.
    decisions: Vec<Option<(&'static str, String)>>,
    rules: usize,
    splits: usize,
}

impl Names {
    pub(super) fn new(config: &Config) -> Self {
        let of_rules = config.rules.iter().map(|rule| &rule.variant);
        let of_splits = config.splits.0.iter().flat_map(|split| &split.variants).map(|variant| &variant.name);
        let mut variants: Vec<String> = Vec::new();
        for variant in config.default.iter().chain(of_rules).chain(of_splits) {
            if !variants.contains(variant) {
                variants.push(variant.clone());
            }
        }
        let mut decisions = Vec::new();
        let mut push = |kind: Option<&'static str>, name: &str, fallback: bool| {
            let labels = [kind, kind.map(|_| "shadow"), kind.filter(|_| fallback).map(|_| "fallback")];
            decisions.extend(labels.map(|kind| kind.map(|kind| (kind, name.to_owned()))));
        };
        for variant in &variants {
            push(config.trusted_override.as_ref().map(|_| "override"), variant, false);
        }
        config.rules.iter().for_each(|rule| push(Some("rule"), &rule.name, false));
        config.splits.0.iter().for_each(|split| push(Some("split"), &split.name, split.guard.is_some()));
        push(Some("default"), config.default.as_deref().unwrap_or("none"), false);
        Self { variants, decisions, rules: config.rules.len(), splits: config.splits.0.len() }
    }

    /// The index of a variant that an override names.
    pub(super) fn index(&self, name: &[u8]) -> Option<usize> {
        self.variants.iter().position(|variant| variant.as_bytes() == name)
    }

    /// A variant by its index.
    pub(super) fn variant(&self, index: usize) -> Option<&str> {
        self.variants.get(index).map(String::as_str)
    }

    /// Kind and name of each decision.
    pub(super) fn decisions(&self) -> Vec<Option<Vec<&str>>> {
        let decisions = self.decisions.iter();
        decisions.map(|labels| labels.as_ref().map(|(kind, name)| vec![*kind, name.as_str()])).collect()
    }

    /// The place of a decision in [`Names::decisions`].
    pub(super) fn decision(&self, source: Source, is_shadow: bool) -> usize {
        let (source, label) = match source {
            Source::Override(variant) => (variant, 0),
            Source::Rule(rule) => (self.variants.len() + rule, 0),
            Source::Split(split) => (self.variants.len() + self.rules + split, 0),
            Source::Fallback(split) => (self.variants.len() + self.rules + split, 2),
            Source::Default => (self.variants.len() + self.rules + self.splits, 0),
        };
        source * PER_SOURCE + if is_shadow { 1 } else { label }
    }
}
