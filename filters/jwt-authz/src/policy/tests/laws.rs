//! Properties that hold for any token, rules and request.

use super::super::{Decision, Outcome};
use super::gateway::{Gateway, NOW, bearer, forged, merge, request, secret, sign, token, token_of};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mesh_policy::headers::Headers;
use mesh_policy::verdict::Verdict;
use mesh_testkit::cases;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::{Value as Json, json};

const ALGORITHMS: [&str; 12] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "HS256", "HS384",
    "HS512",
];

/// `tokens.json`: a token of each algorithm, valid until 2100, and the keys. Created with OpenSSL and the keys of
/// `tests/keys`.
fn tokens() -> Json {
    serde_json::from_str(include_str!("tokens.json")).unwrap()
}

fn token_with(algorithm: &str) -> String {
    tokens()["tokens"][algorithm].as_str().unwrap().to_owned()
}

/// A gateway that accepts all of these tokens.
fn gateway() -> Gateway {
    Gateway::new(&json!({
        "providers": [{
            "name": "main", "issuer": "https://auth.example.com", "audiences": ["api.example.com"],
            "jwks": {"inline": {"keys": tokens()["keys"]}}, "algorithms": ALGORITHMS,
        }],
        "default": "allow", "max_token_bytes": 4096,
    }))
}

/// Whether the request has a verified token. Requests that are allowed without one do not count.
fn is_good(decision: &Decision) -> bool {
    decision.verified.is_some()
}

/// Asserts that `other` is refused where `token` was just accepted.
fn never_good(gateway: &Gateway, token: &str, other: &[u8]) -> Result<(), TestCaseError> {
    prop_assume!(other != token.as_bytes());
    // Whitespace around a token is ignored.
    prop_assume!(other.trim_ascii() != token.as_bytes());
    prop_assert!(is_good(&gateway.decide(&bearer(token.as_bytes()))));
    for _ in 0..2 {
        let decision = gateway.decide(&bearer(other));
        prop_assert!(!is_good(&decision), "{}", other.escape_ascii());
        // Neither verified nor taken for an absent token, which `default: allow` would admit.
        prop_assert!(!matches!(decision.outcome, Outcome::Allowed), "{}", other.escape_ascii());
    }
    Ok(())
}

#[test]
fn each_token_is_good_as_it_is() {
    let gateway = gateway();
    for algorithm in ALGORITHMS {
        assert!(is_good(&gateway.decide(&bearer(token_with(algorithm).as_bytes()))), "{algorithm}");
    }
}

/// Replaces every byte with every other value.
#[test]
fn no_byte_of_a_token_can_be_another() {
    let (gateway, token) = (gateway(), token_with("HS256"));
    assert!(is_good(&gateway.decide(&bearer(token.as_bytes()))));
    for index in 0..token.len() {
        let mut other = token.clone().into_bytes();
        for change in 1..=255 {
            other[index] = token.as_bytes()[index] ^ change;
            // A space at either end is ignored, but then a byte is missing.
            assert!(!is_good(&gateway.decide(&bearer(&other))), "{index} {change}");
        }
    }
}

/// The last character of a part may have unused bits, which must be zero.
#[test]
fn a_signature_has_one_spelling() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let gateway = gateway();
    for algorithm in ALGORITHMS {
        let token = token_with(algorithm);
        assert!(is_good(&gateway.decide(&bearer(token.as_bytes()))));
        let ends = token.match_indices('.').map(|(end, _)| end).chain([token.len()]);
        for end in ends {
            for character in ALPHABET.iter().filter(|character| **character != token.as_bytes()[end - 1]) {
                let mut other = token.clone().into_bytes();
                other[end - 1] = *character;
                assert!(!is_good(&gateway.decide(&bearer(&other))), "{algorithm} {end} {character}");
            }
        }
    }
}

/// Combines the parts of one token with those of another.
#[test]
fn parts_do_not_mix() {
    let gateway = gateway();
    let tokens: Vec<String> = ALGORITHMS.map(token_with).to_vec();
    tokens.iter().for_each(|token| assert!(is_good(&gateway.decide(&bearer(token.as_bytes())))));
    let parts: Vec<Vec<&str>> = tokens.iter().map(|token| token.split('.').collect()).collect();
    for one in &parts {
        for other in &parts {
            for from in [[1, 0, 0], [0, 1, 0], [0, 0, 1]] {
                let pick = |part: usize| if from[part] == 1 { other[part] } else { one[part] };
                let mixed = [pick(0), pick(1), pick(2)].join(".");
                let known = tokens.contains(&mixed);
                assert_eq!(is_good(&gateway.decide(&bearer(mixed.as_bytes()))), known, "{mixed}");
            }
        }
        for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [0, 0, 2], [1, 1, 2], [0, 1, 0]]
        {
            let swapped = order.map(|part| one[part]).join(".");
            assert!(!is_good(&gateway.decide(&bearer(swapped.as_bytes()))), "{swapped}");
        }
    }
}

