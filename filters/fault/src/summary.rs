//! A config in one line, for the log.

use crate::config::Config;
use mesh_policy::summary::{list, named};

/// The mode and the rules: `mode enforce; 2 rules: chaos, slow-tail (shadow)`.
pub(crate) fn summary(config: &Config) -> String {
    let rules = list("rule", config.rules.iter().map(|rule| named(&rule.name, rule.mode)));
    let trigger = if config.trigger.is_some() { "; trigger" } else { "" };
    format!("mode {}; {rules}{trigger}", config.settings.mode)
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
        check("", "mode enforce; 0 rules");
        check(
            r#"{"mode": "shadow", "trigger": {"secret": "12345678"},
                "rules": [{"name": "a", "abort": {"percentage": 1, "status": 503}},
                          {"name": "b", "mode": "off", "throttle": {"percentage": 1, "bytes_per_second": 1}}]}"#,
            "mode shadow; 2 rules: a, b (off); trigger",
        );
    }
}
