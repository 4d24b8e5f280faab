//! Any config and any request.

use proptest::prelude::*;

/// Matches that hold, do not hold or are undecided.
fn matches() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "{}",
        r#"{"headers": [{"name": "h0", "present": true}]}"#,
        r#"{"headers": [{"name": "h1", "present": true}]}"#,
        r#"{"headers": [{"name": "h2", "present": false}]}"#,
        r#"{"path": {"prefix": "/a/"}}"#,
        r#"{"not": {"path": {"prefix": "/a/"}}}"#,
    ])
}

fn mode() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just("enforce"), 1 => Just("shadow"), 1 => Just("off")]
}

/// The names of variants; two splits may share some.
fn variant() -> impl Strategy<Value = String> {
    (1..6).prop_map(|number| format!("v{number}"))
}

/// The fields of a rule, without its name.
fn rule() -> impl Strategy<Value = String> {
    (matches(), variant(), mode()).prop_map(|(matches, variant, mode)| {
        format!(r#""match": {matches}, "variant": "{variant}", "mode": "{mode}""#)
    })
}

/// The fields of a split, without its name: 3 to 5 variants, of which two have a weight; perhaps a rollout and a guard.
fn split() -> impl Strategy<Value = String> {
    let weights = prop::collection::vec(0u32..4, 1..4);
    let sticky = prop::sample::select(vec![
        "",
        r#", "sticky": [{"header": "user"}]"#,
        r#", "sticky": [{"header": "user"}, {"cookie": "c"}], "assign_cookie": {"name": "c"}"#,
        r#", "sticky": [{"query": "q"}, {"cookie": "c"}], "assign_cookie": {"name": "c"}"#,
    ]);
    let rollout = prop::option::of((0..3usize, 0u32..50, 0u32..20));
    let guard = prop::option::of((mode(), 0..3usize));
    (matches(), mode(), weights, sticky, rollout, guard).prop_map(
        |(matches, mode, mut weights, sticky, rollout, guard)| {
            weights.extend([1, 1]);
            let name = |index: usize| format!("v{}", index % weights.len() + 1);
            let variant = |(index, weight)| format!(r#"{{"name": "{}", "weight": {weight}}}"#, name(index));
            let variants: Vec<_> = weights.iter().enumerate().map(variant).collect();
            let mut split =
                format!(r#""match": {matches}, "mode": "{mode}"{sticky}, "variants": [{}]"#, variants.join(", "));
            if let Some((index, percentage, second)) = rollout {
                split += &format!(
                    r#", "rollout": {{"variant": "{}", "start": "2026-11-20T10:00:{second:02}Z",
                        "steps": [{{"percentage": {percentage}, "for": "5s"}}, {{"percentage": {}}}]}}"#,
                    name(index),
                    percentage + 50
                );
            }
            if let Some((mode, index)) = guard {
                split += &format!(
                    r#", "guard": {{"variant": "{}", "baseline": "{}", "mode": "{mode}", "max_error_percentage": 5,
                        "min_requests": 10, "window": "10s", "hold": "5s"}}"#,
                    name(index),
                    name(index + 1)
                );
            }
            split
        },
    )
}

/// A list of parts, with names.
fn list(parts: &[String]) -> String {
    let named = |(index, part)| format!(r#"{{"name": "n{index}", {part}}}"#);
    format!("[{}]", parts.iter().enumerate().map(named).collect::<Vec<_>>().join(", "))
}

/// A config, without its mode and its last brace.
pub(super) fn config() -> impl Strategy<Value = String> {
    let default =
        prop_oneof![Just("null".to_owned()), variant().prop_map(|variant| format!("\"{variant}\""))];
    let output = prop::sample::select(vec![
        "null",
        r#"{"header": "h"}"#,
        r#"{"filter_state": "f"}"#,
        r#"{"header": "h", "filter_state": "f", "response_header": "r"}"#,
    ]);
    let overriding = (matches(), prop_oneof![Just("h"), Just("o")])
        .prop_map(|(matches, header)| format!(r#"{{"header": "{header}", "match": {matches}}}"#));
    let overriding = prop_oneof![Just("null".to_owned()), overriding];
    let on_error = prop_oneof![Just("allow"), Just("deny")];
    let rules = prop::collection::vec(rule(), 0..3);
    let splits = prop::collection::vec(split(), 0..3);
    (default, output, overriding, rules, splits, on_error).prop_map(
        |(default, output, overriding, rules, splits, on_error)| {
            format!(
                r#"{{"default": {default}, "output": {output}, "trusted_override": {overriding}, "rules": {},
                    "splits": {}, "on_error": "{on_error}""#,
                list(&rules),
                list(&splits)
            )
        },
    )
}

/// A request's headers, among them ones that only the filter may set, and bytes of any kind.
pub(super) fn request() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let header = prop_oneof![
        (0u8..3).prop_map(|index| (format!("h{index}"), b"1".to_vec())),
        prop_oneof![Just("o"), Just("h")]
            .prop_flat_map(|name| variant().prop_map(move |variant| (name.to_owned(), variant.into_bytes()))),
        prop_oneof![Just("user"), Just("cookie"), Just("o"), Just("h")]
            .prop_flat_map(|name| any::<Vec<u8>>().prop_map(move |value| (name.to_owned(), value))),
        (0u8..5).prop_map(|user| ("user".to_owned(), user.to_string().into_bytes())),
        (0u8..5).prop_map(|user| ("cookie".to_owned(), format!("c={user}").into_bytes())),
        Just(("content-type".to_owned(), b"application/grpc".to_vec())),
    ];
    let path = prop_oneof![Just("/"), Just("/a/b"), Just("/b/../a/"), Just("/a/?q=1"), Just("/?q=1&q=2")];
    (path, prop::collection::vec(header, 0..5)).prop_map(|(path, mut headers)| {
        headers.push((":path".to_owned(), path.as_bytes().to_vec()));
        headers
    })
}

/// What a proxy lacks: random numbers, clock, wall clock, store.
pub(super) fn lacking() -> impl Strategy<Value = [bool; 4]> {
    prop_oneof![3 => Just([false; 4]), 1 => prop::array::uniform4(any::<bool>())]
}
