//! More slow signature checks than the CPU budget allows.

use super::{bearer, config, inline, provider, setup, status, with};
use e2e::{Algorithm, Gateway, Key, Token, get, key_set, unspoilt};
use mesh_filters::http::{Connection, Load, Protocol, StatusCode, Until};
use serde_json::{Value, json};
use std::time::Duration;

/// Forged tokens, each with a different signature.
fn forged(count: usize) -> Vec<String> {
    let unsigned = Token::good(Algorithm::Ps256).kid("p").unsigned();
    let signature = |index: usize| {
        let mut bytes = [0x55; 256];
        bytes[..8].copy_from_slice(&index.to_le_bytes());
        e2e::token::encode(&bytes)
    };
    (0..count).map(|index| format!("{}.{}", unsigned, signature(index))).collect()
}

#[tokio::test]
async fn a_flood_of_forged_tokens_is_refused_and_the_others_are_served() {
    let keys = json!({"inline": key_set(&[("p", Key::RSA_A), ("e", Key::P256_A)])});
    let provider = provider(keys, json!({"algorithms": ["PS256", "ES256"]}));
    let gateway = setup(config(provider, json!({"in_vm_share": 1}))).workers(1).start().await;
    let mut connection = Connection::open(gateway.address, Protocol::Http1).await.unwrap();
    let good = bearer(&Token::good(Algorithm::Es256).kid("e").key(&Key::P256_A).sign());
    let (mut checked, mut refused) = (0, 0);
    for (index, token) in forged(1000).iter().enumerate() {
        let answer = connection.send(get("/", &[("authorization", &bearer(token))])).await.unwrap();
        match answer.status.as_u16() {
            401 => checked += 1,
            503 => refused += 1,
            status => panic!("{status}"),
        }
        if index % 100 == 0 {
            // The proxy checks these signatures, and the tokens are cached.
            let answer = connection.send(get("/", &[("authorization", &good)])).await.unwrap();
            assert_eq!(answer.status, 200);
        }
    }
    assert!(checked > 0 && refused > 0, "{checked} {refused}");
    let count = async |reason| gateway.metric(&format!("jwt_authz.reason=.={reason};.;denied")).await;
    assert_eq!((count("bad_signature").await, count("overloaded").await), (checked, refused));
    gateway.assert_no_trap().await;
}

/// A forged token, different from all others.
fn forgery(algorithm: Algorithm, issuer: &str, turn: mesh_filters::http::Turn) -> String {
    let jti = format!("{}-{}", turn.connection, turn.sequence);
    let token = Token::good(algorithm).claim("iss", issuer).claim("jti", jti).header("kid", Value::Null);
    let bytes = if algorithm == Algorithm::Es384 { 96 } else { 256 };
    format!("{}.{}", token.unsigned(), e2e::token::encode(&vec![0x55; bytes]))
}

async fn counts(gateway: &Gateway) -> (u64, u64) {
    let count = async |reason| gateway.metric(&format!("jwt_authz.reason=.={reason};.;denied")).await;
    (count("bad_signature").await, count("overloaded").await)
}

/// Each provider has its part of the budget, even if another one is flooded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_for_one_provider_does_not_shut_out_another() {
    let other = "https://other.example";
    let flooded = key_set(&[("1", Key::RSA_A), ("2", Key::RSA_B), ("3", Key::RSA_4096)]);
    let config = json!({
        "providers": [
            provider(json!({"inline": flooded}), json!({"name": "other", "issuer": other, "algorithms": ["PS256"]})),
            provider(inline(&[("d", Key::ED25519_A)]), json!({"algorithms": ["EdDSA"]})),
        ],
        "rules": [{"name": "signed", "action": "allow"}],
        "token_cache": {"entries": 0},
        "in_vm_share": 60,
    });
    let gateway = setup(config).workers(1).direct().start().await;
    unspoilt("a flood in which all are served", 3, async || {
        let load = Load {
            pause: Duration::from_millis(1),
            ..Load::http1(gateway.address, 8, Until::Elapsed(Duration::from_secs(5)))
        };
        let make =
            move |turn| get("/", &[("authorization", &bearer(&forgery(Algorithm::Ps256, other, turn)))]);
        let loading = tokio::spawn(load.run(make, |_, _| {}));
        let (mut sent, mut served) = (0, 0);
        while !loading.is_finished() {
            let token = Token::good(Algorithm::EdDsa).kid("d").claim("jti", sent).sign();
            match status(&gateway, &token).await {
                200 => served += 1,
                // A check counts with its time, which is longer than its work if the machine is busy.
                status => assert_eq!(status, 503, "after {sent}"),
            }
            sent += 1;
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let report = loading.await.unwrap().unwrap();
        assert_eq!(report.errors, 0, "{:?}", report.example);
        assert!(report.count(StatusCode::SERVICE_UNAVAILABLE) > 0, "{:?}", report.by_status);
        assert!(served * 20 >= sent * 19, "{served} of {sent}");
        (served == sent && served > 50).then_some(())
    })
    .await;
    gateway.assert_no_trap().await;
}