/// Random values from a seed.
struct Random(TestRng);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.next_u64() % end as u64).unwrap()
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    fn bytes(&mut self, end: usize) -> Vec<u8> {
        (0..self.below(end)).map(|_| self.0.next_u32().to_le_bytes()[0]).collect()
    }

    /// A JSON object as in a part of a token.
    fn object(&mut self, names: &[&str]) -> Json {
        let mut object = json!({});
        for _ in 0..self.below(6) {
            let value = match self.below(8) {
                0 => Json::Null,
                1 => json!(self.0.next_u64()),
                2 => json!(f64::from_bits(self.0.next_u64())),
                3 => json!([self.one(&ALGORITHMS)]),
                4 => json!({"a": self.one(&ALGORITHMS)}),
                5 => json!(String::from_utf8_lossy(&self.bytes(20))),
                6 => json!(NOW + 60),
                _ => json!(self.one(&[
                    "https://auth.example.com",
                    "api.example.com",
                    "rsa-a",
                    "hmac-a",
                    "none",
                    "RS256"
                ])),
            };
            object[self.one(names)] = value;
        }
        object
    }

    /// Arbitrary bytes, or something that resembles a token.
    fn token(&mut self) -> Vec<u8> {
        match self.below(4) {
            0 => self.bytes(200),
            1 => {
                let of = b".eyJhbGciOiJSUzI1NiJ9-_= ";
                (0..self.below(200)).map(|_| of[self.below(of.len())]).collect()
            }
            _ => {
                let mut header = self.object(&["alg", "kid", "crit", "typ", "jwk", "b64"]);
                if self.below(4) > 0 {
                    header["alg"] = json!(self.one(&ALGORITHMS[6..]));
                }
                if self.below(2) == 0 {
                    header["kid"] = json!(self.one(&["rsa-a", "p256-a", "p384", "ed25519-a", "hmac-a"]));
                }
                let payload = self.object(&["iss", "aud", "sub", "exp", "nbf", "iat"]);
                let payload =
                    if self.below(4) == 0 { self.bytes(60) } else { payload.to_string().into_bytes() };
                let signature = match self.below(3) {
                    0 => self.bytes(100),
                    length => vec![self.0.next_u32().to_le_bytes()[0]; 32 * length],
                };
                let parts = [header.to_string().into_bytes(), payload, signature];
                parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".").into_bytes()
            }
        }
    }
}

