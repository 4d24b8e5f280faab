//! A config in one line, for the log.

use crate::config::{Config, Limit};
use mesh_policy::summary::{list, named};

/// The mode and the limits: `mode enforce; 2 limits: per-client, daily (shadow)`.
pub(crate) fn summary(config: &Config) -> String {
    let limit = |limit: &Limit| named(&limit.name, limit.mode);
    format!("mode {}; {}", config.settings.mode, list("limit", config.limits.iter().map(limit)))
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
        check("", "mode enforce; 0 limits");
        check(
            r#"{"mode": "shadow", "limits": [
                {"name": "per-client", "rate": {"requests": 1, "per": "1s"}},
                {"name": "daily", "mode": "off", "rate": {"requests": 1, "per": "1s"}}]}"#,
            "mode shadow; 2 limits: per-client, daily (off)",
        );
    }
}