/// The proxy checks ES384 slowly. Failed checks count against the budget, successful ones do not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_checks_in_the_proxy_have_a_share() {
    let other = "https://other.example";
    let mine = provider(inline(&[("a", Key::P384)]), json!({"algorithms": ["ES384"]}));
    let theirs = with(mine.clone(), json!({"name": "other", "issuer": other}));
    let config = json!({
        "providers": [mine, theirs],
        "rules": [{"name": "signed", "action": "allow"}],
        "token_cache": {"entries": 0},
        "in_vm_share": 1,
    });
    let gateway = setup(config).workers(1).direct().start().await;
    let token = |number: u64| Token::good(Algorithm::Es384).kid("a").claim("jti", number).sign();
    let good: Vec<_> = (0..1000).map(token).collect();
    let mut connection = Connection::open(gateway.address, Protocol::Http1).await.unwrap();
    for token in &good {
        let answer = connection.send(get("/", &[("authorization", &bearer(token))])).await.unwrap();
        assert_eq!(answer.status, 200);
    }
    assert_eq!(counts(&gateway).await, (0, 0));
    let load = Load::http1(gateway.address, 4, Until::Requests(2000));
    let make = move |turn| get("/", &[("authorization", &bearer(&forgery(Algorithm::Es384, other, turn)))]);
    let report = load.run(make, |_, _| {}).await.unwrap();
    assert_eq!(report.errors, 0, "{:?}", report.example);
    let (checked, refused) = counts(&gateway).await;
    assert_eq!(checked + refused, 2000, "{:?}", report.by_status);
    assert!(checked > 0 && refused > 0, "{checked} {refused}");
    // The flooded provider used its own part.
    for token in &good {
        let answer = connection.send(get("/", &[("authorization", &bearer(token))])).await.unwrap();
        assert_eq!(answer.status, 200);
    }
    gateway.assert_no_trap().await;
}

/// Without a `kid`, any of the keys may have signed the token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_without_a_name_among_eight_slow_keys() {
    let keys: Vec<_> = (0..8).map(|_| Key::new_p384()).collect();
    let set = json!({"keys": keys.iter().map(Key::bare_jwk).collect::<Vec<_>>()});
    let provider = provider(json!({"inline": set}), json!({"algorithms": ["ES384"]}));
    let config = config(provider, json!({"token_cache": {"entries": 0}, "in_vm_share": 100}));
    let gateway = setup(config).workers(1).direct().start().await;
    for key in &keys {
        let token = Token::good(Algorithm::Es384).key(key).header("kid", Value::Null).sign();
        let mut tried = 1;
        while status(&gateway, &token).await != 200 {
            tried += 1;
            assert!(tried <= 4, "{tried}");
        }
        // The key that verified the previous token is tried first.
        assert_eq!(status(&gateway, &token).await, 200);
    }
    // After two of eight keys the token may still be valid; after all of them it is not.
    let token = Token::good(Algorithm::Es384).header("kid", Value::Null).sign();
    for expected in [503, 503, 503, 401, 401] {
        assert_eq!(status(&gateway, &token).await, expected);
    }
    gateway.assert_no_trap().await;
}
