//! What holds for any bytes.

use super::{CONTRACT, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Whatever it is, it is a config or it has problems, each a line.
fn judge(config: &[u8]) -> Result<(), TestCaseError> {
    if let Err(problems) = parse(config) {
        prop_assert!(problems.iter().count() > 0);
        prop_assert_eq!(problems.to_string().lines().count(), problems.iter().count());
    }
    Ok(())
}

fn arbitrary_json() -> impl Strategy<Value = Value> {
    const TEXTS: [&str; 12] = [
        "authorization",
        "RS256",
        "HS256",
        "1m",
        "/users/{id}",
        "id",
        "a.b",
        "shadow",
        "main",
        "*.a.b",
        "oct",
        "none",
    ];
    const NAMES: [&str; 28] = [
        "name",
        "issuer",
        "jwks",
        "inline",
        "remote",
        "keys",
        "kty",
        "k",
        "algorithms",
        "from",
        "header",
        "cookie",
        "query",
        "prefix",
        "claim",
        "all",
        "any",
        "not",
        "equals",
        "in",
        "equals_path",
        "equals_host",
        "gt",
        "match",
        "path",
        "template",
        "claims",
        "providers",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z0-9:/._({*-]{0,8}".prop_map(Value::from),
        prop::sample::select(&TEXTS[..]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let name = prop_oneof![any::<String>(), prop::sample::select(&NAMES[..]).prop_map(str::to_owned)];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Every place in a value.
fn places(value: &Value, at: &str, places: &mut Vec<String>) {
    places.push(at.to_owned());
    match value {
        Value::Object(entries) => {
            entries.iter().for_each(|(name, value)| self::places(value, &format!("{at}/{name}"), places));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, item)| self::places(item, &format!("{at}/{index}"), places));
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn bytes_are_judged(config: Vec<u8>) {
        judge(&config)?;
    }

    #[test]
    fn json_is_judged(config in arbitrary_json()) {
        judge(config.to_string().as_bytes())?;
        judge(json!({"providers": [config]}).to_string().as_bytes())?;
        judge(json!({"rules": [{"claims": config}]}).to_string().as_bytes())?;
        judge(json!({"providers": [{"jwks": {"inline": {"keys": [config]}}}]}).to_string().as_bytes())?;
    }

    /// A good config with something else in one place, which gets further than any random JSON.
    #[test]
    fn a_config_with_a_slip_is_judged(place: prop::sample::Index, slip in arbitrary_json()) {
        let mut config: Value = serde_json::from_str(CONTRACT).unwrap();
        let mut all = Vec::new();
        places(&config, "", &mut all);
        if let Some(value) = config.pointer_mut(place.get(&all).as_str()) {
            *value = slip;
        }
        judge(config.to_string().as_bytes())?;
    }

    #[test]
    fn a_config_that_is_cut_off_is_refused(end in 1..CONTRACT.trim_end().len()) {
        prop_assert!(parse(CONTRACT.as_bytes().get(..end).unwrap()).is_err());
    }
}
