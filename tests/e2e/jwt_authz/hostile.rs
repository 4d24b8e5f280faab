//! Hostile bytes in the places where tokens are looked for.

use super::{config, inline, provider, setup, status};
use bytes::Bytes;
use e2e::{Algorithm, Key, Token, get};
use mesh_filters::http::{HeaderValue, Load, Request, Turn, Until};
use mesh_testkit::random::SplitMix64;
use serde_json::json;
use std::fmt::Write as _;

const REQUESTS: u64 = 20_000;

/// Random numbers and bytes.
struct Random(SplitMix64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.roll() % end as u64).unwrap()
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.0.roll().to_le_bytes()[0]).collect()
    }
}

/// Arbitrary bytes, or bytes that resemble a token.
fn arbitrary(roll: &mut Random, good: &[String]) -> Vec<u8> {
    const WORDS: [&str; 12] =
        ["{", "}", "[", "\"alg\"", ":", "\"RS256\"", "\"kid\"", "\"a\"", ",", "1e999", "\"\\ud800\"", "null"];
    let part = |roll: &mut Random| match roll.below(3) {
        0 => e2e::token::encode(&roll.bytes(64)),
        1 => {
            let words: String = (0..roll.below(12)).map(|_| WORDS[roll.below(WORDS.len())]).collect();
            e2e::token::encode(words.as_bytes())
        }
        _ => e2e::token::encode(br#"{"alg":"RS256","kid":"a"}"#),
    };
    match roll.below(4) {
        0 => roll.bytes(300),
        1 => (0..roll.below(5)).map(|_| part(roll)).collect::<Vec<_>>().join(".").into_bytes(),
        2 => {
            let mut token = good[roll.below(good.len())].clone().into_bytes();
            let at = roll.below(token.len());
            token[at] ^= u8::try_from(1 + roll.below(127)).unwrap();
            token
        }
        _ => {
            let token = good[roll.below(good.len())].as_bytes();
            token[..roll.below(token.len())].to_vec()
        }
    }
}

/// A header value with those of the bytes that are valid in one.
fn header(prefix: &str, bytes: &[u8]) -> HeaderValue {
    let bytes = bytes.iter().map(|byte| if *byte < b' ' || *byte == 0x7f { b'?' } else { *byte });
    HeaderValue::from_bytes(&prefix.bytes().chain(bytes).collect::<Vec<_>>()).unwrap()
}

fn request(turn: Turn, good: &[String]) -> Request<Bytes> {
    let seed = (turn.connection as u64) << 32 | turn.sequence;
    let mut roll = Random(SplitMix64::new(seed));
    let bytes = arbitrary(&mut roll, good);
    match roll.below(3) {
        0 => {
            let mut request = get("/", &[]);
            request.headers_mut().insert("authorization", header("Bearer ", &bytes));
            request
        }
        1 => {
            let mut request = get("/", &[]);
            request.headers_mut().insert("cookie", header("a=1; token=", &bytes));
            request
        }
        _ => {
            let escaped = bytes.iter().fold(String::new(), |mut escaped, byte| {
                write!(escaped, "%{byte:02x}").unwrap();
                escaped
            });
            get(&format!("/?access_token={escaped}"), &[])
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arbitrary_bytes_are_no_token_and_do_no_harm() {
    let keys = [("a", Key::RSA_A), ("e", Key::P256_A), ("d", Key::ED25519_A), ("s", Key::HMAC_A)];
    let extra = json!({
        "algorithms": ["RS256", "ES256", "EdDSA", "HS256"],
        "from": [{"header": "authorization", "prefix": "Bearer "}, {"cookie": "token"}, {"query": "access_token"}],
    });
    let config = config(provider(inline(&keys), extra), json!({"in_vm_share": 100}));
    let gateway = setup(config).direct().start().await;
    let good =
        [(Algorithm::Rs256, "a"), (Algorithm::Es256, "e"), (Algorithm::EdDsa, "d"), (Algorithm::Hs256, "s")]
            .map(|(algorithm, kid)| Token::good(algorithm).kid(kid).sign());
    let nearly = good.clone();
    let load = Load::http1(gateway.address, 8, Until::Requests(REQUESTS));
    let report = load.run(move |turn| request(turn, &nearly), |_, _| {}).await.unwrap();
    assert_eq!((report.errors, report.answers()), (0, REQUESTS), "{:?}", report.example);
    // Envoy itself refuses none of them.
    assert!(
        report.by_status.keys().all(|status| [400, 401].contains(&status.as_u16())),
        "{:?}",
        report.by_status
    );
    for _ in 0..16 {
        for token in &good {
            assert_eq!(status(&gateway, token).await, 200);
        }
    }
    gateway.assert_no_trap().await;
}
