//! What a config says, and what is said of one that is wrong.

mod claims;
mod keys;
mod places;
mod provider;
mod rules;

use super::{
    Action, Config, EscapedSlashes, Jwks, Location, OnJwksUnavailable, TokenCache, TokenLocation, TokenUse,
    parse,
};
use crate::crypto::Algorithm;
use mesh_policy::client_ip::ClientIp;
use mesh_policy::headers::{HeaderName, HeaderValue};
use mesh_policy::mode::Mode;
use mesh_policy::preflight::CorsPreflight;
use mesh_policy::settings::{DecisionLog, Settings};
use std::time::Duration;

/// A config with every kind of field. It must stay valid.
const CONTRACT: &str = r#"
    {
      "mode": "enforce",
      "cors_preflight": "allow",
      "providers": [
        {
          "name": "main",
          "issuer": "https://auth.example.com",
          "audiences": ["api.example.com"],
          "subjects": [{"prefix": "user-"}],
          "jwks": {"remote": {"cluster": "jwks", "host": "auth.example.com", "path": "/.well-known/jwks.json", "refresh": "5m", "timeout": "2s"}},
          "algorithms": ["RS256", "ES256"],
          "leeway": "30s",
          "require_expiration": true,
          "max_lifetime": "24h",
          "from": [{"header": "authorization", "prefix": "Bearer "}, {"cookie": "token"}, {"query": "access_token"}],
          "forward_token": true,
          "payload_header": "x-jwt-payload",
          "claims_to_headers": [{"claim": "sub", "header": "x-jwt-sub"}, {"claim": "realm_access.roles", "header": "x-jwt-roles"}]
        }
      ],
      "rules": [
        {"name": "health", "match": {"path": {"in": ["/health", "/ready"]}}, "action": "allow", "token": "none"},
        {"name": "admins", "match": {"methods": ["DELETE", "PUT"]}, "action": "allow",
         "claims": {"all": [{"claim": "role", "equals": "admin"}]}},
        {"name": "own-data", "match": {"path": {"template": "/users/{id}/*"}}, "action": "allow",
         "claims": {"any": [{"claim": "sub", "equals_path": "id"}, {"claim": "scope", "contains": "users:read"}]}},
        {"name": "no-guests", "action": "deny", "claims": {"any": [{"claim": "groups", "contains": "guest"}]}}
      ],
      "default": "deny",
      "token_cache": {"entries": 1024, "max_token_bytes": 4096}
    }
"#;

/// What is wrong with a config: nothing, or one line a problem.
#[track_caller]
fn check(config: &str, expected_problems: &str) {
    let problems = parse(config.as_bytes()).err().map(|problems| problems.to_string());
    assert_eq!(problems.unwrap_or_default(), expected_problems, "{config}");
}

#[track_caller]
fn good(config: &str) -> Config {
    parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{config}\n{problems}"))
}

const REMOTE: &str = r#""jwks": {"remote": {"cluster": "c", "host": "h", "path": "/"}}"#;
const PROVIDER: &str = r#"{"name": "p", "jwks": {"remote": {"cluster": "c", "host": "h", "path": "/"}}, "algorithms": ["RS256"]}"#;

