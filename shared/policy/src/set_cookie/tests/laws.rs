//! Properties for any cookie and any value.

use super::super::{DOMAIN_PATTERN, PATH_PATTERN};
use super::{header, read};
use proptest::prelude::*;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use serde_json::{Map, Value, json};

/// The fields of a cookie's config. The values of strings are sometimes not valid.
fn configs() -> impl Strategy<Value = Value> {
    let name = "(__Secure-|__host-|__Host|)[A-Za-z0-9!#$%&'*+.^_`|~-]{0,4}";
    let fields = (
        prop::option::of((1u32..=34_560_000).prop_map(|seconds| json!(format!("{seconds}s")))),
        prop::option::of("[.]?[a-zA-Z0-9]{1,3}([.][a-z-]{1,3}){0,2}".prop_map(Value::from)),
        prop::option::of("(/|/[ -~é]{0,6})".prop_map(Value::from)),
        prop::option::of(prop::sample::select(vec!["lax", "strict", "none"]).prop_map(Value::from)),
        prop::option::of(any::<bool>().prop_map(Value::from)),
        prop::option::of(any::<bool>().prop_map(Value::from)),
    );
    (name, fields).prop_map(|(name, (max_age, domain, path, same_site, secure, http_only))| {
        let mut config = Map::new();
        config.insert("name".to_owned(), name.into());
        let fields = [
            ("max_age", max_age),
            ("domain", domain),
            ("path", path),
            ("same_site", same_site),
            ("secure", secure),
            ("http_only", http_only),
        ];
        for (field, value) in fields {
            config.extend(value.map(|value| (field.to_owned(), value)));
        }
        Value::Object(config)
    })
}

/// The config of which a header was made, with all defaults, and the value: after the algorithm of RFC 6265, section 5.2.
fn parsed(header: &str) -> (Value, String) {
    let (pair, attributes) = header.split_once(';').unwrap();
    let (name, value) = pair.split_once('=').unwrap();
    let mut config = json!({"name": name.trim(), "secure": false, "http_only": false});
    for attribute in attributes.split(';') {
        let (attribute, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let (field, value) = match attribute.trim().to_ascii_lowercase().as_str() {
            "max-age" => ("max_age", json!(format!("{}s", value.trim().parse::<u64>().unwrap()))),
            "domain" => ("domain", json!(value.trim())),
            "path" => ("path", json!(value.trim())),
            "samesite" => ("same_site", json!(value.trim().to_ascii_lowercase())),
            "secure" => ("secure", json!(true)),
            "httponly" => ("http_only", json!(true)),
            other => panic!("{other} in {header}"),
        };
        config[field] = value;
    }
    (config, value.trim().to_owned())
}

/// The text with percent-encoded bytes decoded.
fn decoded(text: &str) -> Vec<u8> {
    crate::path::decode_segment(text.as_bytes()).into_owned()
}

fn field<'v>(config: &'v Value, name: &str, default: &'v Value) -> &'v Value {
    config.get(name).unwrap_or(default)
}

proptest! {
    #[test]
    fn a_browser_reads_what_the_config_says(config in configs(), value: String) {
        let Ok(cookie) = read(&config.to_string()) else { return Ok(()) };
        let header = header(&cookie, &value);
        let mut expected = json!({"path": "/", "same_site": "lax", "secure": true, "http_only": true});
        expected.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
        let (found, encoded) = parsed(&header);
        prop_assert_eq!(found, expected, "{}", header);
        if !value.contains('%') {
            prop_assert_eq!(decoded(&encoded), value.into_bytes(), "{}", header);
        }
    }

    #[test]
    fn exactly_what_browsers_keep_is_accepted(config in configs()) {
        let (yes, slash, none) = (json!(true), json!("/"), json!(""));
        let text = |name, default| field(&config, name, default).as_str().unwrap().to_owned();
        let (name, path, domain) = (text("name", &none), text("path", &slash), text("domain", &none));
        let is_valid = !name.is_empty()
            && path.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b';')
            && domain.split('.').all(|label| !label.starts_with('-') && !label.ends_with('-'))
            && !domain.starts_with('.')
            && (domain.is_empty() || domain.split('.').next_back().unwrap().parse::<u32>().is_err());
        let secure = field(&config, "secure", &yes) == &yes;
        let lower = name.to_lowercase();
        let is_kept = (secure || !lower.starts_with("__secure-") && text("same_site", &none) != "none")
            && (!lower.starts_with("__host-") || secure && path == "/" && domain.is_empty());
        prop_assert_eq!(read(&config.to_string()).is_ok(), is_valid && is_kept, "{}", config);
    }

    #[test]
    fn no_header_has_a_control_character(config in configs(), value: String) {
        let Ok(cookie) = read(&config.to_string()) else { return Ok(()) };
        let header = header(&cookie, &value);
        prop_assert!(header.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{header:?}");
    }

    #[test]
    fn the_patterns_describe_what_is_read(
        path in "/?[ -~]{0,4}(é|\n|\x7f)?",
        domain in "([a-z.-]{0,3}|[a-z]{62,64}|[a-z][.][a-z]{62,64})[a-z1.-]{0,2}(é|\n|_)?",
    ) {
        let matches = |pattern, text: &str| {
            let pattern = PikeVM::new(pattern).unwrap();
            pattern.is_match(&mut pattern.create_cache(), text)
        };
        let is_read = |field: &str, text: &str| read(&json!({"name": "a", field: text}).to_string()).is_ok();
        prop_assert_eq!(is_read("path", &path), matches(PATH_PATTERN, &path), "{}", path);
        // The pattern does not know that a number at the end makes an address.
        if !domain.ends_with('1') {
            prop_assert_eq!(is_read("domain", &domain), matches(DOMAIN_PATTERN, &domain), "{}", domain);
        }
    }
}
