//! Signatures that only the VM can check, more than there is time for.

use super::{bearer, config, provider, setup};
use e2e::{Algorithm, Key, Token, get, key_set};
use mesh_filters::http::{Connection, Protocol};
use serde_json::json;

/// Many forged tokens, each with its own signature, so that none is like another.
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
            // The proxy checks these itself, and they are remembered.
            let answer = connection.send(get("/", &[("authorization", &good)])).await.unwrap();
            assert_eq!(answer.status, 200);
        }
    }
    assert!(checked > 0 && refused > 0, "{checked} {refused}");
    let count = async |reason| gateway.metric(&format!("jwt_authz.reason=.={reason};.;denied")).await;
    assert_eq!((count("bad_signature").await, count("overloaded").await), (checked, refused));
    gateway.assert_no_trap().await;
}
