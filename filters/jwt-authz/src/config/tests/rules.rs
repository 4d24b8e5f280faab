//! The fields of a rule.

use super::super::{Action, ProviderId, ProviderSet, Rule, TokenUse};
use super::{PROVIDER, REMOTE, check, good, provider, rule, top};
use mesh_policy::facts::Needs;
use mesh_policy::mode::Mode;

fn rules(rules: &str) -> String {
    top(&format!(r#""rules": {rules}"#))
}

#[test]
fn a_rule_has_every_default() {
    let config = good(&rules(r#"[{"name": "r", "action": "allow"}]"#));
    let [found] = config.rules.as_slice() else { panic!("one rule") };
    let Rule { name, matches, action, token, claims, providers, mode } = found.clone();
    assert_eq!(name, "r");
    assert_eq!(matches.needs(), Needs::default());
    assert_eq!(action, Action::Allow);
    assert_eq!(token, TokenUse::Required);
    assert!(claims.is_none());
    assert_eq!(providers, ProviderSet::ALL);
    assert_eq!(mode, Mode::Enforce);
}

/// `required`, but `none` for a deny rule that asks nothing of a token.
#[test]
fn whether_a_rule_looks_at_the_token() {
    #[track_caller]
    fn check_token(fields: &str, expected: TokenUse) {
        let config = good(&rules(&format!(r#"[{{"name": "r", {fields}}}]"#)));
        assert_eq!(config.rules.first().map(|rule| rule.token), Some(expected), "{fields}");
    }
    const CLAIMS: &str = r#""claims": {"claim": "a", "present": true}"#;
    check_token(r#""action": "allow""#, TokenUse::Required);
    check_token(&format!(r#""action": "allow", {CLAIMS}"#), TokenUse::Required);
    check_token(r#""action": "deny""#, TokenUse::None);
    check_token(&format!(r#""action": "deny", {CLAIMS}"#), TokenUse::Required);
    check_token(r#""action": "deny", "providers": ["p"]"#, TokenUse::Required);
    for (word, token) in [("optional", TokenUse::Optional), ("required", TokenUse::Required)] {
        for action in ["allow", "deny"] {
            check_token(&format!(r#""action": "{action}", "token": "{word}""#), token);
            check_token(&format!(r#""action": "{action}", "token": "{word}", {CLAIMS}"#), token);
        }
    }
    check_token(r#""action": "allow", "token": "none""#, TokenUse::None);
    check_token(r#""action": "deny", "token": "none""#, TokenUse::None);
}

#[test]
fn what_is_no_rule() {
    check(&rules("{}"), "rules: found an object, expected an array");
    check(&rules("[null]"), "rules[0]: found null, expected an object");
    check(
        &rules("[{}]"),
        "rules[0].name: missing\n\
         rules[0].action: missing",
    );
    check(
        &rules(r#"[{"name": "a b", "action": "ALLOW"}]"#),
        "rules[0].name: found `a b`, expected 1 to 64 letters, digits, `_`, `-` or `.`\n\
         rules[0].action: found `ALLOW`, expected one of `allow`, `deny`; did you mean `allow`?",
    );
    check(
        &rules(r#"[{"name": "a", "action": "allow"}, {"name": "a", "action": "deny"}]"#),
        "rules[1].name: found `a`, expected a name that no other rule has",
    );
    check(
        &rule(r#""token": "maybe""#),
        "rules[0].token: found `maybe`, expected one of `none`, `optional`, `required`",
    );
    check(
        &rule(r#""token": false"#),
        "rules[0].token: found false, expected one of `none`, `optional`, `required`",
    );
    check(
        &rule(r#""mode": "dry-run""#),
        "rules[0].mode: found `dry-run`, expected one of `enforce`, `shadow`, `off`",
    );
    check(
        &rule(r#""when": []"#),
        "rules[0].when: unknown field, expected one of `name`, `match`, `action`, `claims`, `providers`, `token`, `mode`",
    );
}

#[test]
fn a_rule_without_a_token_asks_nothing_of_it() {
    check(
        &rule(r#""token": "none", "claims": {"claim": "a", "present": true}"#),
        "rules[0].token: found `none`, expected `required` or `optional`: the rule asks for a token's claims or provider",
    );
    check(
        &rule(r#""token": "none", "providers": ["p"]"#),
        "rules[0].token: found `none`, expected `required` or `optional`: the rule asks for a token's claims or provider",
    );
    check(
        &rule(r#""token": "none", "claims": 5"#),
        "rules[0].claims: found 5, expected an array or an object\n\
         rules[0].token: found `none`, expected `required` or `optional`: the rule asks for a token's claims or provider",
    );
}

#[test]
fn claims_stand_in_a_field_of_their_own() {
    const CLAIMS: &str = r#""claims": [{"claim": "a", "equals": "b"}]"#;
    check(
        &rule(&format!(r#""match": {{{CLAIMS}}}"#)),
        "rules[0].match: found `claims`, expected them in the rule's own `claims`",
    );
    check(
        &rule(&format!(r#""match": {{"any": [{{"not": {{{CLAIMS}}}}}]}}"#)),
        "rules[0].match: found `claims`, expected them in the rule's own `claims`",
    );
}

#[test]
fn what_a_rule_is_for() {
    let config = good(&rule(
        r#""match": {"path": {"template": "/a/{b}/**"}, "methods": ["get"], "client_ip": ["10.0.0.0/8"], "principal": "p"}"#,
    ));
    let needs = config.rules.first().map(|rule| rule.matches.needs());
    assert_eq!(needs, Some(Needs { headers: true, source: true, principal: true, ..Needs::default() }));
    check(&rule(r#""match": []"#), "rules[0].match: found an array, expected an object");
    check(
        &rule(r#""match": {"paths": ["/a"]}"#),
        "rules[0].match.paths: unknown field, did you mean `path`?",
    );
    check(
        &rule(r#""match": {"path": {"template": "/a/../b"}}"#),
        "rules[0].match.path.template: found `/a/../b`, which no path in normal form can be, expected `/b`",
    );
    check(
        &rule(r#""match": {"path": {"exact": "/a//b"}}"#),
        "rules[0].match.path: found `/a//b`, which no path in normal form can be, expected `/a/b`",
    );
}

#[test]
fn whose_tokens_a_rule_takes() {
    let config = |providers: &str| {
        format!(
            r#"{{"providers": [{{"name": "a", "issuer": "i", {REMOTE}, "algorithms": ["RS256"]}}, {PROVIDER}],
                "rules": [{{"name": "r", "action": "allow", "providers": {providers}}}]}}"#
        )
    };
    let taken = |providers: &str| good(&config(providers)).rules.first().map(|rule| rule.providers);
    let set = |indices: &[usize]| Some(indices.iter().copied().map(ProviderId::new).collect::<ProviderSet>());
    assert_eq!(taken(r#"["a"]"#), set(&[0]));
    assert_eq!(taken(r#"["p"]"#), set(&[1]));
    assert_eq!(taken(r#"["p", "a", "p"]"#), set(&[0, 1]));
    check(&config("[]"), "rules[0].providers: found an empty array, expected at least one item");
    check(&config(r#""a""#), "rules[0].providers: found `a`, expected an array");
    check(&config(r#"["A"]"#), "rules[0].providers[0]: found `A`, expected the name of a provider");
    check(&config("[0]"), "rules[0].providers[0]: found 0, expected a string");
    // Without good providers there is nothing to compare with.
    check(
        r#"{"providers": [], "rules": [{"name": "r", "action": "allow", "providers": ["a"]}]}"#,
        "providers: found an empty array, expected at least one item",
    );
}

/// An empty field of a YAML file is `null`.
#[test]
fn null_lifts_no_restriction() {
    for field in ["claims", "match", "providers"] {
        check(
            &rule(&format!(r#""{field}": null"#)),
            &format!(
                "rules[0].{field}: found null, expected a value; leave the field out for no restriction"
            ),
        );
    }
    check(
        &rule(r#""match": {"path": null}"#),
        "rules[0].match.path: found null, expected a value; leave the field out for no restriction",
    );
    for field in ["issuer", "audiences", "subjects", "max_lifetime"] {
        check(
            &provider(&format!(r#""{field}": null"#)),
            &format!(
                "providers[0].{field}: found null, expected a value; leave the field out for no restriction"
            ),
        );
    }
}
