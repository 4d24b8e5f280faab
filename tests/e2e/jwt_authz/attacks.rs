//! Tokens that must be refused, and the reason for each.

use super::{bearer, config, inline, logged, plugin, provider, remote, setup, status};
use e2e::token::{self, encode, non_canonical, sign_text};
use e2e::{Algorithm, Gateway, Key, KeyServer, Setup, Token, eventually, get, key_set};
use serde_json::{Value, json};

/// Description, headers of the request, and the expected reason.
type Attack = (String, Vec<(&'static str, String)>, &'static str);

fn in_header(what: &str, token: &str, stage: &'static str) -> Attack {
    (what.to_owned(), vec![("authorization", bearer(token))], stage)
}

fn good() -> Token {
    Token::good(Algorithm::Rs256)
}

/// The token with one of its parts changed.
fn part(token: &str, index: usize, change: impl Fn(&str) -> String) -> String {
    let parts = token.split('.').enumerate();
    let parts: Vec<_> =
        parts.map(|(at, part)| if at == index { change(part) } else { part.to_owned() }).collect();
    parts.join(".")
}

/// An ECDSA signature in DER, as in X.509, but not in tokens.
fn der(signature: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let mut number = number[zeros..].to_vec();
        if number[0] >= 0x80 {
            number.insert(0, 0);
        }
        [vec![2, u8::try_from(number.len()).unwrap()], number].concat()
    };
    let (r, s) = signature.split_at(signature.len() / 2);
    let both = [integer(r), integer(s)].concat();
    [vec![0x30, u8::try_from(both.len()).unwrap()], both].concat()
}