/// Arbitrary bytes cause no panic, and none are accepted. RSA is slow in a debug build, so the headers mostly name
/// other algorithms.
#[test]
fn arbitrary_bytes_are_no_tokens() {
    let gateway = gateway();
    let mut random = Random(TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    let mut labels: Vec<String> = Vec::new();
    for _ in 0..100_000 {
        let token = random.token();
        let decision = gateway.decide(&bearer(&token));
        assert!(!is_good(&decision), "{}", token.escape_ascii());
        match &decision.outcome {
            Outcome::Refused(refusal) => {
                let label = refusal.reason.label.to_owned();
                if !labels.contains(&label) {
                    labels.push(label);
                }
            }
            other => panic!("{other:?} {}", token.escape_ascii()),
        }
    }
    // The tokens reach each of these checks.
    labels.sort();
    assert_eq!(labels, ["ambiguous", "bad_signature", "malformed", "unknown_key"]);
    assert!(gateway.checks.get() > 1000, "{}", gateway.checks.get());
}

/// Arbitrary claims in authentic tokens cause no panic and are not misread.
#[test]
fn arbitrary_claims_are_read() {
    let rules = json!([
        {"name": "d", "action": "deny", "claims": {"any": [{"claim": "sub", "equals": "x"}, {"claim": "exp", "gt": 1e17}]}},
        {"name": "a", "action": "allow", "claims": [{"claim": "sub", "present": true}, {"not": {"claim": "aud", "contains": "x"}}]},
    ]);
    let gateway = Gateway::with(
        &json!({"payload_header": "x-p", "claims_to_headers": [{"claim": "sub", "header": "x-s"}, {"claim": "aud.a", "header": "x-a"}]}),
        &json!({"rules": rules, "export": ["sub", "iss.a", "iss"]}),
    );
    let mut random = Random(TestRng::from_seed(RngAlgorithm::ChaCha, &[8; 32]));
    let mut good = 0;
    for _ in 0..10_000 {
        let mut payload = random.object(&["iss", "aud", "sub", "exp", "nbf", "iat"]);
        if random.below(2) == 0 {
            payload["exp"] = json!(NOW + 60);
        }
        let headers = bearer(token_of("k", &payload.to_string()).as_bytes());
        let decision = gateway.decide(&headers);
        let _ = gateway.policy.forward(&headers, Some(&decision), &mut Verdict::default());
        if let Some(verified) = &decision.verified {
            good += 1;
            drop(gateway.policy.claims(verified));
            assert!(payload["exp"].is_number(), "{payload}");
        }
    }
    assert!(good > 1000, "{good}");
}

proptest! {
    #![proptest_config(cases(128))]

    /// Replaces, inserts and removes bytes. The original was just accepted and is cached.
    #[test]
    fn no_mutated_token_is_good(
        algorithm in select(vec!["RS256", "ES256", "PS256", "EdDSA", "HS256", "ES384"]),
        changes in prop::collection::vec((any::<Index>(), any::<u8>(), 0..4usize), 1..4),
    ) {
        let (gateway, token) = (gateway(), token_with(algorithm));
        let mut other = token.clone().into_bytes();
        for (place, byte, kind) in changes {
            let place = place.index(other.len());
            match kind {
                0 => other[place] = byte,
                // A byte of the token's alphabet passes more checks.
                1 => other[place] = token.as_bytes()[usize::from(byte) % token.len()],
                2 => other.insert(place, byte),
                _ => drop(other.remove(place)),
            }
        }
        never_good(&gateway, &token, &other)?;
    }

    /// Edits the header or the payload and keeps the signature.
    #[test]
    fn no_edited_token_is_good(
        algorithm in select(ALGORITHMS.to_vec()),
        other in select(vec!["none", "HS256", "RS256", "PS256", "ES256", "EdDSA", "HS512"]),
        name in select(vec!["sub", "role", "exp", "aud", "iss", "new"]),
        what in select(vec![0, 1, 2]),
    ) {
        let (gateway, token) = (gateway(), token_with(algorithm));
        let parts: Vec<&str> = token.split('.').collect();
        let edit = |part: &str, name: &str, value: Json| {
            let mut json: Json = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
            merge(&mut json, &json!({name: value}));
            URL_SAFE_NO_PAD.encode(json.to_string())
        };
        let header = if what == 1 { parts[0].to_owned() } else { edit(parts[0], "alg", json!(other)) };
        let payload = if what == 0 { parts[1].to_owned() } else { edit(parts[1], name, json!("root")) };
        let signature = if other == "none" { "" } else { parts[2] };
        // The edit may leave the header unchanged.
        prop_assume!(what != 0 || other != algorithm);
        never_good(&gateway, &token, format!("{header}.{payload}.{signature}").as_bytes())?;
    }

    /// Algorithm confusion: arbitrary headers, signed with a public key or an unknown secret.
    #[test]
    fn no_confusion(
        algorithm in select(vec!["HS256", "none", "RS256"]),
        key_id in prop::option::of(select(vec!["rsa-a", "p256-a", "ed25519-a", "hmac-a"])),
        by in select(vec!["rsa-a", "x"]),
    ) {
        let mut header = json!({"alg": algorithm});
        if let Some(key_id) = key_id {
            header["kid"] = json!(key_id);
        }
        let payload = json!({"iss": "https://auth.example.com", "aud": "api.example.com", "exp": NOW + 60});
        let token = sign(header.to_string().as_bytes(), payload.to_string().as_bytes(), by);
        let decision = gateway().decide(&bearer(token.as_bytes()));
        prop_assert!(matches!(decision.outcome, Outcome::Refused(_)));
    }
}

/// An expression on the claims `a` and `b`.
fn claims() -> impl Strategy<Value = Json> {
    let test = prop_oneof![
        (select(vec!["a", "b"]), 0..3u8).prop_map(|(claim, value)| json!({"claim": claim, "equals": value})),
        (select(vec!["a", "b"]), 0..3u8).prop_map(|(claim, value)| json!({"claim": claim, "lt": value})),
        (select(vec!["a", "b"]), any::<bool>())
            .prop_map(|(claim, there)| json!({"claim": claim, "present": there})),
        Just(json!({"claim": "a", "equals_header": "x-a"})),
    ];
    test.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(|items| json!({"all": items})),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|items| json!({"any": items})),
            inner.prop_map(|item| json!({"not": item})),
        ]
    })
}

