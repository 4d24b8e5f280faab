//! A config in one line, for the log.

use crate::config::Config;
use mesh_policy::summary::{list, named};

/// The mode, the rules and the splits: `mode enforce; 1 rule: testers; 1 split: checkout (shadow)`.
pub(crate) fn summary(config: &Config) -> String {
    let rules = list("rule", config.rules.iter().map(|rule| named(&rule.name, rule.mode)));
    let splits = list("split", config.splits.0.iter().map(|split| named(&split.name, split.mode)));
    format!("mode {}; {rules}; {splits}", config.settings.mode)
}

#[cfg(test)]
mod tests {
    use super::summary;
    use crate::config::parse;

    #[track_caller]
    fn check(config: &str, expected: &str) {
        assert_eq!(summary(&parse(config.as_bytes()).unwrap()), expected);
    }

    #[test]
    fn configs() {
        check("", "mode enforce; 0 rules; 0 splits");
        check(
            r#"{"mode": "shadow", "rules": [{"name": "testers", "variant": "v2"}, {"name": "b", "variant": "v2", "mode": "off"}],
                "split": {"name": "checkout", "variants": [{"name": "v1", "weight": 1}, {"name": "v2", "weight": 1}]}}"#,
            "mode shadow; 2 rules: testers, b (off); 1 split: checkout",
        );
    }
}
