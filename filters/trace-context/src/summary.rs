//! A config in one line, for the log.

use crate::config::Config;
use crate::format::Format;

/// The mode and the formats: `mode enforce; w3c, b3 -> w3c; correlating`.
pub(crate) fn summary(config: &Config) -> String {
    let names =
        |formats: &[Format]| formats.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ");
    let correlating = if config.correlate.is_some() { "; correlating" } else { "" };
    let (extract, inject) = (names(&config.extract), names(&config.inject));
    format!("mode {}; {extract} -> {inject}{correlating}", config.settings.mode)
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
        check("", "mode enforce; w3c, b3, b3-multi -> w3c");
        check(
            r#"{"mode": "shadow", "extract": ["b3"], "inject": [], "correlate": {}}"#,
            "mode shadow; b3 -> ; correlating",
        );
    }
}