/// The fields of a rule except its name and action.
fn rule() -> impl Strategy<Value = Json> {
    let token = prop::option::weighted(0.5, select(vec!["none", "optional", "required"]));
    let path = prop::option::weighted(0.5, select(vec!["/x", "/y"]));
    let mode = select(vec!["enforce", "enforce", "enforce", "shadow", "off"]);
    (token, path, prop::option::of(claims()), mode).prop_map(|(token, path, claims, mode)| {
        let mut rule = json!({"mode": mode});
        if let Some(path) = path {
            rule["match"] = json!({"path": {"exact": path}});
        }
        // `token: none` excludes `claims`.
        match (token, claims) {
            (Some("none"), _) => rule["token"] = json!("none"),
            (token, claims) => {
                if let Some(token) = token {
                    rule["token"] = json!(token);
                }
                if let Some(claims) = claims {
                    rule["claims"] = claims;
                }
            }
        }
        rule
    })
}

/// Adds names that begin with `name`, and the action.
fn named(rules: Vec<Json>, name: &str, action: Option<&str>) -> Vec<Json> {
    let with_name = |(index, mut rule): (usize, Json)| {
        merge(&mut rule, &json!({"name": format!("{name}{index}"), "action": action.unwrap_or("allow")}));
        rule
    };
    rules.into_iter().enumerate().map(with_name).collect()
}

fn rules() -> impl Strategy<Value = Vec<Json>> {
    let lists = (prop::collection::vec(rule(), 0..4), prop::collection::vec(rule(), 0..3));
    lists.prop_map(|(allow, deny)| {
        let mut rules = named(allow, "allow", Some("allow"));
        rules.extend(named(deny, "deny", Some("deny")));
        rules
    })
}

#[derive(Clone, Debug)]
enum Sent {
    Nothing,
    Good(Json),
    Forged,
    Malformed,
    OfUnknownKey,
}

fn sent() -> impl Strategy<Value = Sent> {
    let claim = || prop::option::of(0..3u8);
    prop_oneof![
        1 => Just(Sent::Nothing),
        4 => (claim(), claim()).prop_map(|(a, b)| Sent::Good(json!({"a": a, "b": b}))),
        1 => Just(Sent::Forged),
        1 => Just(Sent::Malformed),
        1 => Just(Sent::OfUnknownKey),
    ]
}

fn headers(path: &str, sent: &Sent) -> Headers {
    let token = match sent {
        Sent::Nothing => return request(&format!(":path: {path}\nx-a: 1")),
        Sent::Good(claims) => token(claims),
        Sent::Forged => forged(&token(&json!({"a": 1}))),
        Sent::Malformed => "x".to_owned(),
        Sent::OfUnknownKey => token_of("other", "{}"),
    };
    request(&format!(":path: {path}\nx-a: 1\nauthorization: Bearer {token}"))
}

fn of_rules(rules: &[Json], default: &str, keys: bool, public: bool) -> Gateway {
    let unavailable = if public { "allow_public" } else { "deny" };
    let top = json!({"rules": rules, "default": default, "on_jwks_unavailable": unavailable});
    let gateway = Gateway::with(&json!({}), &top);
    if !keys {
        gateway.rotate(0, None);
    }
    gateway
}

fn is_let_in(decision: &Decision) -> bool {
    matches!(decision.outcome, Outcome::Allowed)
}