/// A config with one provider, and these fields at the top.
fn top(fields: &str) -> String {
    format!(r#"{{"providers": [{PROVIDER}], {fields}}}"#)
}

/// A config whose one provider has these fields too.
fn provider(fields: &str) -> String {
    format!(r#"{{"providers": [{{"name": "p", {REMOTE}, "algorithms": ["RS256"], {fields}}}]}}"#)
}

/// A config with one rule, that allows, and that has these fields too.
fn rule(fields: &str) -> String {
    top(&format!(r#""rules": [{{"name": "r", "action": "allow", {fields}}}]"#))
}

/// As many as asked for of something, in a list.
fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    format!("[{}]", (0..count).map(item).collect::<Vec<_>>().join(", "))
}

fn header(name: &str) -> HeaderName {
    HeaderName::new(name).unwrap()
}

#[test]
fn a_config_has_every_default() {
    let Config {
        settings: Settings { mode, client_ip, decision_log },
        cors_preflight,
        realm,
        providers,
        rules,
        default,
        escaped_slashes,
        on_jwks_unavailable,
        max_token_bytes,
        token_cache,
        in_vm_share,
        export,
    } = good(&format!(r#"{{"providers": [{PROVIDER}]}}"#));
    assert_eq!(mode, Mode::Enforce);
    assert_eq!(decision_log, DecisionLog::Notable);
    assert_eq!(cors_preflight, CorsPreflight::Allow);
    assert_eq!(client_ip, ClientIp::default());
    assert_eq!(realm, "mesh");
    assert!(rules.is_empty());
    assert_eq!(default, Action::Deny);
    assert_eq!(escaped_slashes, EscapedSlashes::Refuse);
    assert_eq!(on_jwks_unavailable, OnJwksUnavailable::Deny);
    assert_eq!(max_token_bytes, 8192);
    assert_eq!(token_cache, TokenCache { entries: 1024, max_token_bytes: 4096 });
    assert_eq!(in_vm_share, 20);
    assert!(export.is_empty());

    let [provider] = providers.as_slice() else { panic!("one provider") };
    let super::Provider {
        name,
        issuer,
        audiences,
        subjects,
        jwks,
        algorithms,
        leeway,
        require_expiration,
        max_lifetime,
        from,
        forward_token,
        payload_header,
        claims_to_headers,
    } = provider.clone();
    assert_eq!(name, "p");
    assert_eq!(issuer, None);
    assert!(audiences.is_empty());
    assert!(subjects.is_empty());
    let Jwks::Remote(remote) = jwks else { panic!("a remote set") };
    assert_eq!(
        remote,
        super::Remote {
            cluster: "c".to_owned(),
            host: HeaderValue::text("h"),
            location: Location::KeySet(HeaderValue::text("/")),
            refresh: Duration::from_secs(300),
            timeout: Duration::from_secs(2),
            wait: Duration::from_secs(5),
        }
    );
    assert_eq!(algorithms, [Algorithm::Rs256]);
    assert_eq!(leeway, Duration::from_secs(30));
    assert!(require_expiration);
    assert_eq!(max_lifetime, None);
    assert_eq!(from, [TokenLocation::Header { name: header("authorization"), prefix: "Bearer ".into() }]);
    assert!(!forward_token);
    assert_eq!(payload_header, None);
    assert!(claims_to_headers.is_empty());
}

#[test]
fn the_contract_is_a_config() {
    let config = good(CONTRACT);
    assert_eq!((config.settings.mode, config.default), (Mode::Enforce, Action::Deny));
    let [provider] = config.providers.as_slice() else { panic!("one provider") };
    assert_eq!(provider.issuer.as_deref(), Some("https://auth.example.com"));
    assert_eq!(provider.audiences, ["api.example.com"]);
    assert_eq!(provider.subjects.len(), 1);
    assert_eq!(provider.algorithms, [Algorithm::Rs256, Algorithm::Es256]);
    assert_eq!(provider.max_lifetime, Some(Duration::from_secs(86_400)));
    assert_eq!(provider.from.len(), 3);
    assert!(provider.forward_token);
    assert_eq!(provider.payload_header, Some(header("x-jwt-payload")));
    let claims: Vec<_> = provider.claims_to_headers.iter().map(|own| own.claim.join("/")).collect();
    assert_eq!(claims, ["sub", "realm_access/roles"]);
    let tokens: Vec<_> = config.rules.iter().map(|rule| (rule.action, rule.token)).collect();
    assert_eq!(
        tokens,
        [
            (Action::Allow, TokenUse::None),
            (Action::Allow, TokenUse::Required),
            (Action::Allow, TokenUse::Required),
            (Action::Deny, TokenUse::Required),
        ]
    );
}

#[test]
fn every_field_at_the_top() {
    let config = good(&top(
        r#""mode": "shadow", "cors_preflight": "check", "client_ip": {"trusted_hops": 1}, "realm": "shop",
           "rules": [], "default": "allow", "escaped_slashes": "keep", "on_jwks_unavailable": "allow_public",
           "max_token_bytes": 256, "token_cache": {"entries": 0, "max_token_bytes": 65536},
           "in_vm_share": 100, "export": ["sub", "a.b", ["https://x.example/a", "b"]]"#,
    ));
    assert_eq!(config.settings.mode, Mode::Shadow);
    assert_eq!(config.cors_preflight, CorsPreflight::Check);
    assert_ne!(config.settings.client_ip, ClientIp::default());
    assert_eq!(config.realm, "shop");
    assert_eq!(config.default, Action::Allow);
    assert_eq!(config.escaped_slashes, EscapedSlashes::Keep);
    assert_eq!(config.on_jwks_unavailable, OnJwksUnavailable::AllowPublic);
    assert_eq!(config.max_token_bytes, 256);
    assert_eq!(config.token_cache, TokenCache { entries: 0, max_token_bytes: 65_536 });
    assert_eq!(config.in_vm_share, 100);
    assert_eq!(config.export, [vec!["sub"], vec!["a", "b"], vec!["https://x.example/a", "b"]]);
}

/// Istio turns numbers into floats, and its own fields are in camel case.
#[test]
fn numbers_may_be_floats_and_names_in_camel_case() {
    let config = good(
        r#"{"corsPreflight": "check", "clientIp": {"trustedHops": 1.0}, "escapedSlashes": "keep",
            "onJwksUnavailable": "allow_public", "maxTokenBytes": 512.0, "inVmShare": 7.0,
            "tokenCache": {"entries": 8.0, "maxTokenBytes": 1024.0},
            "providers": [{"name": "p", "jwks": {"remote": {"cluster": "c", "host": "h", "path": "/"}},
                "algorithms": ["RS256"], "requireExpiration": false, "maxLifetime": "1h", "forwardToken": true,
                "payloadHeader": "x-p", "claimsToHeaders": [{"claim": "sub", "header": "x-s"}]}],
            "rules": [{"name": "r", "action": "allow", "match": {"path": {"template": "/{id}"}},
                "claims": [{"claim": "a", "equals": 5.0}, {"claim": "a", "equalsPath": "id"},
                    {"claim": "a", "equalsHeader": "x"}, {"claim": "a", "equalsHost": true},
                    {"claim": "a", "contains": "x", "ignoreCase": true}]}]}"#,
    );
    assert_eq!(config.cors_preflight, CorsPreflight::Check);
    assert_eq!(config.escaped_slashes, EscapedSlashes::Keep);
    assert_eq!(config.on_jwks_unavailable, OnJwksUnavailable::AllowPublic);
    assert_eq!((config.max_token_bytes, config.in_vm_share), (512, 7));
    assert_eq!(config.token_cache, TokenCache { entries: 8, max_token_bytes: 1024 });
    let [provider] = config.providers.as_slice() else { panic!("one provider") };
    assert!(!provider.require_expiration && provider.forward_token);
    assert_eq!(provider.max_lifetime, Some(Duration::from_secs(3600)));
    assert_eq!(provider.own_headers().count(), 2);
    assert_eq!(config.rules.first().map(|rule| rule.matches.needs().headers), Some(true));
}

#[test]
fn an_empty_config_lacks_its_providers() {
    for config in ["", "{}", r#"{"providers": null}"#] {
        check(config, "providers: missing");
    }
    check(r#"{"providers": []}"#, "providers: found an empty array, expected at least one item");
    check(r#"{"providers": {}}"#, "providers: found an object, expected an array");
    check(r#"{"providers": ["main"]}"#, "providers[0]: found `main`, expected an object");
    check(
        r#"{"providers": [{}]}"#,
        "providers[0].name: missing\nproviders[0].jwks: missing\nproviders[0].algorithms: missing",
    );
    check("[]", "found an array, expected an object");
}

#[test]
fn several_mistakes_are_several_lines() {
    check(
        r#"{
            "mode": "enforced",
            "providers": [{"name": "main", "issuer": "", "jwks": {"remote": {"cluster": "jwks", "path": "jwks"}},
                           "algorithm": ["RS256"], "leeway": 30}],
            "rules": [{"name": "a", "action": "permit", "claims": [{"claim": "role", "equal": "admin"}]},
                      {"name": "a", "action": "deny", "providers": ["other"]}],
            "on_jwks_unavailable": "allow"
        }"#,
        "mode: found `enforced`, expected one of `enforce`, `shadow`, `off`; did you mean `enforce`?\n\
         providers[0].issuer: found ``, expected a string that is not empty\n\
         providers[0].jwks.remote.host: missing\n\
         providers[0].jwks.remote.path: found `jwks`, expected a path, as `/.well-known/jwks.json`\n\
         providers[0].algorithms: missing\n\
         providers[0].leeway: found 30, expected a duration from 0s to 1h, as \"250ms\", \"1m\" or \"1h30m\"\n\
         providers[0].algorithm: unknown field, did you mean `algorithms`?\n\
         rules[0].action: found `permit`, expected one of `allow`, `deny`\n\
         rules[0].claims[0].equal: unknown field, did you mean `equals`?\n\
         rules[1].name: found `a`, expected a name that no other rule has\n\
         on_jwks_unavailable: found `allow`, expected one of `deny`, `allow_public`",
    );
}

#[test]
fn unknown_fields() {
    check(&top(r#""rule": []"#), "rule: unknown field, did you mean `rules`?");
    check(
        &top(r#""jwks": {}"#),
        "jwks: unknown field, expected one of `mode`, `client_ip`, `decision_log`, `cors_preflight`, `realm`, `providers`, `rules`, `default`, `escaped_slashes`, `on_jwks_unavailable`, `max_token_bytes`, `token_cache`, `in_vm_share`, `export`",
    );
    check(&top(r#""mode": "shadow", "Mode": "off""#), "Mode: unknown field, did you mean `mode`?");
    check(&top(r#""mode": "shadow", "mode": "off""#), "mode: found twice, expected once");
    check(&provider(r#""audience": "a""#), "providers[0].audience: unknown field, did you mean `audiences`?");
    check(
        &rule(r#""path": "/a""#),
        "rules[0].path: unknown field, expected one of `name`, `match`, `action`, `claims`, `providers`, `token`, `mode`",
    );
    check(
        &top(r#""token_cache": {"size": 5}"#),
        "token_cache.size: unknown field, expected one of `entries`, `max_token_bytes`",
    );
}

#[test]
fn words_at_the_top() {
    check(&top(r#""mode": "on""#), "mode: found `on`, expected one of `enforce`, `shadow`, `off`");
    check(
        &top(r#""cors_preflight": "skip""#),
        "cors_preflight: found `skip`, expected one of `allow`, `check`",
    );
    check(&top(r#""default": "reject""#), "default: found `reject`, expected one of `allow`, `deny`");
    check(
        &top(r#""escaped_slashes": "decode""#),
        "escaped_slashes: found `decode`, expected one of `refuse`, `keep`",
    );
    check(
        &top(r#""on_jwks_unavailable": "allow""#),
        "on_jwks_unavailable: found `allow`, expected one of `deny`, `allow_public`",
    );
    check(
        &top(r#""client_ip": {"trusted_hops": 101}"#),
        "client_ip.trusted_hops: found 101, expected an integer from 0 to 100",
    );
}

#[test]
fn numbers_at_the_top() {
    check(&top(r#""max_token_bytes": 256"#), "");
    check(
        &top(r#""max_token_bytes": 255"#),
        "max_token_bytes: found 255, expected an integer from 256 to 65536",
    );
    check(&top(r#""max_token_bytes": 65536"#), "");
    check(
        &top(r#""max_token_bytes": 65537"#),
        "max_token_bytes: found 65537, expected an integer from 256 to 65536",
    );
    check(
        &top(r#""max_token_bytes": "8k""#),
        "max_token_bytes: found `8k`, expected an integer from 256 to 65536",
    );
    check(&top(r#""token_cache": {}"#), "");
    check(&top(r#""token_cache": {"entries": 16384}"#), "");
    check(&top(r#""token_cache": {"entries": 65536, "max_token_bytes": 65536}"#), "");
    check(
        &top(r#""token_cache": {"entries": 65537, "max_token_bytes": 255}"#),
        "token_cache.entries: found 65537, expected an integer from 0 to 65536\n\
         token_cache.max_token_bytes: found 255, expected an integer from 256 to 65536",
    );
    check(&top(r#""token_cache": 1024"#), "token_cache: found 1024, expected an object");
    check(&top(r#""in_vm_share": 1"#), "");
    check(&top(r#""in_vm_share": 0"#), "in_vm_share: found 0, expected an integer from 1 to 100");
    check(&top(r#""in_vm_share": 101"#), "in_vm_share: found 101, expected an integer from 1 to 100");
    check(&top(r#""in_vm_share": 0.5"#), "in_vm_share: found 0.5, expected an integer from 1 to 100");
}

/// It stands in quotes in a header.
#[test]
fn realms() {
    check(&top(r#""realm": "Shop (EU), api""#), "");
    check(&top(&format!(r#""realm": "{}""#, "r".repeat(128))), "");
    check(
        &top(&format!(r#""realm": "{}""#, "r".repeat(129))),
        "realm: found `rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr…`, expected 1 to 128 printable ASCII characters without `\"` and `\\`",
    );
    check(&top(r#""realm": """#), "realm: found ``, expected a string that is not empty");
    check(
        &top(r#""realm": "a\"b""#),
        "realm: found `a\\\"b`, expected 1 to 128 printable ASCII characters without `\"` and `\\`",
    );
    check(
        &top(r#""realm": "a\\b""#),
        "realm: found `a\\\\b`, expected 1 to 128 printable ASCII characters without `\"` and `\\`",
    );
    check(
        &top(r#""realm": "a\nb""#),
        "realm: found `a\\nb`, expected 1 to 128 printable ASCII characters without `\"` and `\\`",
    );
    check(
        &top(r#""realm": "ä""#),
        "realm: found `ä`, expected 1 to 128 printable ASCII characters without `\"` and `\\`",
    );
    check(&top(r#""realm": 5"#), "realm: found 5, expected a string");
}

#[test]
fn exported_claims() {
    check(&top(r#""export": "sub""#), "export: found `sub`, expected an array");
    check(
        &top(r#""export": ["a..b"]"#),
        "export[0]: found `a..b`, expected names with a dot between them, as `realm_access.roles`",
    );
    check(&top(r#""export": [""]"#), "export[0]: found ``, expected a string that is not empty");
    check(&top(r#""export": [[]]"#), "export[0]: found an empty array, expected at least one item");
    check(&top(r#""export": [["a", ""]]"#), "export[0][1]: found ``, expected a string that is not empty");
    check(&top(r#""export": [5]"#), "export[0]: found 5, expected a string or an array of strings");
    check(
        &top(r#""export": ["https://x.example/roles"]"#),
        "export[0]: found `https://x.example/roles`, expected an array of names, as [\"https://x.example/roles\"], since this one has dots",
    );
    check(&top(&format!(r#""export": {}"#, list(32, |index| format!("\"c{index}\"")))), "");
    check(
        &top(&format!(r#""export": {}"#, list(33, |index| format!("\"c{index}\"")))),
        "export: found 33 claims, expected at most 32",
    );
    check(&top(&format!(r#""export": [{}]"#, list(16, |_| "\"a\"".to_owned()))), "");
    check(
        &top(&format!(r#""export": [{}]"#, list(17, |_| "\"a\"".to_owned()))),
        "export[0]: found 17 names, expected at most 16",
    );
}

#[test]
fn numbers_of_things_are_bounded() {
    let providers = |count| {
        let provider = |index| {
            format!(r#"{{"name": "p{index}", "issuer": "i{index}", {REMOTE}, "algorithms": ["RS256"]}}"#)
        };
        format!(r#"{{"providers": {}}}"#, list(count, provider))
    };
    check(&providers(32), "");
    check(&providers(33), "providers: found 33 providers, expected at most 32");
    let rules = |count| {
        top(&format!(
            r#""rules": {}"#,
            list(count, |index| format!(r#"{{"name": "r{index}", "action": "deny"}}"#))
        ))
    };
    check(&rules(256), "");
    check(&rules(257), "rules: found 257 rules, expected at most 256");
}
