//! Manifests for Istio: each document is validated against the schema of its kind. This is stricter than an
//! API server, which silently drops unknown fields.

use serde_json::{Value, json};

/// Parses the documents of a manifest.
///
/// # Panics
/// If it is not YAML.
#[must_use]
pub fn documents(manifest: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(manifest).unwrap()
}

/// Validates a document by the schema of its kind.
///
/// # Panics
/// If there is no such schema.
#[must_use]
pub fn problems(document: &Value) -> Vec<String> {
    let same_kind =
        |schema: &Value| ["apiVersion", "kind"].iter().all(|name| schema[*name] == document[*name]);
    let schemas = documents(include_str!("manifest/schemas.yaml"));
    let Some(schema) = schemas.into_iter().find(same_kind) else {
        panic!("no schema of {} {}", document["apiVersion"], document["kind"]);
    };
    let spec = &document["spec"];
    let schema = jsonschema::draft7::new(&strict(schema["spec"].clone())).unwrap();
    let by_schema = schema.iter_errors(spec).map(|error| format!("spec{}: {error}", error.instance_path()));
    by_schema.chain(by_rule(spec)).collect()
}

/// The config that the plugin gets: integers become floats on their way through the mesh.
///
/// # Panics
/// If the document has none.
#[must_use]
pub fn plugin_config(document: &Value) -> Value {
    let spec = &document["spec"];
    let wasm = spec.get("wasm").unwrap_or(spec);
    as_floats(wasm.get("pluginConfig").unwrap().clone())
}

/// Checks that a plugin does not rely on Istio's defaults. `mode`: the traffic that it is for.
///
/// # Panics
/// If it does.
pub fn assert_explicit(document: &Value, mode: &str, fail_strategy: &str) {
    let spec = &document["spec"];
    let wasm = spec.get("wasm").unwrap_or(spec);
    assert!(spec["phase"].is_string() && spec["priority"].is_i64() && spec["selector"].is_object());
    assert_eq!(spec["match"], json!([{"mode": mode}]));
    assert_eq!(wasm["failStrategy"], fail_strategy);
    assert!(wasm["url"].as_str().unwrap().contains("@sha256:"));
}

/// Checks that a `WasmPlugin` and a `TrafficExtension` define the same plugin.
///
/// # Panics
/// If they differ.
pub fn assert_same_plugin(plugin: &Value, extension: &Value) {
    assert_eq!(plugin_config(plugin), plugin_config(extension));
    for name in ["selector", "phase", "priority", "match"] {
        assert_eq!(plugin["spec"][name], extension["spec"][name], "{name}");
    }
    for name in ["url", "failStrategy"] {
        assert_eq!(plugin["spec"][name], extension["spec"]["wasm"][name], "{name}");
    }
}

/// A schema that refuses unknown fields.
fn strict(mut schema: Value) -> Value {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(|property| *property = strict(property.take()));
        if schema.get("x-kubernetes-preserve-unknown-fields") != Some(&json!(true)) {
            schema["additionalProperties"] = json!(false);
        }
    }
    for name in ["items", "additionalProperties"] {
        if let Some(values) = schema.get_mut(name).filter(|values| values.is_object()) {
            *values = strict(values.take());
        }
    }
    schema
}

/// The rules of the schemas' `x-kubernetes-validations` that our manifests may break.
fn by_rule(spec: &Value) -> impl Iterator<Item = String> {
    let given = |names: &[&str]| names.iter().filter(|name| spec.get(**name).is_some()).count();
    let wasm = spec.get("wasm").unwrap_or(spec);
    let scheme = wasm["url"].as_str().and_then(|url| url.split_once("://")).map(|(scheme, _)| scheme);
    let rules = [
        (
            given(&["selector", "targetRef", "targetRefs"]) <= 1,
            "only one of targetRefs or selector can be set",
        ),
        (
            scheme.is_none_or(|scheme| ["http", "https", "file", "oci"].contains(&scheme)),
            "url must have schema one of [http, https, file, oci]",
        ),
    ];
    rules.into_iter().filter(|(holds, _)| !holds).map(|(_, rule)| rule.to_owned())
}

fn as_floats(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64().unwrap()),
        Value::Array(items) => items.into_iter().map(as_floats).collect(),
        Value::Object(entries) => entries.into_iter().map(|(name, value)| (name, as_floats(value))).collect(),
        other => other,
    }
}

/// The kinds of the documents that `kubectl apply -l` selects, for a selector such as
/// `mesh-filters/api!=wasm-plugin`.
///
/// # Panics
/// If the selector is malformed.
#[must_use]
pub fn selected(documents: &[Value], selector: &str) -> Vec<String> {
    let (label, value, wanted) = match (selector.split_once("!="), selector.split_once('=')) {
        (Some((label, value)), _) => (label, value, false),
        (_, Some((label, value))) => (label, value, true),
        _ => panic!("{selector}"),
    };
    let is_selected = |document: &&Value| (document["metadata"]["labels"][label] == *value) == wanted;
    documents
        .iter()
        .filter(is_selected)
        .map(|document| document["kind"].as_str().unwrap().to_owned())
        .collect()
}

/// The selectors of all `kubectl apply` commands in a text.
#[must_use]
pub fn selectors(text: &str) -> Vec<&str> {
    let lines = text.lines().filter(|line| line.contains("kubectl apply -f"));
    lines.filter_map(|line| line.split(" -l ").nth(1)?.split_whitespace().next()).collect()
}
