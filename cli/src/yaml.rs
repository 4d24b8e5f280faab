//! YAML as Envoy reads it.

use serde::de::DeserializeOwned;

/// Parses YAML, of which JSON is a subset. Only `true` and `false` are booleans; `y` and `on` are strings, as
/// in YAML 1.2.
///
/// # Errors
///
/// The text is not YAML or no `T`. The error names the line.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> anyhow::Result<T> {
    let options = serde_saphyr::options! { strict_booleans: true };
    Ok(serde_saphyr::from_str_with_options(text, options)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn only_true_and_false_are_booleans() {
        assert_eq!(
            parse::<Value>("{a: y, b: on, c: true}").unwrap(),
            json!({"a": "y", "b": "on", "c": true})
        );
    }

    #[test]
    fn an_error_names_the_line() {
        let error = parse::<Value>("a: 1\nb: [").unwrap_err().to_string();
        assert!(error.contains("line"), "{error}");
    }
}