fn shapes() -> Vec<Attack> {
    let token = good().sign();
    let header = |text: &str| good().header_text(text).sign();
    let mut attacks = vec![
        ("no token".to_owned(), vec![], "missing"),
        ("another scheme".to_owned(), vec![("authorization", "Basic dTpw".to_owned())], "missing"),
        (
            "a scheme that begins alike".to_owned(),
            vec![("authorization", format!("Bearers {token}"))],
            "missing",
        ),
    ];
    let malformed = [
        ("nothing", String::new()),
        ("one part", "x".to_owned()),
        ("two parts", good().unsigned()),
        ("four parts", format!("{token}.x")),
        ("five parts, as if it were encrypted", format!("{token}.x.y")),
        ("two tokens in one", format!("{token}~{token}")),
        ("a header that is no JSON", header("alg=RS256")),
        ("a header that is a list", header(r#"["RS256"]"#)),
        ("a header of two values", header(r#"{"alg":"RS256","kid":"a"}{}"#)),
        ("a header that is not UTF-8", part(&token, 0, |_| encode(b"{\"alg\":\"RS256\",\"kid\":\"\xff\"}"))),
        ("a header without `alg`", header(r#"{"kid":"a"}"#)),
        ("an `alg` that is a number", header(r#"{"alg":256,"kid":"a"}"#)),
        ("a `kid` that is a list", header(r#"{"alg":"RS256","kid":["a"]}"#)),
        ("`alg` twice", header(r#"{"alg":"none","alg":"RS256","kid":"a"}"#)),
        ("`kid` twice", header(r#"{"alg":"RS256","kid":"b","kid":"a"}"#)),
        ("`alg` twice, once in escapes", header(r#"{"alg":"none","\u0061lg":"RS256","kid":"a"}"#)),
        ("`crit`", good().header("crit", json!(["exp"])).header("exp", 1).sign()),
        ("an empty `crit`", good().header("crit", json!([])).sign()),
        ("an unencoded payload", good().header("crit", json!(["b64"])).header("b64", false).sign()),
        ("a padded signature", format!("{token}==")),
        ("a signature in the other alphabet", part(&token, 2, |_| "+/+/".repeat(86))),
        (
            "a signature of another spelling",
            part(&token, 2, |part| non_canonical(part).unwrap_or(format!("{part}="))),
        ),
        ("a padded header", part(&token, 0, |part| format!("{part}="))),
        ("a header in JSON", r#"{"alg":"none"}.e30."#.to_owned()),
        ("a header of a thousand lists", header(&"[".repeat(1000))),
    ];
    attacks.extend(malformed.iter().map(|(what, token)| in_header(what, token, "malformed")));
    attacks.push(in_header("a long token", &good().claim("x", "x".repeat(9000)).sign(), "too_large"));
    attacks.push(in_header("a long heap of bytes", &"x".repeat(9000), "too_large"));
    attacks
}

fn keys_and_signatures() -> Vec<Attack> {
    let token = good().sign();
    let es256 = Token::good(Algorithm::Es256).kid("e");
    let unsigned = |algorithm: &str| format!("{}.", good().header("alg", algorithm).unsigned());
    let foreign = Key::RSA_B;
    let mut attacks = Vec::new();
    for (what, secret) in Key::public_texts_of_rsa_a() {
        // With the `kid`, the key is for RSA; without it, the secret is wrong.
        let confused = Token::good(Algorithm::Hs256).key(&Key::secret(secret));
        attacks.push(in_header(
            &format!("HS256 by the public key's {what}"),
            &confused.sign(),
            "unknown_key",
        ));
        let nameless = confused.header("kid", Value::Null).sign();
        attacks.push(in_header(&format!("the same without `kid`, {what}"), &nameless, "bad_signature"));
    }
    for algorithm in ["none", "None", "NONE", "nOnE", "", "rs256", "RS256 ", "ES512", "RSA-OAEP"] {
        attacks.push(in_header(
            &format!("`{algorithm}` without a signature"),
            &unsigned(algorithm),
            "unknown_key",
        ));
    }
    for algorithm in [Algorithm::Rs384, Algorithm::Ps256, Algorithm::Es384] {
        let token = Token::good(algorithm);
        attacks.push(in_header(&format!("{}, not allowed", algorithm.name()), &token.sign(), "unknown_key"));
    }
    let unknown = [
        ("another `kid`", good().kid("b").sign()),
        ("an empty `kid`", good().kid("").sign()),
        ("a `kid` like a path", good().kid("../../dev/null").sign()),
        ("RS256 with the `kid` of a P-256 key", good().kid("e").sign()),
        ("ES256 with the `kid` of an RSA key", es256.clone().kid("a").sign()),
        ("HS256 with the `kid` of an Ed25519 key", Token::good(Algorithm::Hs256).kid("d").sign()),
        ("P-521", token::ES512.clone()),
    ];
    attacks.extend(unknown.iter().map(|(what, token)| in_header(what, token, "unknown_key")));
    let own = foreign.jwk("a");
    let es256_signature = Key::P256_A.sign(Algorithm::Es256, es256.unsigned().as_bytes());
    let forged = [
        ("no signature", part(&token, 2, |_| String::new())),
        ("a short signature", part(&token, 2, |part| part[..100].to_owned())),
        ("a signature of zeros", part(&token, 2, |_| encode(&[0; 256]))),
        ("another key", good().key(&foreign).sign()),
        ("another key of 1024 bits", token::OF_1024_BITS.clone()),
        ("another key of 4096 bits", good().key(&Key::RSA_4096).sign()),
        ("another hash", good().signed_by(Algorithm::Rs512).sign()),
        ("another padding", good().signed_by(Algorithm::Ps256).sign()),
        ("another payload", part(&token, 1, |_| encode(br#"{"sub":"admin","exp":9999999999}"#))),
        ("its own key in `jwk`", good().key(&foreign).header("jwk", own.clone()).sign()),
        ("the same without `kid`", good().key(&foreign).header("jwk", own).header("kid", Value::Null).sign()),
        ("its own key at `jku`", good().key(&foreign).header("jku", "https://evil.example/jwks").sign()),
        ("its own key at `x5u`", good().key(&foreign).header("x5u", "https://evil.example/x5u").sign()),
        ("ECDSA: zeros", format!("{}.{}", es256.unsigned(), encode(&[0; 64]))),
        ("ECDSA: nothing", format!("{}.", es256.unsigned())),
        ("ECDSA in DER", format!("{}.{}", es256.unsigned(), encode(&der(&es256_signature)))),
        (
            "ECDSA: a byte more",
            format!("{}.{}", es256.unsigned(), encode(&[&es256_signature[..], &[0]].concat())),
        ),
        ("ECDSA by another key", es256.key(&Key::P256_B).sign()),
        ("Ed25519 by another key", Token::good(Algorithm::EdDsa).kid("d").key(&Key::ED25519_B).sign()),
        ("HMAC by another key", Token::good(Algorithm::Hs256).kid("s").key(&Key::HMAC_B).sign()),
        ("HMAC with an empty key", Token::good(Algorithm::Hs256).kid("s").key(&Key::secret(vec![])).sign()),
        (
            // The signature is checked before the payload.
            "another key, and expired",
            good().key(&foreign).expires_in(-3600).sign(),
        ),
    ];
    attacks.extend(forged.iter().map(|(what, token)| in_header(what, token, "bad_signature")));
    attacks
}

fn claims() -> Vec<Attack> {
    let payload = |text: &str| good().payload(text.as_bytes()).sign();
    let times = |text: &str| {
        payload(&format!(
            r#"{{"iss":"{}","aud":"{}","sub":"user-1",{text}}}"#,
            token::ISSUER,
            token::AUDIENCE
        ))
    };
    let signed = |text: &str| sign_text(&Key::RSA_A, Algorithm::Rs256, text);
    // One byte more than a multiple of three: the last character has unused bits.
    let spare = (0..3)
        .map(|spaces| {
            good().payload(format!("{}{}", json!({"sub": "user-1"}), " ".repeat(spaces)).as_bytes())
        })
        .find_map(|token| {
            let unsigned = token.unsigned();
            let (header, payload) = unsigned.split_once('.').unwrap();
            Some(format!("{header}.{}", non_canonical(payload)?))
        })
        .unwrap();
    let table = [
        ("bad_claims", "a payload that is no JSON", payload("sub=user-1")),
        ("bad_claims", "an empty payload", payload("")),
        ("bad_claims", "a payload that is a list", payload("[]")),
        ("bad_claims", "a payload of a thousand lists", payload(&"[".repeat(1000))),
        ("bad_claims", "a payload that is not UTF-8", good().payload(b"{\"sub\":\"\xff\"}").sign()),
        ("bad_claims", "a payload of another spelling", signed(&spare)),
        ("bad_claims", "a padded payload", signed(&format!("{}=", good().unsigned()))),
        ("bad_claims", "`sub` twice", times(r#""sub":"user-2","exp":4102444800"#)),
        ("bad_claims", "a name twice, deeper", times(r#""x":[{"y":1,"y":2}],"exp":4102444800"#)),
        ("bad_claims", "no `exp`", good().claim("exp", Value::Null).sign()),
        ("bad_claims", "`exp` as a text", good().claim("exp", "4102444800").sign()),
        ("bad_claims", "`exp` too far away", good().expires_in(100_000).sign()),
        ("bad_claims", "`exp` beyond all numbers", times(r#""exp":1e308"#)),
        ("bad_claims", "`nbf` as a text", good().claim("nbf", "0").sign()),
        ("bad_claims", "`aud` as a number", good().claim("aud", 1).sign()),
        ("bad_claims", "`aud` with a number", good().claim("aud", json!([token::AUDIENCE, 1])).sign()),
        ("expired", "expired", good().expires_in(-60).sign()),
        ("expired", "expired before there was time", good().claim("exp", -1).sign()),
        ("not_yet_valid", "`nbf` to come", good().not_before(300).sign()),
        ("not_yet_valid", "`iat` to come", good().issued(300).sign()),
        ("wrong_issuer", "another issuer", good().claim("iss", "https://evil.example").sign()),
        (
            "wrong_issuer",
            "an issuer with a slash more",
            good().claim("iss", format!("{}/", token::ISSUER)).sign(),
        ),
        ("wrong_issuer", "a list of issuers", good().claim("iss", json!([token::ISSUER])).sign()),
        ("wrong_issuer", "no issuer", good().claim("iss", Value::Null).sign()),
        ("wrong_audience", "another audience", good().claim("aud", "other").sign()),
        (
            "wrong_audience",
            "other audiences",
            good().claim("aud", json!(["other", "api.example.com "])).sign(),
        ),
        ("wrong_audience", "no audience", good().claim("aud", Value::Null).sign()),
        ("wrong_audience", "no audiences", good().claim("aud", json!([])).sign()),
        ("wrong_subject", "another subject", good().claim("sub", "admin").sign()),
        ("wrong_subject", "no subject", good().claim("sub", Value::Null).sign()),
    ];
    table.iter().map(|(stage, what, token)| in_header(what, token, stage)).collect()
}

fn ambiguities() -> Vec<Attack> {
    let (first, second) = (good().sign(), good().claim("sub", "user-2").sign());
    let cookie = |token: &str| ("cookie", format!("token={token}"));
    let header = |token: &str| ("authorization", bearer(token));
    let table = [
        ("one in the header, another in a cookie", vec![header(&first), cookie(&second)]),
        ("the header twice", vec![header(&first), header(&second)]),
        (
            "two tokens in one value, as Envoy joins headers",
            vec![("authorization", format!("Bearer {first},{second}"))],
        ),
        ("the header twice, the same", vec![header(&first), header(&first)]),
        (
            "the header twice, one of another scheme",
            vec![header(&first), ("authorization", "Basic dTpw".to_owned())],
        ),
        ("the cookie twice", vec![cookie(&first), cookie(&second)]),
        ("the cookie twice on a line", vec![("cookie", format!("token={first}; token={second}"))]),
        ("a good one and a bad one", vec![header(&first), cookie("x")]),
    ];
    table.into_iter().map(|(what, headers)| (what.to_owned(), headers, "ambiguous")).collect()
}

#[tokio::test]
async fn each_is_refused_by_the_stage_that_should() {
    let keys = [("a", Key::RSA_A), ("e", Key::P256_A), ("d", Key::ED25519_A), ("s", Key::HMAC_A)];
    let extra = json!({
        "algorithms": ["RS256", "ES256", "EdDSA", "HS256"],
        "subjects": [{"prefix": "user-"}],
        "max_lifetime": "24h",
        "from": [{"header": "authorization", "prefix": "Bearer "}, {"cookie": "token"}, {"query": "access_token"}],
    });
    // With and without the proxy's signature checks.
    let plugin = plugin(config(provider(inline(&keys), extra), json!({"in_vm_share": 100})));
    for plugin in [plugin.clone(), plugin.without(&["proxy_call_foreign_function"])] {
        refused_by_the_stage_that_should(Setup::default().plugins(&[plugin]).start().await).await;
    }
}

async fn refused_by_the_stage_that_should(gateway: Gateway) {
    let attacks = [shapes(), keys_and_signatures(), claims(), ambiguities()].concat();
    for (index, (what, headers, stage)) in attacks.iter().enumerate() {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = gateway.send(get(&format!("/attack/{index}"), &headers)).await;
        assert_eq!(answer.status, 401, "{what}");
        let challenge = answer.header("www-authenticate").unwrap();
        if *stage == "missing" {
            // No `error` without credentials (RFC 6750, section 3.1).
            assert!(
                challenge.starts_with("Bearer realm=") && !challenge.contains("error"),
                "{what}: {challenge}"
            );
        } else {
            assert!(
                challenge.contains(r#"error="invalid_token", error_description=""#),
                "{what}: {challenge}"
            );
        }
        assert_eq!(answer.header("content-type").as_deref(), Some("application/problem+json"), "{what}");
        let problem: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(problem["status"], 401, "{what}");
        let told = format!("{challenge}{problem}");
        assert!(!told.contains("eyJ") && !told.contains("user-") && !told.contains("evil"), "{what}: {told}");
    }
    let last = format!("/attack/{}", attacks.len() - 1);
    logged(&gateway, &last).await;
    for (index, (what, _, stage)) in attacks.iter().enumerate() {
        let line = logged(&gateway, &format!("/attack/{index}")).await;
        assert!(line.starts_with(&format!("401 jwt_authz{{{stage}}}")), "{what}: {line}");
        let counted = gateway.metric(&format!("jwt_authz.reason=.={stage};.;denied")).await;
        assert!(counted > 0, "{stage}");
    }
    // Logs and counters contain no credentials.
    let log = gateway.envoy.log() + &gateway.access_log();
    assert!(!log.contains("eyJ"), "{log}");
    for spelling in ["Bearer", "bearer", "BEARER", "Bearer  "] {
        let headers = [("authorization", &*format!("{spelling} {}", good().sign()))];
        assert_eq!(gateway.send(get("/", &headers)).await.status, 200, "{spelling}");
    }
    let token = good().sign();
    let twice = [("authorization", &*bearer(&token)), ("cookie", &*format!("token={token}"))];
    assert_eq!(gateway.send(get("/", &twice)).await.status, 200, "the same one twice");
    gateway.assert_no_trap().await;
}

/// Bytes in a query are percent-encoded.
#[tokio::test]
async fn tokens_in_queries_are_ambiguous_alike() {
    let extra =
        json!({"from": [{"header": "authorization", "prefix": "Bearer "}, {"query": "access_token"}]});
    let gateway = setup(config(provider(inline(&[("a", Key::RSA_A)]), extra), json!({}))).start().await;
    let (first, second) = (good().sign(), good().claim("sub", "user-2").sign());
    let escaped = first.replace('.', "%2E");
    for (query, header, status) in [
        (format!("access_token={first}"), None, 200),
        (format!("access_token={escaped}"), None, 200),
        (format!("access_token={first}&access_token={escaped}"), Some(&first), 200),
        (format!("access_token={first}&access_token={second}"), None, 401),
        (format!("access%5Ftoken={first}"), Some(&second), 401),
        (format!("access_token={first}"), Some(&second), 401),
        ("access_token=".to_owned(), None, 401),
        ("Access_Token=x".to_owned(), Some(&first), 200),
    ] {
        let header = header.map(|token| bearer(token));
        let headers: Vec<_> = header.iter().map(|value| ("authorization", value.as_str())).collect();
        let answer = gateway.send(get(&format!("/?{query}"), &headers)).await;
        assert_eq!(answer.status, status, "{query}, {header:?}");
    }
}

/// A fetched set with unusable keys and usable ones.
#[tokio::test]
async fn weak_and_unknown_keys_are_skipped_and_the_rest_serves() {
    let server = KeyServer::start().await;
    let mut set =
        key_set(&[("a", Key::RSA_1024), ("p521", Key::P521), ("b", Key::RSA_B), ("secret", Key::HMAC_A)]);
    set["keys"].as_array_mut().unwrap().push(json!({"kty": "XYZ", "kid": "x"}));
    server.serve(&set);
    let config = config(provider(remote(json!({"wait": "100ms"})), json!({})), json!({}));
    let gateway = setup(config).cluster("jwks", server.address()).start().await;
    let served = good().key(&Key::RSA_B).kid("b").sign();
    eventually("the set", || async { status(&gateway, &served).await == 200 }).await;
    for token in [&*token::OF_1024_BITS, &*token::ES512, &Token::good(Algorithm::Hs256).kid("secret").sign()]
    {
        assert_eq!(status(&gateway, token).await, 401);
    }
    assert_eq!(status(&gateway, &served).await, 200);
}
