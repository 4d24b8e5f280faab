//! Manifests as Istio takes them: each document is held against the schema of its kind, more strictly
//! than by an API server, which drops a field that it does not know without a word.

use serde_json::{Value, json};

/// The documents of a manifest.
pub(crate) fn documents(manifest: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(manifest).unwrap()
}

/// What is wrong with a document.
pub(crate) fn problems(document: &Value) -> Vec<String> {
    let same_kind =
        |schema: &Value| ["apiVersion", "kind"].iter().all(|name| schema[*name] == document[*name]);
    let schemas = documents(include_str!("schemas.yaml"));
    let Some(schema) = schemas.into_iter().find(same_kind) else {
        panic!("no schema of {} {}", document["apiVersion"], document["kind"]);
    };
    let spec = &document["spec"];
    let schema = jsonschema::draft7::new(&strict(schema["spec"].clone())).unwrap();
    let by_schema = schema.iter_errors(spec).map(|error| format!("spec{}: {error}", error.instance_path()));
    by_schema.chain(by_rule(spec)).collect()
}

/// The config that the proxy hands to the plugin: whole numbers have become floats on the way.
pub(crate) fn plugin_config(document: &Value) -> Value {
    let spec = &document["spec"];
    let wasm = spec.get("wasm").unwrap_or(spec);
    as_floats(wasm.get("pluginConfig").unwrap().clone())
}

/// That nothing is left to what Istio would otherwise choose, which is not what anyone means.
pub(crate) fn assert_explicit(document: &Value, fail_strategy: &str) {
    let spec = &document["spec"];
    let wasm = spec.get("wasm").unwrap_or(spec);
    assert!(spec["phase"].is_string() && spec["priority"].is_i64() && spec["selector"].is_object());
    assert_eq!(spec["match"], json!([{"mode": "CLIENT"}]));
    assert_eq!(wasm["failStrategy"], fail_strategy);
    assert!(wasm["url"].as_str().unwrap().contains("@sha256:"));
}

/// That a `WasmPlugin` and a `TrafficExtension` are one plugin in two spellings.
pub(crate) fn assert_same_plugin(plugin: &Value, extension: &Value) {
    assert_eq!(plugin_config(plugin), plugin_config(extension));
    for name in ["selector", "phase", "priority", "match"] {
        assert_eq!(plugin["spec"][name], extension["spec"][name], "{name}");
    }
    for name in ["url", "failStrategy"] {
        assert_eq!(plugin["spec"][name], extension["spec"]["wasm"][name], "{name}");
    }
}

/// A schema by which a field that it does not name is a problem.
fn strict(mut schema: Value) -> Value {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(|property| *property = strict(property.take()));
        if schema.get("x-kubernetes-preserve-unknown-fields") != Some(&json!(true)) {
            schema["additionalProperties"] = json!(false);
        }
    }
    if let Some(items) = schema.get_mut("items") {
        *items = strict(items.take());
    }
    schema
}

/// Those of the schemas' `x-kubernetes-validations` that a manifest of ours can break.
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

/// The kinds that `kubectl apply -l` takes of these documents, by a selector as `mesh-filters/api!=wasm-plugin`.
#[allow(dead_code, reason = "each filter's test uses what it needs")]
pub(crate) fn selected(documents: &[Value], selector: &str) -> Vec<String> {
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

/// Every selector of a `kubectl apply` in a text.
#[allow(dead_code, reason = "each filter's test uses what it needs")]
pub(crate) fn selectors(text: &str) -> Vec<&str> {
    let lines = text.lines().filter(|line| line.contains("kubectl apply -f"));
    lines.filter_map(|line| line.split(" -l ").nth(1)?.split_whitespace().next()).collect()
}