proptest! {
    #![proptest_config(cases(512))]

    /// Adding a deny rule allows no further request. Adding an allow rule refuses no further one, unless its token is
    /// optional.
    #[test]
    fn rules_are_monotone(
        rules in rules(), more in rule(), place: Index, default in select(vec!["allow", "deny"]),
        path in select(vec!["/x", "/y", "/z"]), sent in sent(), keys in prop::bool::weighted(0.8), public: bool,
    ) {
        let headers = headers(path, &sent);
        let before = of_rules(&rules, default, keys, public).decide(&headers);
        let with = |action| {
            let mut rules = rules.clone();
            rules.insert(place.index(rules.len() + 1), named(vec![more.clone()], "more", Some(action)).remove(0));
            of_rules(&rules, default, keys, public).decide(&headers)
        };
        prop_assert!(is_let_in(&before) || !is_let_in(&with("deny")));
        if more["token"] != "optional" {
            prop_assert!(is_let_in(&with("allow")) || !is_let_in(&before));
        }
    }

    /// Without a valid token, a rule with claims or a required token never holds.
    #[test]
    fn claims_need_a_good_token(
        rules in rules(), default in select(vec!["allow", "deny"]),
        path in select(vec!["/x", "/y"]), sent in sent(), keys in prop::bool::weighted(0.8), public: bool,
    ) {
        let gateway = of_rules(&rules, default, keys, public);
        let decision = gateway.decide(&headers(path, &sent));
        let good = keys && matches!(sent, Sent::Good(_));
        prop_assert!(good || decision.verified.is_none());
        for index in decision.rule.iter().chain(&decision.shadow) {
            let rule = &rules[*index];
            let asks = rule.get("claims").is_some() || rule["token"] == "required";
            // A rule with an optional token refuses a bad one, and a shadow rule would have.
            let ends = decision.rule != Some(*index) && rule["token"] == "optional";
            prop_assert!(good || !asks || ends, "{}", rule);
        }
        // Without a rule, only `default: allow` allows a request, and never with a bad token.
        if is_let_in(&decision) && decision.rule.is_none() {
            prop_assert_eq!(default, "allow");
            prop_assert!(good || matches!(sent, Sent::Nothing) || (!keys && public && !matches!(sent, Sent::Malformed)));
        }
    }

    /// A rule in mode `shadow` or `off` changes no outcome.
    #[test]
    fn what_does_not_bite_changes_nothing(
        rules in rules(), more in rule(), place: Index, action in select(vec!["allow", "deny"]),
        mode in select(vec!["shadow", "off"]), default in select(vec!["allow", "deny"]),
        path in select(vec!["/x", "/y"]), sent in sent(), keys: bool,
    ) {
        let headers = headers(path, &sent);
        let word = |rules: &[Json]| {
            let gateway = of_rules(rules, default, keys, false);
            let decided = gateway.word(&headers);
            gateway.may_wait.set(true);
            (decided, gateway.word(&headers))
        };
        let mut with = rules.clone();
        let mut more = named(vec![more], "more", Some(action)).remove(0);
        more["mode"] = json!(mode);
        with.insert(place.index(rules.len() + 1), more);
        prop_assert_eq!(word(&rules), word(&with));
    }

    /// The cache changes no outcome, whatever the earlier requests were.
    #[test]
    fn memory_changes_no_verdict(
        requests in prop::collection::vec((0..4usize, 0..3usize, 0..40u64, any::<bool>()), 1..20),
    ) {
        let provider = |name: &str, issuer: Option<&str>, from: Json| {
            let mut provider = super::gateway::main();
            merge(&mut provider, &json!({"name": name, "from": from, "leeway": "0s"}));
            issuer.into_iter().for_each(|issuer| provider["issuer"] = json!(issuer));
            provider
        };
        let gateway = |entries: usize| {
            Gateway::new(&json!({
                "providers": [
                    provider("any", None, json!([{"header": "x-any"}, {"cookie": "t"}])),
                    provider("b", Some("b"), json!([{"header": "x-b"}, {"cookie": "t"}])),
                ],
                "default": "allow", "token_cache": {"entries": entries},
            }))
        };
        let (remembers, forgets) = (gateway(2), gateway(0));
        for (place, number, pause, rotate) in requests {
            for gateway in [&remembers, &forgets] {
                gateway.pass(std::time::Duration::from_secs(pause));
                if rotate {
                    let keys = if pause % 2 == 0 { json!([secret("k")]) } else { json!([secret("l")]) };
                    gateway.rotate((pause % 2) as usize, Some(&keys));
                }
            }
            let claims = json!({"iss": if number == 2 { "b" } else { "c" }, "jti": number, "exp": NOW + 90 * number as u64});
            let token = token(&claims);
            let header = ["x-any: <T>", "x-b: <T>", "cookie: t=<T>", "x-b: <T>\nx-any: <T>"][place];
            let headers = request(&header.replace("<T>", &token));
            let facts = |gateway: &Gateway| {
                let decision = gateway.decide(&headers);
                (gateway.word(&headers), decision.verified.map(|verified| verified.provider()))
            };
            prop_assert_eq!(facts(&remembers), facts(&forgets));
        }
    }
}
