//! Keys in the config itself.

use super::super::Jwks;
use super::{check, good};

const EDWARDS: &str =
    r#"{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// 32 bytes.
const SECRET: &str = r#"{"kty": "oct", "k": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#;

fn inline(keys: &str, algorithms: &str) -> String {
    set(&format!(r#"{{"keys": {keys}}}"#), algorithms)
}

fn set(set: &str, algorithms: &str) -> String {
    format!(r#"{{"providers": [{{"name": "p", "jwks": {{"inline": {set}}}, "algorithms": {algorithms}}}]}}"#)
}

#[test]
fn keys_in_the_config() {
    let config = good(&inline(&format!("[{EDWARDS}, {SECRET}]"), r#"["EdDSA", "HS256"]"#));
    let [provider] = config.providers.as_slice() else { panic!("one provider") };
    let Jwks::Inline(set) = &provider.jwks else { panic!("an inline set") };
    assert_eq!(set.len(), 2);
    // What else a set says is nobody's mistake.
    check(&set_with_more(), "");
}

fn set_with_more() -> String {
    set(&format!(r#"{{"comment": ["ours"], "keys": [{EDWARDS}]}}"#), r#"["EdDSA"]"#)
}

/// As at a key server.
#[test]
fn spellings_of_keys() {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let key =
        |more: &str| inline(&format!(r#"[{{"kty": "OKP", "crv": "Ed25519", {more}}}]"#), r#"["EdDSA"]"#);
    check(
        &key(&format!(r#""x": "{x}=", "alg": null, "use": null, "kid": null, "key_ops": null, "d": null"#)),
        "",
    );
    check(&key(&format!(r#""x": "{x}", "use": "jwt-svid""#)), "");
    check(&key(&format!(r#""x": "{x}==""#)), "providers[0].jwks.inline.keys[0]: `x` is not base64url");
    check(
        &key(&format!(r#""x": "{x}", "use": "x509-svid""#)),
        "providers[0].jwks.inline.keys[0]: `use` is `x509-svid`, expected `sig` or `jwt-svid`",
    );
}

/// At a key server they are skipped.
#[test]
fn keys_that_cannot_be_used() {
    check(
        &inline(
            &format!(r#"[{EDWARDS}, {{"kty": "RSA"}}, {{"kty": "EC", "crv": "P-521"}}, 7]"#),
            r#"["EdDSA"]"#,
        ),
        "providers[0].jwks.inline.keys[1]: `n` is missing\n\
         providers[0].jwks.inline.keys[2]: `crv` is `P-521`, expected `P-256` or `P-384`\n\
         providers[0].jwks.inline.keys[3]: expected an object",
    );
    check(
        &inline(r#"[{"kty": "OKP", "crv": "Ed448"}, {}]"#, r#"["EdDSA"]"#),
        "providers[0].jwks.inline.keys[0]: `crv` is `Ed448`, expected `Ed25519`\n\
         providers[0].jwks.inline.keys[1]: `kty` is missing",
    );
    check(
        &inline(
            r#"[{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                 "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]"#,
            r#"["EdDSA"]"#,
        ),
        "providers[0].jwks.inline.keys[0]: found a private key (`d`), expected its public part only",
    );
    check(
        &inline(r#"[{"kty": "oct", "k": "c2hvcnQ"}]"#, r#"["HS256"]"#),
        "providers[0].jwks.inline.keys[0]: `k` has 5 bytes, expected at least 32",
    );
}

#[test]
fn what_is_no_set() {
    check(&set("{}", r#"["EdDSA"]"#), "providers[0].jwks.inline: expected an object with an array `keys`");
    check(&set("[]", r#"["EdDSA"]"#), "providers[0].jwks.inline: expected an object with an array `keys`");
    check(
        &set(r#""keys""#, r#"["EdDSA"]"#),
        "providers[0].jwks.inline: expected an object with an array `keys`",
    );
    check(&inline("{}", r#"["EdDSA"]"#), "providers[0].jwks.inline: expected an object with an array `keys`");
    check(&inline("[]", r#"["EdDSA"]"#), "providers[0].jwks.inline: no key can be used");
    check(
        &set(&format!(r#"{{"keys": [{EDWARDS}], "keys": []}}"#), r#"["EdDSA"]"#),
        "providers[0].jwks.inline: found a name twice in an object, expected once",
    );
    check(
        &inline(r#"[{"kty": "OKP", "kty": "oct"}]"#, r#"["EdDSA"]"#),
        "providers[0].jwks.inline: found a name twice in an object, expected once",
    );
}

#[test]
fn an_algorithm_without_a_key() {
    check(
        &inline(&format!("[{EDWARDS}]"), r#"["EdDSA", "RS256"]"#),
        "providers[0].algorithms[1]: found `RS256`, expected an algorithm of an inline key",
    );
    // A secret is at least as long as the hash.
    check(
        &inline(&format!("[{SECRET}]"), r#"["HS256", "HS384"]"#),
        "providers[0].algorithms[1]: found `HS384`, expected an algorithm of an inline key; a secret must be as long as the hash",
    );
    check(
        &inline(&format!("[{SECRET}]"), r#"["RS256"]"#),
        "providers[0].algorithms[0]: found `RS256`, expected an algorithm of an inline key",
    );
}

#[test]
fn the_number_of_keys_is_bounded() {
    let keys = |count| inline(&super::list(count, |_| EDWARDS.to_owned()), r#"["EdDSA"]"#);
    check(&keys(256), "");
    check(
        &keys(300),
        "providers[0].jwks.inline.keys[256]: found 300 keys, expected at most 256: the rest is not looked at",
    );
}
