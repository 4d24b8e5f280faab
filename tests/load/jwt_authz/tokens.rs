//! The memory of cached tokens is bounded, whatever they contain and however often the config changes.

use crate::alone;
use e2e::token::{AUDIENCE, ISSUER};
use e2e::{Algorithm, Gateway, Key, Plugin, Setup, Token, eventually, get, key_set, show};
use mesh_filters::envoy::usage::resident_bytes;
use mesh_filters::http::{Load, StatusCode, Turn, Until};
use mesh_filters::registry::JWT_AUTHZ;
use serde_json::{Value, json};

const PUSHES: u32 = 20;
/// The bound that the filter's README states.
const BOUND: u64 = 64 << 20;

fn setup(version: u32, cache: &Value) -> Setup {
    let config = json!({
        "providers": [{
            "name": "main", "issuer": ISSUER, "audiences": [AUDIENCE], "algorithms": ["HS256"],
            "jwks": {"inline": key_set(&[("a", Key::HMAC_A)])},
        }],
        "rules": [{"name": format!("signed-{version}"), "action": "allow"}],
        "token_cache": cache,
    });
    Setup::default().workers(1).direct().file_based().plugins(&[Plugin::new(JWT_AUTHZ, config)])
}

/// Sends `count` requests, each with a different token.
async fn send(gateway: &Gateway, count: u64, version: u32, claims: &Value) {
    let (name, claims) = (format!("padding-{version}"), claims.clone());
    let make = move |turn: Turn| {
        let jti = format!("{version}-{}-{}", turn.connection, turn.sequence);
        let token = Token::good(Algorithm::Hs256).claim("jti", jti).claim(&name, claims.clone()).sign();
        get("/", &[("authorization", &format!("Bearer {token}"))])
    };
    let report = Load::http1(gateway.address, 4, Until::Requests(count)).run(make, |_, _| {}).await.unwrap();
    assert_eq!((report.errors, report.count(StatusCode::OK)), (0, count), "{:?}", report.by_status);
}

fn resident(gateway: &Gateway) -> u64 {
    resident_bytes(gateway.envoy.pid()).unwrap()
}

/// The JSON with the highest memory usage for its length: nested objects.
fn dense(chains: usize) -> Value {
    let chain = (0..100).fold(json!({}), |inner, _| json!({"": inner}));
    Value::Array(vec![chain; chains])
}

/// All configs of a VM share one bound, including draining ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_pushes_with_a_full_cache() {
    let _turn = alone().await;
    let cache = json!({"entries": 65536, "max_token_bytes": 65536});
    let gateway = setup(1, &cache).start().await;
    let before = resident(&gateway);
    let mut sizes = Vec::new();
    for version in 1..=1 + PUSHES {
        if version > 1 {
            gateway.push(&setup(version, &cache), version);
            eventually("the push", || async {
                gateway.stat("listener_manager.lds.update_success").await >= u64::from(version)
            })
            .await;
        }
        // Twice as many tokens as the bound allows, of a different size each time.
        let chains = 1 + version % 5;
        send(&gateway, 4000 / u64::from(chains), version, &dense(chains as usize)).await;
        sizes.push(resident(&gateway).saturating_sub(before) >> 20);
    }
    show(&format!("{PUSHES} pushes with a full cache: resident memory grew by {sizes:?} MB"));
    let most = *sizes.iter().max().unwrap();
    assert!(most << 20 < 2 * BOUND, "{sizes:?}");
    gateway.assert_no_trap().await;
}

/// The estimate is accurate for typical tokens, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_of_usual_tokens() {
    let _turn = alone().await;
    let gateway = setup(1, &json!({"entries": 65536})).start().await;
    // The VM is warm.
    send(&gateway, 10, 1, &json!(null)).await;
    let before = resident(&gateway);
    let claims = json!({"realm_access": {"roles": ["offline_access", "user", "admin"]}, "scope": "openid email profile",
        "email_verified": true, "name": "Jane Doe", "preferred_username": "jane", "given_name": "Jane",
        "family_name": "Doe", "email": "jane@example.com", "acr": 1, "azp": "shop"});
    let mut sizes = Vec::new();
    for version in 2..6 {
        send(&gateway, 8000, version, &claims).await;
        sizes.push(resident(&gateway).saturating_sub(before) >> 20);
    }
    show(&format!("after 8000, 16000, 24000 and 32000 usual tokens: resident memory grew by {sizes:?} MB"));
    let most = *sizes.iter().max().unwrap();
    assert!(most << 20 < BOUND * 3 / 2, "{sizes:?}");
    assert!(most << 20 > BOUND / 2, "{sizes:?}");
    gateway.assert_no_trap().await;
}
